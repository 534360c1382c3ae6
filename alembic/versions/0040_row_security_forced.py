"""Row security asks for the tenant of the session and for ownership"""

from alembic import op

revision = "0040"
down_revision = "0039"

# FORCE: the owner of a table is held to its policies too, unless it is a superuser or has BYPASSRLS.
# In a subquery the function is called once a statement, not once a row.
# What a row names is asked for by the policy, before the row is written: a foreign key sees every tenant's rows, locks
# what is named and keeps it from being deleted, and a primary key tells that another tenant's row is there.
# (table, policy) → (USING, WITH CHECK beyond USING)
POLICIES = {
    ("tenants", "tenant_reads_itself"): ("slug = (SELECT current_tenant())", None),
    ("users", "tenant_owns"): ("tenant_id = (SELECT current_tenant())", ""),
    ("trading_decisions", "tenant_owns"): (
        "tenant_id = (SELECT current_tenant())",
        "EXISTS (SELECT FROM users u WHERE u.id = user_id)",
    ),
    ("probabilistic_models", "tenant_owns"): ("tenant_id = (SELECT current_tenant())", ""),
    ("probabilistic_models", "tenants_read_shared"): ("is_shared AND (SELECT current_tenant()) IS NOT NULL", None),
    ("model_training_history", "tenant_owns"): (
        "tenant_id = (SELECT current_tenant())",
        "EXISTS (SELECT FROM probabilistic_models m WHERE m.id = model_id AND m.tenant_id = (SELECT current_tenant()))",
    ),
    ("user_probability_preferences", "tenant_owns"): (
        "tenant_id = (SELECT current_tenant())",
        "EXISTS (SELECT FROM users u WHERE u.id = user_id)",
    ),
    ("probability_config_templates", "tenant_owns"): (
        "tenant_id = (SELECT current_tenant())",
        "(created_by IS NULL OR EXISTS (SELECT FROM users u WHERE u.id = created_by))",
    ),
    ("probability_config_templates", "tenants_read_public"): (
        "is_public AND (SELECT current_tenant()) IS NOT NULL",
        None,
    ),
}

# As 0016 to 0018 have them.
OLD = {
    ("tenants", "tenant_reads_itself"): ("slug = current_setting('app.tenant', true)", None),
    ("users", "tenant_owns"): ("tenant_id = current_setting('app.tenant', true)", ""),
    ("trading_decisions", "tenant_owns"): ("tenant_id = current_setting('app.tenant', true)", ""),
    ("probabilistic_models", "tenant_owns"): ("tenant_id = current_setting('app.tenant', true)", ""),
    ("probabilistic_models", "tenants_read_shared"): (
        "is_shared AND current_setting('app.tenant', true) <> ''",
        None,
    ),
    ("model_training_history", "tenant_owns"): (
        "tenant_id = current_setting('app.tenant', true)",
        "EXISTS (SELECT FROM probabilistic_models m WHERE m.id = model_id)",
    ),
    ("user_probability_preferences", "tenant_owns"): ("tenant_id = current_setting('app.tenant', true)", ""),
    ("probability_config_templates", "tenant_owns"): (
        "tenant_id = current_setting('app.tenant', true)",
        "(created_by IS NULL OR EXISTS (SELECT FROM users u WHERE u.id = created_by))",
    ),
    ("probability_config_templates", "tenants_read_public"): (
        "is_public AND current_setting('app.tenant', true) <> ''",
        None,
    ),
}

COMMENTS = {
    ("tenants", "tenant_reads_itself"): (
        "Tenant of the session; the owner writes",
        "The tenant in app.tenant; the owner writes",
    ),
    ("users", "tenant_owns"): ("Rows of the tenant of the session", "Rows of the tenant in app.tenant"),
    ("trading_decisions", "tenant_owns"): (
        "Rows of the tenant of the session, for its users",
        "Rows of the tenant in app.tenant",
    ),
    ("probabilistic_models", "tenant_owns"): ("Rows of the tenant of the session", "Rows of the tenant in app.tenant"),
    ("model_training_history", "tenant_owns"): (
        "Rows of the tenant of the session; written only for its own models",
        "Rows of the tenant in app.tenant; written only for models it can read",
    ),
    ("user_probability_preferences", "tenant_owns"): (
        "Rows of the tenant of the session, for its users",
        "Rows of the tenant in app.tenant",
    ),
    ("probability_config_templates", "tenant_owns"): (
        "Rows of the tenant of the session; created_by names one of its users",
        "Rows of the tenant in app.tenant; created_by names one of its users",
    ),
}


def alter(policies: dict[tuple[str, str], tuple[str, str | None]], which: int) -> None:
    for (table, policy), (using, check) in policies.items():
        both = " AND ".join(filter(None, (using, check)))
        written = "" if check is None else f" WITH CHECK ({both})"
        op.execute(f"ALTER POLICY {policy} ON {table} USING ({using}){written}")
    for (table, policy), texts in COMMENTS.items():
        op.execute(f"COMMENT ON POLICY {policy} ON {table} IS '{texts[which]}'")


def upgrade() -> None:
    alter(POLICIES, 0)
    for table in sorted({table for table, _ in POLICIES}):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for table in sorted({table for table, _ in POLICIES}):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    alter(OLD, 1)

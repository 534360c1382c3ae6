"""Tenant of a session, from its login or from app.tenant"""

from alembic import op

revision = "0039"
down_revision = "0038"

# A setting can be changed by whoever may write SQL, a login cannot: session_user stays what it is under SET ROLE.
TABLE = """
CREATE TABLE tenant_roles (
    role_name   name         PRIMARY KEY,
    tenant_id   text         NOT NULL,
    created_at  timestamptz  NOT NULL DEFAULT now(),

    CONSTRAINT fk_tenant_roles_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (slug) ON DELETE RESTRICT,
    CONSTRAINT chk_role_name CHECK (role_name <> '')
)
"""

# SECURITY DEFINER, because nobody but the owner reads tenant_roles. In it current_user is the owner, so that a role
# taken with SET ROLE is read from its setting. BEGIN ATOMIC binds the table: no search_path puts another in its place.
FUNCTION = """
CREATE FUNCTION current_tenant() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT tenant_id FROM tenant_roles WHERE role_name = session_user),
        (SELECT tenant_id FROM tenant_roles WHERE role_name = current_setting('role')::name),
        nullif(current_setting('app.tenant', true), '')
    );
END
"""

COLUMNS = {
    "role_name": "Login or role of PostgreSQL; it need not exist yet",
    "tenant_id": "The one tenant whose rows it reads and writes, whatever app.tenant says (tenants.slug)",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(FUNCTION)
    op.execute(
        "COMMENT ON TABLE tenant_roles IS"
        " 'Logins that belong to one tenant; one that is not here names its tenant in app.tenant; D2 §2.1'"
    )
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN tenant_roles.{column} IS '{meaning}'")
    op.execute(
        "COMMENT ON FUNCTION current_tenant() IS"
        " 'Tenant of the login, else of the role taken with SET ROLE (tenant_roles), else app.tenant; NULL: none'"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION current_tenant()")
    op.execute("DROP TABLE tenant_roles")

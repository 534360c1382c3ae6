"""Row security of models and their training history"""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(
        """
        CREATE POLICY tenant_owns ON probabilistic_models
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true))
        """
    )
    op.execute(
        """
        CREATE POLICY tenants_read_shared ON probabilistic_models FOR SELECT
            USING (is_shared AND current_setting('app.tenant', true) <> '')
        """
    )
    # A foreign key sees every row, so that only this policy keeps a tenant from naming a model it cannot read.
    op.execute(
        """
        CREATE POLICY tenant_owns ON model_training_history
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true)
                AND EXISTS (SELECT FROM probabilistic_models m WHERE m.id = model_id))
        """
    )
    op.execute("COMMENT ON POLICY tenant_owns ON probabilistic_models IS 'Rows of the tenant in app.tenant'")
    op.execute("COMMENT ON POLICY tenants_read_shared ON probabilistic_models IS 'Shared models, to read'")
    op.execute(
        "COMMENT ON POLICY tenant_owns ON model_training_history"
        " IS 'Rows of the tenant in app.tenant; written only for models it can read'"
    )
    op.execute("ALTER TABLE probabilistic_models ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE model_training_history ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE model_training_history DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE probabilistic_models DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY tenant_owns ON model_training_history")
    op.execute("DROP POLICY tenants_read_shared ON probabilistic_models")
    op.execute("DROP POLICY tenant_owns ON probabilistic_models")

"""Row security of preferences and templates"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute(
        """
        CREATE POLICY tenant_owns ON user_probability_preferences
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true))
        """
    )
    # A foreign key sees every row, so that only this policy keeps a tenant from naming the user of another.
    op.execute(
        """
        CREATE POLICY tenant_owns ON probability_config_templates
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true)
                AND (created_by IS NULL OR EXISTS (SELECT FROM users u WHERE u.id = created_by)))
        """
    )
    op.execute(
        """
        CREATE POLICY tenants_read_public ON probability_config_templates FOR SELECT
            USING (is_public AND current_setting('app.tenant', true) <> '')
        """
    )
    op.execute("COMMENT ON POLICY tenant_owns ON user_probability_preferences IS 'Rows of the tenant in app.tenant'")
    op.execute(
        "COMMENT ON POLICY tenant_owns ON probability_config_templates"
        " IS 'Rows of the tenant in app.tenant; created_by names one of its users'"
    )
    op.execute("COMMENT ON POLICY tenants_read_public ON probability_config_templates IS 'Public templates, to read'")
    op.execute("ALTER TABLE user_probability_preferences ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE probability_config_templates ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE probability_config_templates DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE user_probability_preferences DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY tenants_read_public ON probability_config_templates")
    op.execute("DROP POLICY tenant_owns ON probability_config_templates")
    op.execute("DROP POLICY tenant_owns ON user_probability_preferences")

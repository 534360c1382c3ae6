"""Row security of tenants, users and trading decisions"""

from alembic import op

revision = "0016"
down_revision = "0015"

# A session names its tenant with SET app.tenant = 'slug' (SET LOCAL behind a pooler). Without it no row matches:
# the setting is then NULL, or the empty string once it was set in the session, and neither is a slug.
# FORCE is not set: the owner of the tables, who migrates and fills them, sees every row.


def upgrade() -> None:
    op.execute(
        """
        CREATE POLICY tenant_reads_itself ON tenants FOR SELECT
            USING (slug = current_setting('app.tenant', true))
        """
    )
    op.execute(
        """
        CREATE POLICY tenant_owns ON users
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true))
        """
    )
    op.execute(
        """
        CREATE POLICY tenant_owns ON trading_decisions
            USING (tenant_id = current_setting('app.tenant', true))
            WITH CHECK (tenant_id = current_setting('app.tenant', true))
        """
    )
    op.execute("COMMENT ON POLICY tenant_reads_itself ON tenants IS 'The tenant in app.tenant; the owner writes'")
    op.execute("COMMENT ON POLICY tenant_owns ON users IS 'Rows of the tenant in app.tenant'")
    op.execute("COMMENT ON POLICY tenant_owns ON trading_decisions IS 'Rows of the tenant in app.tenant'")
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE trading_decisions ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE trading_decisions DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenants DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY tenant_owns ON trading_decisions")
    op.execute("DROP POLICY tenant_owns ON users")
    op.execute("DROP POLICY tenant_reads_itself ON tenants")

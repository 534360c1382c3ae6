"""Users, each of one tenant"""

from alembic import op

revision = "0002"
down_revision = "0001"

# uq_users_tenant_id is what other tables refer to, so that a row can never name a user of another tenant.
TABLE = """
CREATE TABLE users (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   text         NOT NULL,
    email       text         NOT NULL,
    created_at  timestamptz  NOT NULL DEFAULT now(),

    CONSTRAINT fk_users_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (slug) ON DELETE RESTRICT,
    CONSTRAINT uq_users_tenant_id UNIQUE (tenant_id, id),
    CONSTRAINT chk_email CHECK (position('@' IN email) > 1)
)
"""

COLUMNS = {
    "id": "Key",
    "tenant_id": "Tenant the user belongs to (tenants.slug)",
    "email": "Address to sign in with; unique in its tenant, whatever the case of its letters",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("CREATE UNIQUE INDEX uq_users_tenant_email ON users (tenant_id, lower(email))")
    op.execute("COMMENT ON TABLE users IS 'People who trade; presupposed by D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN users.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE users")

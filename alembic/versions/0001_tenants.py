"""Tenants, the one tenant id of every store"""

from alembic import op

revision = "0001"
down_revision = None

TABLE = """
CREATE TABLE tenants (
    slug        text         PRIMARY KEY,
    name        text         NOT NULL,
    created_at  timestamptz  NOT NULL DEFAULT now(),

    CONSTRAINT chk_slug CHECK (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$')
)
"""

COLUMNS = {
    "slug": "Tenant id in every store: 1-63 of a-z, 0-9, _ and -, not beginning with _ or -; never renamed",
    "name": "Name shown to people",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("COMMENT ON TABLE tenants IS 'Customers whose rows are kept apart; presupposed by D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN tenants.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE tenants")

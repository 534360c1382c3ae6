"""Views are read with the rights of the caller"""

from alembic import op

revision = "0042"
down_revision = "0041"

VIEWS = ("vw_index_usage", "vw_table_sizes")

# With the rights of its owner a view would show what the caller may not see, once rows of tenants are in it.


def upgrade() -> None:
    for view in VIEWS:
        op.execute(f"ALTER VIEW {view} SET (security_invoker = true)")


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"ALTER VIEW {view} RESET (security_invoker)")

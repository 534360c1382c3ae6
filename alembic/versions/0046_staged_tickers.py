"""A staged row whose ticker is none is set aside"""

from alembic import op

revision = "0046"
down_revision = "0045"

# chk_ticker would fail the whole batch. The function of 0038, with this between two of its statements.
BEHIND = "'timestamp is outside the partitions of ml_feature_store', inside);"
ADDED = """
    INSERT INTO pg_temp.invalid_features
    SELECT *, 'ticker is empty, or not in capitals', false FROM pg_temp.staged_features s
    WHERE ticker !~ '^[^a-z[:space:]]+$' AND NOT EXISTS (SELECT FROM pg_temp.invalid_features i WHERE i.n = s.n);"""

REPLACE = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('store_staged_features_report()'::regprocedure), $x${old}$x$, $x${new}$x$);
END $$
"""


def upgrade() -> None:
    op.execute(REPLACE.replace("{old}", BEHIND).replace("{new}", BEHIND + ADDED))


def downgrade() -> None:
    op.execute(REPLACE.replace("{old}", BEHIND + ADDED).replace("{new}", BEHIND))

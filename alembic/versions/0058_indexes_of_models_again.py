"""Indexes of models that may be used and of backtested returns, again"""

from alembic import op

revision = "0058"
down_revision = "0057"

# Dropped where the types of their columns were changed, which would have built them while writers wait.
INDEXES = {
    "idx_model_performance": (
        "ml_models (validation_score DESC NULLS LAST) WHERE status IN ('validated', 'deployed', 'production')"
    ),
    "idx_backtesting_returns": "ml_backtesting_results (realized_return) WHERE realized_return IS NOT NULL",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for index, made_of in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY {index} ON {made_of}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for index in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY {index}")

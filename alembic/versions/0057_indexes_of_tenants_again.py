"""Indexes of confident decisions and of active models, again"""

from alembic import op

revision = "0057"
down_revision = "0056"

# Dropped where the types of their columns were changed, which would have built them while writers wait.
INDEXES = {
    "idx_trading_decisions_symbol_confidence": (
        "trading_decisions (tenant_id, symbol, aggregated_confidence DESC) WHERE aggregated_confidence >= 0.7"
    ),
    "idx_probabilistic_models_performance": (
        "probabilistic_models (accuracy DESC NULLS LAST, calibration_score DESC NULLS LAST) WHERE status = 'active'"
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for index, made_of in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY {index} ON {made_of}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for index in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY {index}")

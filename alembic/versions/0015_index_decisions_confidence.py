"""Index of confident trading decisions by symbol"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            """
            CREATE INDEX CONCURRENTLY idx_trading_decisions_symbol_confidence
            ON trading_decisions (tenant_id, symbol, aggregated_confidence DESC)
            WHERE aggregated_confidence >= 0.7
            """
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY idx_trading_decisions_symbol_confidence")

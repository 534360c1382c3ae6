"""Index of active models, best first"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # Models that were never measured come last; ORDER BY must say NULLS LAST too, or the index is not used.
    with op.get_context().autocommit_block():
        op.execute(
            """
            CREATE INDEX CONCURRENTLY idx_probabilistic_models_performance
            ON probabilistic_models (accuracy DESC NULLS LAST, calibration_score DESC NULLS LAST)
            WHERE status = 'active'
            """
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY idx_probabilistic_models_performance")

"""Checks on names, tickers and lists, proved for old rows that keep them"""

from alembic import op

revision = "0045"
down_revision = "0044"

# Reads and writes go on beside it. A check that an old row breaks stays unproved: it holds for every row that is
# written, `provision doctor` names it, and once the row is put right, `ALTER TABLE … VALIDATE CONSTRAINT …` proves it.
PROVE = """
DO $$ DECLARE
    unproved record;
BEGIN
    FOR unproved IN
        SELECT conrelid::regclass AS home, conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
        WHERE contype = 'c' AND NOT convalidated AND connamespace = current_schema()::regnamespace
          AND NOT relispartition AND (relname, conname) IN ({pairs})
        ORDER BY relname, conname
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', unproved.home, unproved.conname);
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING '% of % is broken by a row from before', unproved.conname, unproved.home;
        END;
    END LOOP;
END $$
"""

# A constraint cannot be marked unproved again: it is replaced, and no moment passes without it.
UNPROVE = """
DO $$ DECLARE
    proved record;
BEGIN
    FOR proved IN
        SELECT conrelid::regclass AS home, conname, pg_get_constraintdef(p.oid) AS defined
        FROM pg_constraint p JOIN pg_class c ON c.oid = conrelid
        WHERE contype = 'c' AND convalidated AND connamespace = current_schema()::regnamespace AND NOT relispartition
          AND (relname, conname) IN ({pairs})
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s NOT VALID',
            proved.home, proved.conname, proved.conname, proved.defined);
    END LOOP;
END $$
"""

CHECKS = {
    "tenants": ["chk_not_empty"],
    "probabilistic_models": ["chk_not_empty"],
    "probability_config_templates": ["chk_not_empty"],
    "trading_decisions": ["chk_symbol", "chk_decided_at"],
    "user_probability_preferences": ["chk_preferred_indicators"],
    "ml_feature_definitions": ["chk_not_empty"],
    "ml_enhancement_definitions": ["chk_not_empty"],
    "ml_datasets": ["chk_not_empty", "chk_tickers", "chk_feature_ids"],
    "ml_feature_pipelines": ["chk_not_empty", "chk_input_features", "chk_output_features"],
    "ml_models": ["chk_not_empty"],
    "ml_ab_experiments": ["chk_not_empty", "chk_success_metrics", "chk_symbols_filter"],
    "ml_backtesting_experiments": ["chk_not_empty", "chk_benchmark_ticker", "chk_universe_tickers"],
    "ml_predictions": ["chk_not_empty", "chk_ticker", "chk_volatility", "chk_feature_freshness"],
    "ml_enhancement_store": ["chk_ticker"],
    "ml_backtesting_results": ["chk_ticker"],
    "ml_feature_store": ["chk_ticker"],
    "ml_model_metrics": ["chk_symbol_universe"],
    "ml_backtesting_metrics": ["chk_sizes"],
}


def run(block: str) -> None:
    pairs = ", ".join(f"('{table}', '{name}')" for table, names in CHECKS.items() for name in names)
    op.execute(block.replace("{pairs}", pairs))


def upgrade() -> None:
    run(PROVE)


def downgrade() -> None:
    run(UNPROVE)

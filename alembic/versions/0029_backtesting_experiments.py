"""Backtesting experiments"""

from alembic import op

revision = "0029"
down_revision = "0028"

SECTION = "D1 §4 Backtesting and Performance Tracking, Comprehensive Backtesting Schema"

# The walk-forward columns and the benchmark may be NULL in spite of their default. RESTRICT: models are kept for good.
TABLE = """
CREATE TABLE ml_backtesting_experiments (
    experiment_id           uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    experiment_name         varchar(255)   NOT NULL,
    model_id                uuid           NOT NULL,
    strategy_name           varchar(255)   NOT NULL,
    strategy_config         jsonb          NOT NULL,
    universe_tickers        text[]         NOT NULL,
    benchmark_ticker        varchar(20)    DEFAULT 'SPY',
    start_date              date           NOT NULL,
    end_date                date           NOT NULL,
    initial_capital         numeric(15,2)  NOT NULL DEFAULT 100000.00,

    commission_per_trade    numeric(8,4)   NOT NULL DEFAULT 0.005,
    commission_type         varchar(20)    NOT NULL DEFAULT 'percentage',
    bid_ask_spread_bps      numeric(6,2)   NOT NULL DEFAULT 5.0,
    market_impact_config    jsonb,
    slippage_config         jsonb,

    rebalance_frequency     varchar(20)    NOT NULL DEFAULT 'daily',
    position_limits         jsonb,
    sector_limits           jsonb,
    turnover_limit          numeric(5,2),
    leverage_limit          numeric(5,2)   NOT NULL DEFAULT 1.0,

    walk_forward_analysis   boolean        NOT NULL DEFAULT true,
    training_window_days    integer        DEFAULT 252,
    retrain_frequency_days  integer        DEFAULT 21,
    prediction_window_days  integer        DEFAULT 21,
    min_training_samples    integer        DEFAULT 1000,

    execution_status        varchar(50)    NOT NULL DEFAULT 'pending',
    progress_percentage     numeric(5,2)   NOT NULL DEFAULT 0,
    start_time              timestamptz,
    completion_time         timestamptz,
    error_message           text,
    total_trades            integer,
    total_symbols_traded    integer,
    created_at              timestamptz    NOT NULL DEFAULT now(),
    created_by              varchar(100),

    CONSTRAINT fk_ml_backtesting_experiments_model FOREIGN KEY (model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT chk_commission_type CHECK (commission_type IN ('percentage', 'fixed', 'tiered')),
    CONSTRAINT chk_rebalance_frequency
        CHECK (rebalance_frequency IN ('intraday', 'daily', 'weekly', 'monthly', 'quarterly')),
    CONSTRAINT chk_execution_status
        CHECK (execution_status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT chk_experiment_dates CHECK (end_date > start_date),
    CONSTRAINT chk_positive_capital CHECK (initial_capital > 0 AND initial_capital <> 'NaN'),
    CONSTRAINT chk_commission_valid CHECK (commission_per_trade >= 0 AND commission_per_trade <> 'NaN'),
    CONSTRAINT chk_bid_ask_spread_bps CHECK (bid_ask_spread_bps >= 0 AND bid_ask_spread_bps <> 'NaN'),
    CONSTRAINT chk_turnover_limit CHECK (turnover_limit >= 0 AND turnover_limit <> 'NaN'),
    CONSTRAINT chk_leverage_valid CHECK (leverage_limit > 0 AND leverage_limit <= 10),
    CONSTRAINT chk_windows_positive CHECK (
        least(training_window_days, retrain_frequency_days, prediction_window_days, min_training_samples) > 0
    ),
    CONSTRAINT chk_progress_valid CHECK (progress_percentage BETWEEN 0 AND 100),
    CONSTRAINT chk_completion_time CHECK (completion_time >= start_time)
)
"""

INDEXES = [
    "idx_experiment_model ON ml_backtesting_experiments (model_id)",
    "idx_bt_experiment_status ON ml_backtesting_experiments (execution_status, created_at)",
    "idx_experiment_dates ON ml_backtesting_experiments (start_date, end_date)",
    "idx_experiment_universe ON ml_backtesting_experiments USING gin (universe_tickers)",
]

COLUMNS = {
    "experiment_id": "Key",
    "experiment_name": "Name; several runs may share it",
    "model_id": "Model that is tested; it cannot be deleted",
    "strategy_name": "Strategy that trades on its predictions",
    "strategy_config": "How the strategy is set",
    "universe_tickers": "Symbols it may trade",
    "benchmark_ticker": "Symbol it is compared with; NULL: none",
    "start_date": "First day, in UTC",
    "end_date": "Last day, in UTC; after start_date",
    "initial_capital": "Money at the start, USD, above 0",
    "commission_per_trade": "Commission, 0 or more: fraction of the trade (0.005 is 0.5 percent) or, where fixed, USD",
    "commission_type": "percentage, fixed or tiered",
    "bid_ask_spread_bps": "Spread, basis points, 0 or more",
    "market_impact_config": "How market impact is modelled",
    "slippage_config": "How slippage is modelled",
    "rebalance_frequency": "intraday, daily, weekly, monthly or quarterly",
    "position_limits": "Limits of a position",
    "sector_limits": "Limits of a sector",
    "turnover_limit": "Largest turnover of a day, percent, 0 or more; NULL: no limit",
    "leverage_limit": "Largest leverage, above 0, at most 10",
    "walk_forward_analysis": "true: the model is trained again as time goes on",
    "training_window_days": "Trading days trained on, 1 or more; NULL: no walk forward",
    "retrain_frequency_days": "Trading days between trainings, 1 or more; NULL: no walk forward",
    "prediction_window_days": "Trading days predicted, 1 or more; NULL: no walk forward",
    "min_training_samples": "Samples a training needs, 1 or more; NULL: no walk forward",
    "execution_status": "pending, running, completed, failed or cancelled",
    "progress_percentage": "Progress, percent, 0-100",
    "start_time": "When the run began",
    "completion_time": "When the run ended, not before it began",
    "error_message": "Why it failed",
    "total_trades": "Trades made; NULL until it ended",
    "total_symbols_traded": "Symbols traded; NULL until it ended",
    "created_at": "When the row was written",
    "created_by": "Who set it up",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_backtesting_experiments IS 'Runs of a strategy over past data; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_backtesting_experiments.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_backtesting_experiments")

"""Backtesting metrics, one row for each experiment"""

from alembic import op

revision = "0031"
down_revision = "0030"

SECTION = "D1 §4 Backtesting and Performance Tracking, Comprehensive Backtesting Schema"

# Figures that the document holds in 4 or 6 digits overflow at values that occur (kurtosis 150, turnover of intraday
# rebalancing), so that ratios are numeric(12,6). RESTRICT: an experiment is deleted after its metrics.
TABLE = """
CREATE TABLE ml_backtesting_metrics (
    metric_id                     uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    experiment_id                 uuid           NOT NULL,
    total_return                  numeric(10,6)  NOT NULL,
    annualized_return             numeric(10,6),
    benchmark_return              numeric(10,6),
    excess_return                 numeric(10,6),
    alpha                         numeric(10,6),
    beta                          numeric(12,6),
    volatility                    numeric(10,6),
    downside_volatility           numeric(10,6),
    max_drawdown                  numeric(12,6),
    max_drawdown_duration_days    integer,
    value_at_risk_95              numeric(10,6),
    expected_shortfall_95         numeric(10,6),
    sharpe_ratio                  numeric(12,6),
    sortino_ratio                 numeric(12,6),
    calmar_ratio                  numeric(12,6),
    information_ratio             numeric(12,6),
    treynor_ratio                 numeric(12,6),
    total_trades                  integer,
    win_rate                      numeric(5,4),
    avg_win                       numeric(10,6),
    avg_loss                      numeric(10,6),
    profit_factor                 numeric(12,6),
    largest_win                   numeric(10,6),
    largest_loss                  numeric(10,6),
    avg_holding_period            numeric(8,2),
    turnover_rate                 numeric(12,6),
    total_transaction_costs       numeric(15,4),
    cost_as_percentage_of_returns numeric(12,6),
    avg_cost_per_trade            numeric(10,4),
    market_impact_total           numeric(15,4),
    monthly_win_rate              numeric(5,4),
    best_month                    numeric(8,6),
    worst_month                   numeric(8,6),
    monthly_returns_std           numeric(8,6),
    skewness                      numeric(12,6),
    kurtosis                      numeric(12,6),
    factor_exposures              jsonb,
    sector_attribution            jsonb,
    size_attribution              jsonb,
    calculation_timestamp         timestamptz    NOT NULL DEFAULT now(),

    CONSTRAINT uq_ml_backtesting_metrics_experiment UNIQUE (experiment_id),
    CONSTRAINT fk_ml_backtesting_metrics_experiment
        FOREIGN KEY (experiment_id) REFERENCES ml_backtesting_experiments ON DELETE RESTRICT,
    CONSTRAINT chk_win_rate CHECK (win_rate BETWEEN 0 AND 1),
    CONSTRAINT chk_monthly_win_rate CHECK (monthly_win_rate BETWEEN 0 AND 1),
    CONSTRAINT chk_not_negative CHECK (
        least(max_drawdown, max_drawdown_duration_days, volatility, downside_volatility, total_trades) >= 0
    ),
    CONSTRAINT chk_no_nan CHECK ('NaN' NOT IN (
        total_return, annualized_return, benchmark_return, excess_return, alpha, beta, volatility, downside_volatility,
        max_drawdown, value_at_risk_95, expected_shortfall_95, sharpe_ratio, sortino_ratio, calmar_ratio,
        information_ratio, treynor_ratio, avg_win, avg_loss, profit_factor, largest_win, largest_loss,
        avg_holding_period, turnover_rate, total_transaction_costs, cost_as_percentage_of_returns, avg_cost_per_trade,
        market_impact_total, best_month, worst_month, monthly_returns_std, skewness, kurtosis
    ))
)
"""

INDEXES = [
    "idx_sharpe_ratio ON ml_backtesting_metrics (sharpe_ratio DESC NULLS LAST)",
    "idx_max_drawdown ON ml_backtesting_metrics (max_drawdown)",
    "idx_total_return ON ml_backtesting_metrics (total_return DESC)",
]

COLUMNS = {
    "metric_id": "Key",
    "experiment_id": "Experiment; unique; it cannot be deleted while it has metrics",
    "total_return": "Return over the whole time, fraction",
    "annualized_return": "Return of a year, fraction",
    "benchmark_return": "Return of the benchmark, fraction",
    "excess_return": "Return less that of the benchmark, fraction",
    "alpha": "Return adjusted for risk, fraction",
    "beta": "Sensitivity to the market",
    "volatility": "Annualized volatility, fraction, 0 or more",
    "downside_volatility": "Downside deviation, fraction, 0 or more",
    "max_drawdown": "Largest fall from a peak, fraction of the peak, 0 or more",
    "max_drawdown_duration_days": "Longest time below a peak, days, 0 or more",
    "value_at_risk_95": "Value at risk, 95 percent, fraction",
    "expected_shortfall_95": "Expected shortfall, 95 percent, fraction",
    "sharpe_ratio": "(Return - risk free) / volatility",
    "sortino_ratio": "Excess return / downside deviation",
    "calmar_ratio": "Annual return / largest drawdown",
    "information_ratio": "Excess return / tracking error",
    "treynor_ratio": "Excess return / beta",
    "total_trades": "Trades, 0 or more",
    "win_rate": "Share of trades with profit, 0-1",
    "avg_win": "Average return of trades with profit, fraction",
    "avg_loss": "Average return of trades with loss, fraction",
    "profit_factor": "Gross profit / gross loss; NULL: no loss",
    "largest_win": "Largest return of a trade, fraction",
    "largest_loss": "Smallest return of a trade, fraction",
    "avg_holding_period": "Average time a position is held, days",
    "turnover_rate": "Turnover of a year, portfolios",
    "total_transaction_costs": "All costs, USD",
    "cost_as_percentage_of_returns": "Costs, percent of the returns",
    "avg_cost_per_trade": "Costs of a trade, USD",
    "market_impact_total": "Costs of market impact, USD",
    "monthly_win_rate": "Share of months with profit, 0-1",
    "best_month": "Best return of a month, fraction",
    "worst_month": "Worst return of a month, fraction",
    "monthly_returns_std": "Standard deviation of the returns of months, fraction",
    "skewness": "Skewness of the returns",
    "kurtosis": "Kurtosis of the returns",
    "factor_exposures": "Exposure to each factor",
    "sector_attribution": "Performance of each sector",
    "size_attribution": "Performance of each size",
    "calculation_timestamp": "When it was computed",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_backtesting_metrics IS 'Figures over a whole experiment; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_backtesting_metrics.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_backtesting_metrics")

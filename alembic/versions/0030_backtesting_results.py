"""Backtesting results, trade by trade"""

from alembic import op

revision = "0030"
down_revision = "0029"

SECTION = "D1 §4 Backtesting and Performance Tracking, Comprehensive Backtesting Schema"

# trade_sequence lets one ticker be bought and sold on one day. RESTRICT: an experiment is deleted after its results.
TABLE = """
CREATE TABLE ml_backtesting_results (
    result_id              uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    experiment_id          uuid           NOT NULL,
    trade_date             date           NOT NULL,
    ticker                 varchar(20)    NOT NULL,
    trade_sequence         integer        NOT NULL DEFAULT 1,
    action                 varchar(10)    NOT NULL,
    position_type          varchar(10),
    quantity               numeric(20,8)  NOT NULL,
    entry_price            numeric(12,4),
    exit_price             numeric(12,4),
    avg_fill_price         numeric(12,4),
    predicted_return       numeric(12,6),
    predicted_direction    varchar(10),
    prediction_confidence  numeric(5,4),
    signal_strength        numeric(5,4),
    holding_period_days    integer,
    gross_pnl              numeric(15,4),
    net_pnl                numeric(15,4),
    transaction_costs      numeric(15,4),
    market_impact          numeric(15,4),
    realized_return        numeric(12,6),
    attribution_alpha      numeric(12,6),
    attribution_beta       numeric(12,6),
    portfolio_weight       numeric(8,6),
    sector_exposure        numeric(8,6),
    portfolio_value        numeric(15,2),
    cash_position          numeric(15,2),
    leverage_ratio         numeric(7,4),
    var_1d                 numeric(15,4),
    expected_shortfall     numeric(15,4),
    position_risk_score    numeric(5,4),
    market_regime          varchar(20),
    volatility_regime      varchar(20),
    market_return          numeric(8,6),
    sector_return          numeric(8,6),
    created_at             timestamptz    NOT NULL DEFAULT now(),

    CONSTRAINT uq_ml_backtesting_results_trade UNIQUE (experiment_id, trade_date, ticker, trade_sequence),
    CONSTRAINT fk_ml_backtesting_results_experiment
        FOREIGN KEY (experiment_id) REFERENCES ml_backtesting_experiments ON DELETE RESTRICT,
    CONSTRAINT chk_trade_sequence CHECK (trade_sequence > 0),
    CONSTRAINT chk_action CHECK (action IN ('BUY', 'SELL', 'HOLD')),
    CONSTRAINT chk_position_type CHECK (position_type IN ('LONG', 'SHORT')),
    CONSTRAINT chk_predicted_direction CHECK (predicted_direction IN ('UP', 'DOWN', 'NEUTRAL')),
    CONSTRAINT chk_quantity_positive CHECK (quantity >= 0 AND quantity <> 'NaN'),
    CONSTRAINT chk_confidence_valid CHECK (prediction_confidence BETWEEN 0 AND 1),
    CONSTRAINT chk_signal_strength CHECK (signal_strength BETWEEN 0 AND 1),
    CONSTRAINT chk_holding_period_days CHECK (holding_period_days >= 0),
    CONSTRAINT chk_portfolio_weight CHECK (abs(portfolio_weight) <= 1),
    CONSTRAINT chk_leverage_reasonable CHECK (leverage_ratio BETWEEN 0 AND 10),
    CONSTRAINT chk_no_nan CHECK ('NaN' NOT IN (
        entry_price, exit_price, avg_fill_price, predicted_return, gross_pnl, net_pnl, transaction_costs, market_impact,
        realized_return, attribution_alpha, attribution_beta, sector_exposure, portfolio_value, cash_position, var_1d,
        expected_shortfall, position_risk_score, market_return, sector_return
    ))
)
"""

INDEXES = [
    "idx_experiment_ticker ON ml_backtesting_results (experiment_id, ticker)",
    "idx_trade_performance ON ml_backtesting_results (net_pnl DESC NULLS LAST, trade_date)",
    "idx_realized_return ON ml_backtesting_results (realized_return DESC NULLS LAST)",
    "idx_prediction_accuracy ON ml_backtesting_results (predicted_return, realized_return)",
    "idx_backtesting_returns ON ml_backtesting_results (realized_return) WHERE realized_return IS NOT NULL",
]

COLUMNS = {
    "result_id": "Key",
    "experiment_id": "Experiment; it cannot be deleted while it has results",
    "trade_date": "Day of the trade, in UTC",
    "ticker": "Trading symbol",
    "trade_sequence": "Number of the trade in ticker and day, 1 or more",
    "action": "BUY, SELL or HOLD",
    "position_type": "LONG or SHORT; NULL: no position",
    "quantity": "Shares or contracts, 0 or more",
    "entry_price": "Price at which the position was opened, USD",
    "exit_price": "Price at which the position was closed, USD",
    "avg_fill_price": "Average price of execution, USD",
    "predicted_return": "Return the model predicted, fraction",
    "predicted_direction": "UP, DOWN or NEUTRAL",
    "prediction_confidence": "Confidence of the prediction, 0-1",
    "signal_strength": "Strength of the signal, 0-1",
    "holding_period_days": "Days the position was held, 0 or more",
    "gross_pnl": "Profit before costs, USD, negative: loss",
    "net_pnl": "Profit after costs, USD, negative: loss",
    "transaction_costs": "Commission and slippage, USD",
    "market_impact": "Cost of market impact, USD",
    "realized_return": "Return achieved, fraction; NULL while the position is open",
    "attribution_alpha": "Part of the return that is alpha, fraction",
    "attribution_beta": "Part of the return that is beta, fraction",
    "portfolio_weight": "Position as a fraction of the portfolio, -1 to 1",
    "sector_exposure": "Exposure to the sector at the time of the trade, fraction of the portfolio",
    "portfolio_value": "Value of the whole portfolio, USD",
    "cash_position": "Cash, USD, negative: borrowed",
    "leverage_ratio": "Leverage of the portfolio, 0-10",
    "var_1d": "Value at risk of one day, USD",
    "expected_shortfall": "Expected shortfall (CVaR), USD",
    "position_risk_score": "Risk of the position, below 10",
    "market_regime": "Regime of the market, for example bull, bear or sideways",
    "volatility_regime": "Regime of volatility, for example low, medium or high",
    "market_return": "Return of the market on the day, fraction",
    "sector_return": "Return of the sector on the day, fraction",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_backtesting_results IS 'Trades of backtesting experiments; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_backtesting_results.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_backtesting_results")

"""Numbers of backtests and experiments are kept as they were sent"""

from alembic import op

revision = "0050"
down_revision = "0049"

# A numeric(p,s) rounds before any check sees the value: 1.00004 came in as 1.0000. Without digits to round to, the
# check sees what was sent, and what has more digits than the type had is kept. No row is written, or read, for it:
# checks are proved by a revision behind these.
# table → type until now → columns
COLUMNS = {
    "ml_ab_experiments": {
        "numeric(5,4)": "confidence_level",
        "numeric(5,2)": "traffic_split",
    },
    "ml_backtesting_experiments": {
        "numeric(6,2)": "bid_ask_spread_bps",
        "numeric(8,4)": "commission_per_trade",
        "numeric(15,2)": "initial_capital",
        "numeric(5,2)": "leverage_limit progress_percentage turnover_limit",
    },
    "ml_backtesting_metrics": {
        "numeric(10,6)": (
            "alpha annualized_return avg_loss avg_win benchmark_return downside_volatility excess_return "
            "expected_shortfall_95 largest_loss largest_win total_return value_at_risk_95 volatility"
        ),
        "numeric(10,4)": "avg_cost_per_trade",
        "numeric(8,2)": "avg_holding_period",
        "numeric(8,6)": "best_month monthly_returns_std worst_month",
        "numeric(12,6)": (
            "beta calmar_ratio cost_as_percentage_of_returns information_ratio kurtosis max_drawdown "
            "profit_factor sharpe_ratio skewness sortino_ratio treynor_ratio turnover_rate"
        ),
        "numeric(15,4)": "market_impact_total total_transaction_costs",
        "numeric(5,4)": "monthly_win_rate win_rate",
    },
    "ml_backtesting_results": {
        "numeric(12,6)": "attribution_alpha attribution_beta predicted_return realized_return",
        "numeric(12,4)": "avg_fill_price entry_price exit_price",
        "numeric(15,2)": "cash_position portfolio_value",
        "numeric(15,4)": ("expected_shortfall gross_pnl market_impact net_pnl transaction_costs var_1d"),
        "numeric(7,4)": "leverage_ratio",
        "numeric(8,6)": "market_return portfolio_weight sector_exposure sector_return",
        "numeric(5,4)": "position_risk_score prediction_confidence signal_strength",
        "numeric(20,8)": "quantity",
    },
}

# Without digits a number may be infinite or of any size; these have no check that bounds them on both sides. NaN is
# greater than every number, so that it is refused too.
BOUNDS = {
    "ml_backtesting_experiments": "bid_ask_spread_bps commission_per_trade initial_capital turnover_limit",
    "ml_backtesting_metrics": (
        "alpha annualized_return avg_cost_per_trade avg_holding_period avg_loss avg_win benchmark_return "
        "best_month beta calmar_ratio cost_as_percentage_of_returns downside_volatility excess_return "
        "expected_shortfall_95 information_ratio kurtosis largest_loss largest_win market_impact_total "
        "max_drawdown monthly_returns_std profit_factor sharpe_ratio skewness sortino_ratio total_return "
        "total_transaction_costs treynor_ratio turnover_rate value_at_risk_95 volatility worst_month"
    ),
    "ml_backtesting_results": (
        "attribution_alpha attribution_beta avg_fill_price cash_position entry_price exit_price "
        "expected_shortfall gross_pnl market_impact market_return net_pnl portfolio_value "
        "position_risk_score predicted_return quantity realized_return sector_exposure sector_return "
        "transaction_costs var_1d"
    ),
}

# It asks for a column of another type in WHERE, so that a change of types would build it
# anew while writers wait. Revisions behind this one make it again, beside writers.
INDEXES = {"idx_backtesting_returns": "ml_backtesting_results (realized_return) WHERE realized_return IS NOT NULL"}

# A value that the old type would round, or cannot hold, is not thrown away by going back.
FITS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} <> {column}::{type}) THEN
        RAISE EXCEPTION '{column} of {table} has values with more digits than {type} keeps'
            USING ERRCODE = 'numeric_value_out_of_range', HINT = 'round them first, or stay at this revision';
    END IF;
END $$
"""

# PostgreSQL writes what it has read in its own form differently; these are as they were made.
AS_BEFORE = [
    (
        "ALTER TABLE ml_backtesting_results DROP CONSTRAINT chk_no_nan, ADD CONSTRAINT chk_no_nan CHECK ('NaN' NOT "
        "IN (entry_price, exit_price, avg_fill_price, predicted_return, gross_pnl, net_pnl, transaction_costs, "
        "market_impact, realized_return, attribution_alpha, attribution_beta, sector_exposure, portfolio_value, "
        "cash_position, var_1d, expected_shortfall, position_risk_score, market_return, sector_return))"
    ),
    (
        "ALTER TABLE ml_backtesting_metrics DROP CONSTRAINT chk_no_nan, ADD CONSTRAINT chk_no_nan CHECK ('NaN' NOT "
        "IN (total_return, annualized_return, benchmark_return, excess_return, alpha, beta, volatility, "
        "downside_volatility, max_drawdown, value_at_risk_95, expected_shortfall_95, sharpe_ratio, sortino_ratio, "
        "calmar_ratio, information_ratio, treynor_ratio, avg_win, avg_loss, profit_factor, largest_win, "
        "largest_loss, avg_holding_period, turnover_rate, total_transaction_costs, cost_as_percentage_of_returns, "
        "avg_cost_per_trade, market_impact_total, best_month, worst_month, monthly_returns_std, skewness, "
        "kurtosis))"
    ),
]


def change(types: dict[str, dict[str, str]], more: dict[str, list[str]]) -> None:
    """Change the types (table → column → type), and what `more` says of a table; what stands on them is as before."""
    tables = ", ".join(f"'{table}'" for table in types)
    columns = ", ".join(sorted({f"'{column}'" for columns in types.values() for column in columns}))
    op.execute(f"SELECT take_down(ARRAY[{tables}]::regclass[], ARRAY[{columns}])")
    for table, wanted in types.items():
        parts = [f"ALTER COLUMN {column} TYPE {type}" for column, type in wanted.items()]
        op.execute(f"ALTER TABLE {table} " + ", ".join(parts + more.get(table, [])))
    op.execute("SELECT put_back()")


def upgrade() -> None:
    types = {
        table: {column: "numeric[]" if "[]" in old else "numeric" for old in olds for column in olds[old].split()}
        for table, olds in COLUMNS.items()
    }
    more = {}
    for table, columns in BOUNDS.items():
        named = ", ".join(columns.split())
        bounds = f"greatest({named}) < 1e30 AND least({named}) > -1e30"
        more[table] = [f"ADD CONSTRAINT chk_within_bounds CHECK ({bounds}) NOT VALID"]
    # lint: allow drop-index-not-concurrent: the change of types, in this transaction, takes the same lock
    op.execute("DROP INDEX " + ", ".join(INDEXES))
    change(types, more)


def downgrade() -> None:
    types = {table: {column: old for old in olds for column in olds[old].split()} for table, olds in COLUMNS.items()}
    for table, columns in types.items():
        for column, type in columns.items():
            op.execute(FITS.replace("{table}", table).replace("{column}", column).replace("{type}", type))
    change(types, {table: ["DROP CONSTRAINT chk_within_bounds"] for table in BOUNDS})
    for table, columns in types.items():
        op.execute(f"SELECT prove_checks('{{{table}}}', '{{{','.join(columns)}}}')")
    for index, made_of in INDEXES.items():
        op.execute(f"CREATE INDEX {index} ON {made_of}")
    for statement in AS_BEFORE:
        op.execute(statement)

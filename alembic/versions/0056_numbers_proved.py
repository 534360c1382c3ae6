"""Checks on numbers, proved for old rows that keep them"""

from alembic import op

revision = "0056"
down_revision = "0055"

# Reads and writes go on beside it.
COLUMNS = {
    "model_training_history": (
        "final_accuracy final_brier_score final_calibration_score improvement_percentage previous_model_accuracy"
    ),
    "probabilistic_models": ("accuracy brier_score calibration_score sharpe_ratio"),
    "trading_decisions": ("aggregated_confidence position_size uncertainty_score"),
    "user_probability_preferences": (
        "adaptation_sensitivity confidence_alert_threshold confidence_threshold learning_rate "
        "memory_decay_factor risk_tolerance uncertainty_tolerance uncertainty_warning_threshold"
    ),
    "ml_ab_experiments": ("confidence_level traffic_split"),
    "ml_backtesting_experiments": (
        "bid_ask_spread_bps commission_per_trade initial_capital leverage_limit progress_percentage turnover_limit"
    ),
    "ml_backtesting_metrics": (
        "alpha annualized_return avg_cost_per_trade avg_holding_period avg_loss avg_win benchmark_return"
        " best_month beta calmar_ratio cost_as_percentage_of_returns downside_volatility excess_return "
        "expected_shortfall_95 information_ratio kurtosis largest_loss largest_win market_impact_total "
        "max_drawdown monthly_returns_std monthly_win_rate profit_factor sharpe_ratio skewness "
        "sortino_ratio total_return total_transaction_costs treynor_ratio turnover_rate value_at_risk_95"
        " volatility win_rate worst_month"
    ),
    "ml_backtesting_results": (
        "attribution_alpha attribution_beta avg_fill_price cash_position entry_price exit_price "
        "expected_shortfall gross_pnl leverage_ratio market_impact market_return net_pnl portfolio_value"
        " portfolio_weight position_risk_score predicted_return prediction_confidence quantity "
        "realized_return sector_exposure sector_return signal_strength transaction_costs var_1d"
    ),
    "ml_datasets": ("data_quality_score missing_data_percentage"),
    "ml_feature_dependencies": ("weight"),
    "ml_model_deployments": ("traffic_percentage"),
    "ml_model_metrics": ("metric_std metric_value"),
    "ml_models": ("cross_validation_scores model_size_mb test_score validation_score"),
    "ml_enhancement_store": (
        "base_vfr_value confidence_score data_quality_score enhanced_composite_value enhancement_value "
        "enhancement_weight"
    ),
    "ml_feature_store": ("confidence_score data_quality_score"),
    "ml_predictions": (
        "absolute_error actual_value confidence_score current_price data_quality_score implied_return "
        "lower_bound predicted_value prediction_error probability_down probability_up squared_error "
        "std_error upper_bound"
    ),
}


def run(function: str) -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"SELECT {function}('{{{table}}}', '{{{','.join(columns.split())}}}')")


def upgrade() -> None:
    run("prove_checks")


def downgrade() -> None:
    run("unprove_checks")

-- description: Daily performance per tenant, symbol and user
--
-- The table holds what can be added up: counts, sums and a maximum. A ratio cannot be: two accuracies of 0.6 would
-- add up to 1.2. Every ratio is computed when it is read, by probabilistic_performance_daily.
CREATE TABLE probabilistic_performance_analytics
(
    date Date COMMENT 'day of the predictions, UTC',
    symbol LowCardinality(String) COMMENT 'instrument, as on its exchange',
    user_id UUID COMMENT 'user the predictions were for',

    total_predictions SimpleAggregateFunction(sum, UInt64) COMMENT 'predictions, count',
    successful_predictions SimpleAggregateFunction(sum, UInt64) COMMENT 'predictions that were right, count',

    confidence_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the confidences, each 0 to 1',
    uncertainty_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the uncertainties, each 0 to 1',
    calibration_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the calibration scores, each 0 to 1',

    return_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the returns, each a fraction',
    return_squared_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the squared returns, for the deviation',
    confidence_weighted_return_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of confidence times return',
    max_drawdown SimpleAggregateFunction(max, Float64) COMMENT 'worst loss from a peak, fraction 0 to 1',

    position_size_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the sizes, units of the instrument',
    risk_adjusted_return_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the risk-adjusted returns, fraction',
    uncertainty_penalty_total SimpleAggregateFunction(sum, Float64) COMMENT 'sum of the penalties, no unit',

    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',

    CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    CONSTRAINT chk_symbol CHECK symbol != '',
    CONSTRAINT chk_date CHECK date >= toDate('2000-01-01'),
    CONSTRAINT chk_predictions CHECK total_predictions > 0 AND successful_predictions <= total_predictions,
    CONSTRAINT chk_confidence_sum CHECK confidence_sum >= 0 AND confidence_sum <= total_predictions,
    CONSTRAINT chk_uncertainty_sum CHECK uncertainty_sum >= 0 AND uncertainty_sum <= total_predictions,
    CONSTRAINT chk_calibration_sum CHECK calibration_sum >= 0 AND calibration_sum <= total_predictions,
    CONSTRAINT chk_return_sum CHECK isFinite(return_sum),
    CONSTRAINT chk_return_squared_sum CHECK isFinite(return_squared_sum) AND return_squared_sum >= 0,
    CONSTRAINT chk_confidence_weighted_return_sum CHECK isFinite(confidence_weighted_return_sum),
    CONSTRAINT chk_max_drawdown CHECK max_drawdown >= 0 AND max_drawdown <= 1,
    CONSTRAINT chk_position_size_sum CHECK isFinite(position_size_sum),
    CONSTRAINT chk_risk_adjusted_return_sum CHECK isFinite(risk_adjusted_return_sum),
    CONSTRAINT chk_uncertainty_penalty_total
        CHECK isFinite(uncertainty_penalty_total) AND uncertainty_penalty_total >= 0
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(date)
ORDER BY (tenant_id, date, symbol, user_id)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Sums and counts of a day, added up by the engine; read through probabilistic_performance_daily';

-- The sharpe ratio is mean over deviation of the returns of single predictions, not annualised; NULL without deviation.
CREATE VIEW probabilistic_performance_daily AS
SELECT
    tenant_id,
    date,
    symbol,
    user_id,
    sum(total_predictions) AS predictions,
    sum(successful_predictions) AS successes,
    successes / predictions AS accuracy_rate,
    sum(confidence_sum) / predictions AS avg_confidence,
    sum(uncertainty_sum) / predictions AS avg_uncertainty,
    sum(calibration_sum) / predictions AS confidence_calibration,
    sum(return_sum) AS total_return,
    sum(confidence_weighted_return_sum) AS confidence_weighted_return,
    max(max_drawdown) AS worst_drawdown,
    sqrt(greatest(sum(return_squared_sum) / predictions - pow(total_return / predictions, 2), 0)) AS return_deviation,
    if(return_deviation > 0, total_return / predictions / return_deviation, NULL) AS sharpe_ratio,
    sum(position_size_sum) / predictions AS avg_position_size,
    sum(risk_adjusted_return_sum) AS risk_adjusted_return,
    sum(uncertainty_penalty_total) AS uncertainty_penalty
FROM probabilistic_performance_analytics
GROUP BY tenant_id, date, symbol, user_id
COMMENT 'Ratios of a day, from probabilistic_performance_analytics; rates 0 to 1, returns as fractions';

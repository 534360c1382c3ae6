"""Forty faults planted in each engine, without its constraints: the suite finds each one, and nothing in right rows.

The table of all of them is expected/probability_faults/planted_rows_are_all_found_and_right_rows_give_no_finding.txt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.expected import Expected
from tests.validate.platform import Platform
from tests.vfr.clickhouse.rows import ID
from tests.vfr.factories import postgres as factory

DECISIONS, METRICS, FEEDBACK = (
    "trading_decisions_probabilistic",
    "probability_metrics_realtime",
    "model_feedback_events",
)
NIL = "00000000-0000-0000-0000-000000000000"
FUTURE = "2099-01-01 00:00:00.000"
RECENT = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%d %H:%M:%S}.000"
Faults = list[tuple[str, dict[str, Any], str]]
"""Table, what is wrong with one row of it, the check that must find it."""
CLICKHOUSE: Faults = [
    (DECISIONS, {"aggregated_confidence": "nan"}, "confidence_out_of_range"),
    (DECISIONS, {"aggregated_confidence": -1e-9}, "confidence_out_of_range"),
    (DECISIONS, {"epistemic_uncertainty": 1.5}, "uncertainty_out_of_range"),
    (DECISIONS, {"aleatoric_uncertainty": "inf"}, "uncertainty_out_of_range"),
    (DECISIONS, {"epistemic_uncertainty": 0.7, "aleatoric_uncertainty": 0.7}, "uncertainty_sum_above_one"),
    (DECISIONS, {"indicator_probabilities": []}, "probability_metadata_missing"),
    (DECISIONS, {"ensemble_probability": "nan"}, "probability_metadata_missing"),
    (DECISIONS, {"indicator_probabilities": [["rsi", 0.5, 7, 0.7]]}, "indicator_out_of_range"),
    (
        DECISIONS,
        {"indicator_probabilities": [["rsi", 0.5, 0.5, 0.5], ["rsi", 0.6, 0.6, 0.6]]},
        "indicator_given_twice",
    ),
    (DECISIONS, {"indicator_probabilities": [["", 0.5, 0.5, 0.5]]}, "indicator_given_twice"),
    (DECISIONS, {"meta_validation_score": 1.0001}, "probability_out_of_range"),
    (DECISIONS, {"probability_success": -0.1}, "probability_out_of_range"),
    (DECISIONS, {"position_size": "nan"}, "figure_not_finite"),
    (DECISIONS, {"expected_return": "-inf"}, "figure_not_finite"),
    (DECISIONS, {"position_size": -100}, "figure_negative"),
    (DECISIONS, {"volatility_score": -0.1}, "figure_negative"),
    (DECISIONS, {"uncertainty_penalty": -0.1}, "figure_negative"),
    (DECISIONS, {"max_drawdown_estimate": 5}, "drawdown_out_of_range"),
    (DECISIONS, {"max_drawdown_estimate": "nan"}, "drawdown_out_of_range"),
    (DECISIONS, {"confidence_interval_lower": 0.5}, "interval_not_in_order"),
    (DECISIONS, {"confidence_interval_upper": "inf"}, "interval_not_in_order"),
    (DECISIONS, {"decision": "UNKNOWN"}, "decision_unknown"),
    (DECISIONS, {"symbol": ""}, "decision_without_name"),
    (DECISIONS, {"symbol": "  "}, "decision_without_name"),
    (DECISIONS, {"tenant_id": ""}, "decision_without_name"),
    (DECISIONS, {"tenant_id": "ACME Corp"}, "decision_without_name"),
    (DECISIONS, {"user_id": NIL}, "decision_without_name"),
    (DECISIONS, {"timestamp": FUTURE}, "decision_out_of_time"),
    (DECISIONS, {"timestamp": "1970-01-01 00:00:00.000"}, "decision_out_of_time"),
    (DECISIONS, {"id": ID.format(1), "timestamp": "2026-01-02 09:00:00.000"}, "decision_at_two_times"),
    (METRICS, {"timestamp": RECENT, "layer_confidence": 2}, "layer_out_of_range"),
    (METRICS, {"timestamp": RECENT, "layer_type": "UNKNOWN"}, "layer_unknown"),
    (METRICS, {"timestamp": RECENT, "symbol": ""}, "metric_without_name"),
    (METRICS, {"timestamp": FUTURE}, "metric_out_of_time"),
    (FEEDBACK, {"predicted_confidence": 1.5}, "feedback_confidence_out_of_range"),
    (FEEDBACK, {"confidence_calibration_error": -1}, "feedback_error_out_of_range"),
    (FEEDBACK, {"success": None}, "feedback_outcome_missing"),
    (FEEDBACK, {"timestamp": "2026-01-01 00:00:00.000"}, "feedback_before_prediction"),
    (FEEDBACK, {"timestamp": FUTURE}, "feedback_out_of_time"),
    (FEEDBACK, {"prediction_id": NIL}, "feedback_without_name"),
    (FEEDBACK, {"actual_direction": "UNKNOWN"}, "direction_unknown"),
    (FEEDBACK, {"impact_score": -1}, "feedback_figure_wrong"),
    (FEEDBACK, {"market_volatility": "nan"}, "feedback_figure_wrong"),
]
DECISION, MODEL, PREFERENCE, TRAINING = (
    "trading_decisions",
    "probabilistic_models",
    "user_probability_preferences",
    "model_training_history",
)
POSTGRES: Faults = [
    (DECISION, {"aggregated_confidence": "NaN"}, "confidence_out_of_range"),
    (DECISION, {"aggregated_confidence": "1.0001"}, "confidence_out_of_range"),
    (DECISION, {"uncertainty_score": "-0.0001"}, "uncertainty_out_of_range"),
    (DECISION, {"uncertainty_score": None}, "figures_not_computed"),
    (DECISION, {"probability_metadata": []}, "probability_metadata_missing"),
    (DECISION, {"probability_metadata": {}}, "probability_metadata_missing"),
    (DECISION, {"probability_metadata": '"text"'}, "probability_metadata_missing"),
    (DECISION, {"decision": "XXX"}, "decision_unknown"),
    (DECISION, {"decision": "buy"}, "decision_unknown"),
    (DECISION, {"position_size": "NaN"}, "size_out_of_range"),
    (DECISION, {"position_size": "-5"}, "size_out_of_range"),
    (DECISION, {"symbol": ""}, "decision_without_name"),
    (DECISION, {"symbol": "  "}, "decision_without_name"),
    (DECISION, {"tenant_id": ""}, "decision_without_name"),
    (DECISION, {"tenant_id": "ACME Corp"}, "decision_without_name"),
    (DECISION, {"decided_at": "2099-01-01Z"}, "decision_out_of_time"),
    (DECISION, {"decided_at": "infinity"}, "decision_out_of_time"),
    (DECISION, {"decided_at": "1970-01-01Z"}, "decision_out_of_time"),
    (DECISION, {"id": ID.format(1)}, "decision_given_twice"),
    (MODEL, {"accuracy": "1.5"}, "accuracy_out_of_range"),
    (MODEL, {"calibration_score": "NaN"}, "calibration_out_of_range"),
    (MODEL, {"brier_score": "-0.5"}, "brier_score_out_of_range"),
    (MODEL, {"sharpe_ratio": "NaN"}, "sharpe_not_a_number"),
    (MODEL, {"model_name": " "}, "model_without_name"),
    (MODEL, {"model_type": "oracle"}, "model_type_unknown"),
    (MODEL, {"uncertainty_method": "guess"}, "method_unknown"),
    (MODEL, {"status": "lost"}, "status_unknown"),
    (MODEL, {"deployment_environment": "laptop"}, "environment_unknown"),
    (MODEL, {"model_name": "twin", "tenant_id": None}, "model_given_twice"),
    (MODEL, {"model_name": "twin", "tenant_id": None}, "model_given_twice"),
    (MODEL, {"tenant_id": "nobody"}, "model_of_unknown_tenant"),
    (MODEL, {"last_trained": "2099-01-01Z"}, "model_out_of_time"),
    (PREFERENCE, {"user_id": ID.format(41), "risk_tolerance": "1.5"}, "preference_out_of_range"),
    (PREFERENCE, {"user_id": ID.format(42), "ensemble_method": "magic"}, "ensemble_method_unknown"),
    (PREFERENCE, {"user_id": ID.format(43), "feedback_frequency": "never"}, "feedback_frequency_unknown"),
    (PREFERENCE, {"user_id": ID.format(44), "indicator_weights": {"rsi": 2}}, "weights_out_of_range"),
    (PREFERENCE, {"user_id": ID.format(45), "preferred_indicators": "{rsi,rsi}"}, "preferred_indicator_given_twice"),
    (PREFERENCE, {"user_id": ID.format(46)}, "preferences_of_unknown_user"),
    (TRAINING, {"final_accuracy": "NaN"}, "final_figures_out_of_range"),
    (TRAINING, {"improvement_percentage": "-101"}, "improvement_out_of_range"),
    (TRAINING, {"status": "asleep"}, "training_status_unknown"),
    (TRAINING, {"completed_at": "2025-01-01Z"}, "training_not_in_order"),
    (TRAINING, {"duration_seconds": -1}, "training_not_in_order"),
    (TRAINING, {"test_data_size": -1}, "training_rows_negative"),
    (TRAINING, {"model_id": factory.PREDICTION}, "training_of_unknown_model"),
    (TRAINING, {}, "training_never_ended"),
]
# Right values at their very ends.
EDGES_CLICKHOUSE: list[tuple[str, dict[str, Any]]] = [
    (DECISIONS, {"aggregated_confidence": 0, "epistemic_uncertainty": 0, "aleatoric_uncertainty": 1, "symbol": "Ä"}),
    (DECISIONS, {"aggregated_confidence": 1, "max_drawdown_estimate": 1, "position_size": 0, "volatility_score": 0}),
    (DECISIONS, {"max_drawdown_estimate": 0, "confidence_interval_lower": 0, "confidence_interval_upper": 0}),
    (DECISIONS, {"timestamp": "2000-01-01 00:00:00.000", "tenant_id": "0" * 63, "uncertainty_penalty": 0}),
    (DECISIONS, {"timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000", "expected_return": -1}),
    (DECISIONS, {"indicator_probabilities": [["rsi", 0, 1, 0], ["RSI", 1, 0, 1]], "decision": "HOLD"}),
    (METRICS, {"timestamp": RECENT, "layer_confidence": 0, "layer_uncertainty": 1, "last_training_update": RECENT}),
    (FEEDBACK, {"predicted_confidence": 0, "impact_score": 0, "timestamp": "2026-01-02 03:04:05.678"}),
]
EDGES_POSTGRES: list[tuple[str, dict[str, Any]]] = [
    (DECISION, {"aggregated_confidence": "0", "uncertainty_score": "1", "position_size": None, "symbol": "Ä"}),
    (DECISION, {"aggregated_confidence": "1", "position_size": "0", "decided_at": "2000-01-01Z"}),
    (MODEL, {"model_name": "free", "tenant_id": None, "accuracy": "0", "brier_score": "1", "sharpe_ratio": "-3.2"}),
    (MODEL, {"model_name": "free", "tenant_id": "acme", "deployment_environment": "staging"}),
    (TRAINING, {"status": "completed", "completed_at": "2026-01-01T00:00:00Z", "duration_seconds": 0}),
    (TRAINING, {"status": "failed", "improvement_percentage": "-100", "training_data_size": 0}),
]
WHOLE = {"aggregated_confidence": "0.5", "uncertainty_score": "0.5", "probability_metadata": {"source": "test"}}


def right(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A right row of PostgreSQL with these values in it."""
    usual = {DECISION: WHOLE, TRAINING: {"model_id": None}}
    return {**usual.get(table, {}), **values}


def plant(platform: Platform, table: str, n: int, values: Mapping[str, Any]) -> None:
    key = {DECISIONS: "id", FEEDBACK: "feedback_id"}.get(table)
    platform.plant(table, **({key: f"00000000-0000-0000-0001-{n:012d}"} if key else {}) | dict(values))


def spoil(platform: Platform, faults: list[tuple[str, dict[str, Any]]]) -> None:
    """Insert rows into PostgreSQL, whatever keys and NOT NULL its tables have."""
    with platform.rows() as connection:
        [model] = connection.execute("select id from probabilistic_models limit 1").fetchone() or (None,)
        for n, (table, values) in enumerate(faults):
            row = right(table, values)
            if table == MODEL and "model_name" not in row:
                row["model_name"] = f"model {n}"
            if table == TRAINING and row["model_id"] is None:
                row["model_id"] = model
            factory.insert(connection, table, **row)


def in_clickhouse(platform: Platform) -> Mapping[str, Mapping[str, Any]]:
    """Plant the faults; what the suite found, by check."""
    for n, (table, values, _) in enumerate(CLICKHOUSE):
        plant(platform, table, n, values)
    return platform.validate("probability", "--sample", 50).found


def in_postgres(platform: Platform) -> Mapping[str, Mapping[str, Any]]:
    """Plant the faults, keys taken away for as long; what the suite found, by check."""
    twins = "uq_probabilistic_models_name_version_tenant"
    platform.sql("alter table trading_decisions drop constraint trading_decisions_pkey")
    platform.sql(f"alter table probabilistic_models drop constraint {twins}")
    try:
        spoil(platform, [(MODEL, {"model_name": "right"})])
        spoil(platform, [(table, values) for table, values, _ in POSTGRES])
        return platform.validate("probability", "--sample", 50).found
    finally:
        platform.clean()
        platform.sql("alter table trading_decisions add primary key (id)")
        unique = "unique nulls not distinct (model_name, version, tenant_id)"
        platform.sql(f"alter table probabilistic_models add constraint {twins} {unique}")


def lines(store: str, faults: Faults, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line a fault: what was planted, which check is to find it, and whether that counted all planted for it."""
    planted = Counter(check for _, _, check in faults)
    told = []
    for table, values, check in faults:
        named = ", ".join(f"{name}={value}" for name, value in values.items() if value != RECENT) or "as it is"
        state = "found" if found.get(check, {"bad": 0})["bad"] >= planted[check] else "MISSED"
        told.append(f"{store:<10}  {table:<31}  {check:<31}  {state:<6}  {named}")
    return told


def test_planted_rows_are_all_found_and_right_rows_give_no_finding(platform: Platform, expected: Expected) -> None:
    """Both engines in one table; `--force-regen` writes it anew, and the last assertions hold all the same."""
    clickhouse = lines("clickhouse", CLICKHOUSE, in_clickhouse(platform))
    platform.clean()
    postgres = lines("postgres", POSTGRES, in_postgres(platform))
    for n, (table, values) in enumerate(EDGES_CLICKHOUSE):
        plant(platform, table, n, values)
    spoil(platform, [(MODEL, {"model_name": "right"}), *EDGES_POSTGRES])
    clean = platform.validate("probability")

    ends = {"clickhouse": (clickhouse, EDGES_CLICKHOUSE), "postgres": (postgres, EDGES_POSTGRES)}
    totals = [
        f"{store:<10}  {len(told)} planted, {sum('  found  ' in each for each in told)} found;"
        f" {len(edges)} right rows at the ends of what is right"
        for store, (told, edges) in ends.items()
    ]
    expected("\n".join([*clickhouse, *postgres, "", *totals, f"findings in right rows: {len(clean.found)}"]) + "\n")
    assert [each for each in (*clickhouse, *postgres) if "MISSED" in each] == []
    assert min(len(clickhouse), len(postgres)) >= 40
    assert (clean.found, clean.code) == ({}, 0)
    assert {each["status"] for each in clean.json["results"]} == {"pass"}

"""The seed's own statements in use, beside the shipped ones: what goes wrong there and not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import FailedError

from .engine import UPS, Database
from .rows import DECISION, FEEDBACK, GOOD, ID, METRIC, PERFORMANCE, insert

SEED = Path(__file__).parent / "seed"
DECISIONS = "trading_decisions_probabilistic"
TENANTS = (
    "INSERT INTO {table} (tenant_id, timestamp) SELECT concat('t', toString(number)), '2026-01-02' FROM numbers({n})"
)


@pytest.fixture
def seed(database: Database) -> Database:
    views = [SEED / f"{name}.sql" for name in ("confidence_monitoring_mv", "model_performance_mv")]
    for path in [*sorted(set(SEED.glob("*.sql")) - set(views)), *views]:
        database.run_file(path)
    return database


def count(database: Database, table: str, where: str = "1") -> object:
    return database.one(f"SELECT count() FROM {database.name}.{table} WHERE {where}")


def refused(database: Database, table: str, row: dict[str, object]) -> str:
    with pytest.raises(FailedError) as caught:
        insert(database, table, row)
    return caught.value.what.split(" DB::")[0]


def test_ratios_seed_adds_them_up(seed: Database) -> None:
    table = "probabilistic_performance_analytics"
    for accuracy, sharpe in ((0.7, 1.5), (0.5, 1.1)):
        insert(seed, table, {"date": "2026-01-02", "symbol": "B", "accuracy_rate": accuracy, "sharpe_ratio": sharpe})
    seed.run(f"OPTIMIZE TABLE {table} FINAL")
    found = seed.rows(f"SELECT round(accuracy_rate, 6), round(sharpe_ratio, 6) FROM {seed.name}.{table}")
    assert found == [(1.2, 2.6)]


def test_ratios_are_computed_from_sums_when_read(migrated: Database) -> None:
    table = "probabilistic_performance_analytics"
    insert(migrated, table, PERFORMANCE)
    second = {"total_predictions": 20, "successful_predictions": 10, "confidence_sum": 12, "max_drawdown": 0.2}
    insert(migrated, table, PERFORMANCE | second)
    migrated.run(f"OPTIMIZE TABLE {table} FINAL")
    columns = "predictions, round(accuracy_rate, 3), round(avg_confidence, 3), worst_drawdown, round(total_return, 3)"
    found = migrated.rows(f"SELECT {columns} FROM {migrated.name}.probabilistic_performance_daily")
    assert [tuple(map(float, row)) for row in found] == [(30, 0.567, 0.667, 0.2, 0.1)]
    assert count(migrated, table) == 1


def test_zero_rows_seed_loses_them(seed: Database) -> None:
    insert(seed, "probabilistic_performance_analytics", {"date": "2026-01-02", "symbol": "B"})
    assert count(seed, "probabilistic_performance_analytics") == 0


def test_zero_returns_are_kept(migrated: Database) -> None:
    table = "probabilistic_performance_analytics"
    zero = {key: 0 for key in PERFORMANCE if key.endswith(("_sum", "_total", "drawdown"))}
    insert(migrated, table, PERFORMANCE | zero | {"successful_predictions": 0})
    migrated.run(f"OPTIMIZE TABLE {table} FINAL")
    assert count(migrated, table) == 1


def test_tenants_seed_refuses_an_insert_that_spans_many(seed: Database) -> None:
    with pytest.raises(FailedError, match="Code: 252"):
        seed.run(TENANTS.format(table=DECISIONS, n=120))


def test_tenants_five_thousand_in_one_insert_make_one_partition(migrated: Database) -> None:
    keys = [key for key in DECISION if key not in ("id", "tenant_id")]
    insert(migrated, DECISIONS, DECISION)
    migrated.run(
        f"INSERT INTO {DECISIONS} (id, tenant_id, {', '.join(keys)})"
        " SELECT generateUUIDv4(), concat('t', toString(number)),"
        f" {', '.join(keys)} FROM {DECISIONS} CROSS JOIN numbers(5000) AS n"
    )
    parts = f"SELECT uniqExact(partition) FROM system.parts WHERE active AND database = '{migrated.name}' AND table = "
    assert count(migrated, DECISIONS) == 5001
    assert [migrated.one(f"{parts}'{table}'") for table in (DECISIONS, "confidence_monitoring")] == [1, 1]


def test_ttl_seed_is_on_a_datetime64_which_older_servers_refuse(seed: Database) -> None:
    definition = seed.schema()["probability_metrics_realtime"]
    assert "`timestamp` DateTime64(3)" in definition
    assert "TTL timestamp + " in definition


def test_ttl_old_rows_go_by_whole_parts(migrated: Database) -> None:
    table = "probability_metrics_realtime"
    definition = migrated.schema()[table]
    assert "PARTITION BY toYYYYMMDD(timestamp)" in definition
    assert "TTL toDateTime(timestamp) + toIntervalDay(30)" in definition
    assert "ttl_only_drop_parts = 1" in definition
    insert(migrated, table, METRIC | {"timestamp": "2020-01-02 00:00:00.000"})
    insert(migrated, table, METRIC | {"timestamp": str(migrated.one("SELECT toString(now64(3, 'UTC'))"))})
    migrated.run(f"OPTIMIZE TABLE {table} FINAL")
    assert count(migrated, table) == 1


def test_views_seed_loses_the_rows_with_the_view(seed: Database) -> None:
    assert ".inner" in seed.schema()
    seed.run("DROP VIEW confidence_monitoring_mv SYNC; DROP VIEW model_performance_mv SYNC")
    assert ".inner" not in seed.schema()


def test_views_rows_outlive_the_view_and_read_plainly(migrated: Database) -> None:
    insert(migrated, DECISIONS, DECISION)
    migrated.run("DROP VIEW confidence_monitoring_mv SYNC")
    found = migrated.rows(
        f"SELECT sum(confidence_sum) / sum(prediction_count) FROM {migrated.name}.confidence_monitoring"
    )
    assert found == [(0.6,)]


def test_models_seed_counts_two_versions_twice_and_loses_rows_without_a_model(seed: Database) -> None:
    for versions in ([["m1", "1"], ["m1", "2"]], []):
        insert(seed, DECISIONS, DECISION | {"model_versions": versions})
    found = seed.rows(f"SELECT model_name, countMerge(usage_count) FROM {seed.name}.model_performance_mv GROUP BY 1")
    assert found == [("m1", 2)]


def test_models_are_counted_per_version_and_once_each(migrated: Database) -> None:
    insert(migrated, DECISIONS, DECISION | {"model_versions": [["m1", "1"], ["m1", "2"], ["m1", "2"]]})
    insert(migrated, DECISIONS, DECISION | {"id": ID.format(3), "model_versions": []})
    found = migrated.rows(
        f"SELECT model_name, model_version, sum(usage_count) FROM {migrated.name}.model_performance"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert found == [("", "", 1), ("m1", "1", 1), ("m1", "2", 1)]


def test_omitted_decision_seed_stores_a_buy(seed: Database) -> None:
    insert(seed, DECISIONS, {"symbol": "BTC"})
    assert seed.one(f"SELECT decision FROM {seed.name}.{DECISIONS}") == "BUY"


@pytest.mark.parametrize("table", GOOD)
def test_omitted_column_is_refused_where_it_would_be_made_up(migrated: Database, table: str) -> None:
    for column in GOOD[table]:
        rest = {key: value for key, value in GOOD[table].items() if key != column}
        assert refused(migrated, table, rest) == "Code: 469.", column
    insert(migrated, table, GOOD[table])
    assert count(migrated, table) == 1


def test_empty_list_is_stored_where_it_is_written(migrated: Database) -> None:
    insert(migrated, DECISIONS, DECISION | {"indicator_probabilities": [], "model_versions": []})
    insert(migrated, "model_feedback_events", FEEDBACK | {"models_updated": []})
    assert (count(migrated, DECISIONS), count(migrated, "model_performance", "model_name = ''")) == (1, 1)


def test_rows_from_before_stay(database: Database) -> None:
    for path in UPS[:7]:
        database.run_file(path)
    old = {key: value for key, value in DECISION.items() if key not in ("risk_level", "model_versions", "user_id")}
    insert(database, DECISIONS, old | {"tenant_id": "ACME Corp", "position_size": -100})
    for path in UPS[7:]:
        database.run_file(path)
    database.run(f"OPTIMIZE TABLE {DECISIONS} FINAL")
    found = database.rows(f"SELECT tenant_id, position_size, model_versions FROM {database.name}.{DECISIONS}")
    assert found == [("ACME Corp", -100, [])]


def test_layers_seed_has_no_adaptive_one(seed: Database) -> None:
    with pytest.raises(FailedError, match="adaptive"):
        insert(seed, "probability_metrics_realtime", METRIC)


def test_layers_adaptive_is_stored(migrated: Database) -> None:
    insert(migrated, "probability_metrics_realtime", METRIC)
    assert count(migrated, "probability_metrics_realtime", "layer_type = 'adaptive'") == 1


def test_repetition_seed_stores_and_counts_it_twice(seed: Database) -> None:
    for _ in range(2):
        insert(seed, DECISIONS, DECISION)
    counted = seed.one(f"SELECT countMerge(prediction_count) FROM {seed.name}.confidence_monitoring_mv")
    assert (count(seed, DECISIONS), counted) == (2, 2)


def test_repetition_is_dropped_in_the_table_and_in_both_views(migrated: Database) -> None:
    for _ in range(2):
        insert(migrated, DECISIONS, DECISION)
    counted = migrated.one(f"SELECT sum(prediction_count) FROM {migrated.name}.confidence_monitoring")
    used = migrated.one(f"SELECT sum(usage_count) FROM {migrated.name}.model_performance")
    assert (count(migrated, DECISIONS), counted, used) == (1, 1, 1)


def test_repetition_in_another_insert_is_one_row_when_read_with_final(migrated: Database) -> None:
    insert(migrated, DECISIONS, DECISION)
    insert(migrated, DECISIONS, DECISION | {"risk_level": "high"})
    assert migrated.rows(f"SELECT risk_level FROM {migrated.name}.{DECISIONS} FINAL") == [("high",)]


OF_ALL: dict[str, list[object]] = {
    "tenant_id": ["", "ACME Corp", "-acme", "acme\n", "a" * 64],
    "symbol": ["", "btc", "BTC ", "B TC"],
    "user_id": ["00000000-0000-0000-0000-000000000000"],
}
BAD: dict[str, dict[str, list[object]]] = {
    DECISIONS: {
        **{
            column: ["nan", "inf", -0.1, 1.1]
            for column in (
                *("ensemble_probability", "meta_validation_score", "aggregated_confidence", "epistemic_uncertainty"),
                *("aleatoric_uncertainty", "consensus_strength", "divergence_score", "probability_success"),
                "max_drawdown_estimate",
            )
        },
        "indicator_probabilities": [[["rsi", 1.1, 0.5, 0.5]], [["a", 0.5, 0.5, 0.5], ["b", 0.5, 0.5, "nan"]]],
        **{column: ["nan", "inf", -100] for column in ("position_size", "confidence_adjusted_size")},
        "expected_return": ["nan", "inf"],
        **{column: ["nan", "inf", -1] for column in ("uncertainty_penalty", "volatility_score")},
        "confidence_interval_lower": ["nan", 0.04],
        "decision": ["UNKNOWN"],
        **OF_ALL,
        "timestamp": ["1999-12-31 00:00:00.000", "2099-01-01 00:00:00.000"],
        "model_versions": [[["m1", ""]], [["", "1"]]],
    },
    "probability_metrics_realtime": {
        **{
            column: ["nan", -0.1, 1.1]
            for column in ("layer_confidence", "layer_uncertainty", "prediction_accuracy", "calibration_score")
        },
        **OF_ALL,
        "timestamp": ["2099-01-01 00:00:00.000"],
        "service_name": [""],
    },
    "model_feedback_events": {
        **OF_ALL,
        "predicted_confidence": ["nan", 1.1],
        "actual_return": ["inf"],
        "prediction_error": ["nan"],
        "actual_direction": ["UNKNOWN"],
        "timestamp": ["2026-01-01 00:00:00.000", "2099-01-01 00:00:00.000"],
        "models_updated": [["m1", ""]],
    },
    "probabilistic_performance_analytics": {
        **OF_ALL,
        "date": ["1999-12-31", "2099-01-01"],
        "position_size_sum": ["nan", -1],
        "successful_predictions": [11],
        "confidence_sum": ["nan", 10.1],
        "return_sum": ["inf"],
        "max_drawdown": ["nan", 1.1],
    },
}
SPOILED = [(table, column, value) for table, columns in BAD.items() for column, vs in columns.items() for value in vs]


@pytest.mark.parametrize("table", BAD)
def test_bad_value_is_refused(migrated: Database, table: str) -> None:
    for column, value in [(column, value) for name, column, value in SPOILED if name == table]:
        assert refused(migrated, table, GOOD[table] | {column: value}) == "Code: 469.", f"{column} = {value}"
    assert count(migrated, table) == 0


def test_bad_value_seed_stores_it_and_its_check_does_not_see_it(seed: Database) -> None:
    insert(seed, DECISIONS, DECISION | {"aggregated_confidence": "nan"})
    bad = "aggregated_confidence < 0 OR aggregated_confidence > 1"
    assert (count(seed, DECISIONS), count(seed, DECISIONS, bad)) == (1, 0)


def test_feedback_seed_cannot_find_its_decision_by_key(seed: Database) -> None:
    assert "prediction_timestamp" not in seed.schema()["model_feedback_events"]
    assert "bloom_filter" not in seed.schema()[DECISIONS]


def test_feedback_finds_its_decision_by_key_and_by_index(migrated: Database) -> None:
    insert(migrated, DECISIONS, DECISION)
    insert(migrated, "model_feedback_events", FEEDBACK)
    joined = (
        "SELECT count() FROM {0}.model_feedback_events AS f JOIN {0}.trading_decisions_probabilistic AS d"
        " ON d.tenant_id = f.tenant_id AND d.symbol = f.symbol AND d.timestamp = f.prediction_timestamp"
        " AND d.id = f.prediction_id"
    )
    assert migrated.one(joined.format(migrated.name)) == 1
    plan = migrated.rows(f"EXPLAIN indexes = 1 SELECT * FROM {migrated.name}.{DECISIONS} WHERE id = '{ID.format(1)}'")
    assert any("idx_prob_decisions_id" in str(line) for (line,) in plan)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("aggregated_confidence > 0.99", "idx_prob_decisions_confidence_time"),
        ("symbol = 'ETH'", "idx_prob_decisions_symbol"),
        ("epistemic_uncertainty > 0.9", "idx_prob_decisions_uncertainty"),
    ],
)
def test_skip_index_is_used(migrated: Database, where: str, index: str) -> None:
    insert(migrated, DECISIONS, DECISION)
    plan = migrated.rows(f"EXPLAIN indexes = 1 SELECT * FROM {migrated.name}.{DECISIONS} WHERE {where}")
    assert any(index in str(line) for (line,) in plan)


def test_second_run_is_refused_and_changes_nothing(migrated: Database) -> None:
    before = migrated.schema()
    with pytest.raises(FailedError, match="Code: 57"):
        migrated.up()
    assert migrated.schema() == before

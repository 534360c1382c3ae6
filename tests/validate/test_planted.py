"""What is planted is found, with the right rows; good rows give no finding."""

from __future__ import annotations

import pytest

from tests.validate.platform import Platform
from tests.vfr.clickhouse.rows import ID
from tests.vfr.factories import postgres as factory

SUITES = ("probability", "features", "predictions", "models", "backtesting", "cross_store")
DECISIONS = "trading_decisions_probabilistic"
BAD = ID.format(66)


@pytest.mark.parametrize("suite", SUITES)
def test_shipped_suite_finds_nothing_in_good_rows(platform: Platform, suite: str) -> None:
    ran = platform.validate(suite)

    assert (ran.found, ran.code, ran.err) == ({}, 0, "")


@pytest.mark.parametrize(
    ("column", "value", "shown", "check"),
    [
        ("aggregated_confidence", "nan", "NaN", "confidence_out_of_range"),
        ("aggregated_confidence", "inf", "Infinity", "confidence_out_of_range"),
        ("aggregated_confidence", -0.5, -0.5, "confidence_out_of_range"),
        ("aggregated_confidence", 1.0001, 1.0001, "confidence_out_of_range"),
        ("epistemic_uncertainty", -0.5, -0.5, "uncertainty_out_of_range"),
        ("ensemble_probability", "nan", "NaN", "probability_metadata_missing"),
        ("ensemble_probability", 1.0001, 1.0001, "probability_out_of_range"),
        ("indicator_probabilities", [], [], "probability_metadata_missing"),
        ("indicator_probabilities", [["rsi", 0.5, 7, 0.7]], [["rsi", 0.5, 7.0, 0.7]], "indicator_out_of_range"),
        ("indicator_probabilities", [["a", 0.5, 0.5, "nan"]], [["a", 0.5, 0.5, "NaN"]], "indicator_out_of_range"),
        ("expected_return", "inf", "Infinity", "figure_not_finite"),
        ("decision", "UNKNOWN", "UNKNOWN", "decision_unknown"),
    ],
)
def test_bad_row_of_clickhouse_is_found_and_shown(
    platform: Platform, column: str, value: object, shown: object, check: str
) -> None:
    platform.plant(DECISIONS, id=BAD, **{column: value})

    found = platform.validate("probability").found

    assert list(found) == [check]
    assert (found[check]["bad"], found[check]["total"], found[check]["store"]) == (1, 2, "clickhouse")
    [sample] = found[check]["samples"]
    assert (sample["id"], sample[column]) == (BAD, shown)


@pytest.mark.parametrize(
    ("column", "value", "shown", "check"),
    [
        ("aggregated_confidence", "NaN", "NaN", "confidence_out_of_range"),
        ("aggregated_confidence", "-0.5", -0.5, "confidence_out_of_range"),
        ("aggregated_confidence", "1.0001", 1.0001, "confidence_out_of_range"),
        ("uncertainty_score", "NaN", "NaN", "uncertainty_out_of_range"),
    ],
)
def test_bad_row_of_postgres_is_found_and_shown(
    platform: Platform, column: str, value: str, shown: object, check: str
) -> None:
    platform.sql(f"update trading_decisions set {column} = '{value}'")

    found = platform.validate("probability").found

    # NaN is missing and out of range.
    assert check in found
    assert found.keys() <= {check, "figures_not_computed"}
    [sample] = found[check]["samples"]
    assert sample[column] == shown


def test_null_where_it_is_allowed_is_no_range_error_but_not_computed(platform: Platform) -> None:
    platform.sql("update trading_decisions set aggregated_confidence = null, probability_metadata = null")

    ran = platform.validate("probability")

    assert ran.found.keys() == {"figures_not_computed", "probability_metadata_missing"}
    assert ran.code == 0  # both matter less than high
    assert platform.validate("probability", "--fail-on", "medium").code == 1


def test_null_preference_is_bad(platform: Platform) -> None:
    platform.sql("alter table user_probability_preferences alter risk_tolerance drop not null")
    platform.sql("update user_probability_preferences set risk_tolerance = null")

    found = platform.validate("probability").found

    assert list(found) == ["preference_out_of_range"]
    assert found["preference_out_of_range"]["samples"][0]["risk_tolerance"] is None


def test_same_decision_twice_is_low(platform: Platform) -> None:
    platform.plant(DECISIONS, symbol="ETH", id=BAD)
    platform.ch(f"SYSTEM STOP MERGES {DECISIONS}")
    platform.ch(
        f"INSERT INTO {DECISIONS} SETTINGS insert_deduplicate = 0 SELECT * FROM {DECISIONS} WHERE symbol = 'ETH'"
    )

    ran = platform.validate("probability")

    assert list(ran.found) == ["decision_given_twice"], ran.found
    assert (ran.code, list(ran.found)) == (0, ["decision_given_twice"])
    assert (ran.found["decision_given_twice"]["bad"], ran.found["decision_given_twice"]["total"]) == (2, 3)


def test_features_bad_rows(platform: Platform) -> None:
    with platform.rows() as connection:
        for ticker, values in {
            "NAN": {"value": "NaN"},
            "NONE": {"value": None},
            "HIGH": {"confidence_score": "1.0001"},
            "LOST": {"feature_id": factory.PIPELINE},
        }.items():
            factory.insert(connection, "ml_feature_store", ticker=ticker, **values)

    found = platform.validate("features").found

    assert {name: [row["ticker"] for row in each["samples"]] for name, each in found.items()} == {
        "value_not_a_number": ["NAN", "NONE"],
        "confidence_out_of_range": ["HIGH"],
        "feature_unknown": ["LOST"],
    }


def test_feedback_without_decision_in_the_same_store(platform: Platform) -> None:
    platform.plant("model_feedback_events", prediction_id=BAD)

    found = platform.validate("cross_store").found

    assert list(found) == ["feedback_without_decision"]
    assert found["feedback_without_decision"]["samples"][0]["prediction_id"] == BAD


def test_reference_across_stores_names_the_orphans(platform: Platform) -> None:
    platform.plant(DECISIONS, id=BAD, tenant_id="nobody")

    found = platform.validate("cross_store", "--only", "decision_of_unknown_*").found

    assert found["decision_of_unknown_tenant"]["samples"] == [{"tenant_id": "nobody", "rows": 1}]
    assert found["decision_of_unknown_user"]["samples"] == [{"tenant_id": "nobody", "user_id": ID.format(9), "rows": 1}]


def test_row_changed_in_one_store_is_reported(platform: Platform) -> None:
    platform.sql("update trading_decisions set aggregated_confidence = 0.6001, symbol = 'ETH'")

    found = platform.validate("cross_store").found

    assert list(found) == ["decision_differs"]
    assert found["decision_differs"]["samples"] == [
        {
            "id": ID.format(1),
            "symbol": {"here": "BTC", "there": "ETH"},
            "aggregated_confidence": {"here": 0.6, "there": 0.6001},
        }
    ]


def test_row_of_one_store_only_is_reported(platform: Platform) -> None:
    platform.sql("delete from trading_decisions")
    with platform.rows() as connection:
        factory.insert(connection, "trading_decisions", id=BAD)

    found = platform.validate("cross_store", "--only", "decision_differs").found

    assert found["decision_differs"]["bad"] == 2
    assert sorted(found["decision_differs"]["samples"], key=str) == [
        {"id": ID.format(1), "missing": "there"},
        {"id": BAD, "missing": "here"},
    ]

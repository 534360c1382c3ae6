"""Defects 51 to 57 of the design document: what its statements do on a real server, and what the shipped ones do.

The document's statements are kept as it has them; the numbers are those of docs/seed-defects.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import Step, StoreOptions
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.moves import up
from tests.stores.influx.raw import Raw

ROOT = Path(__file__).parents[3]
POLICY = 'CREATE RETENTION POLICY "{}" ON "vfr_ml" DURATION {} REPLICATION 1'
FEATURES = """\
CREATE CONTINUOUS QUERY "downsample_features_1m" ON "vfr_ml" BEGIN SELECT last(value) as value, mean(confidence) as
avg_confidence, min(quality_score) as min_quality, sum(calculation_time_ms) as total_calc_time INTO
"minute_data"."features_1m" FROM "real_time"."real_time_features" GROUP BY time(1m), ticker, feature_name, source END"""
PREDICTIONS = """\
CREATE CONTINUOUS QUERY "downsample_predictions_1h" ON "vfr_ml" BEGIN SELECT last(predicted_value) as predicted_value,
mean(confidence_score) as avg_confidence, count(prediction_id) as prediction_count, mean(execution_time_ms) as
avg_latency INTO "hourly_data"."predictions_1h" FROM "minute_data"."predictions_1m" GROUP BY time(1h), ticker, model_id,
prediction_horizon END"""
ACCURACY = """\
CREATE CONTINUOUS QUERY "calculate_prediction_accuracy" ON "vfr_ml" BEGIN SELECT mean(abs_error) as mae,
sqrt(mean(squared_error)) as rmse, sum(direction_correct) / count(*) as direction_accuracy INTO
"daily_data"."model_performance_daily" FROM "hourly_data"."predictions_1h" WHERE actual_value IS NOT NULL
GROUP BY time(1d), model_id, prediction_horizon END"""


@pytest.fixture
def shipped(influx_1: str, raw: Raw) -> Iterator[InfluxStore]:
    """The shipped documents, none carried out."""
    assert raw.databases() == []
    store = build(StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT))
    assert isinstance(store, InfluxStore)
    store.open(influx_1)
    store.ledger.create()
    yield store
    store.close()


def all_up(store: InfluxStore) -> None:
    for number in range(1, len(store.revisions()) + 1):
        up(store, number)


def seed_tiers(raw: Raw) -> None:
    raw.ask("CREATE DATABASE vfr_ml")
    for name, duration in (
        ("real_time", "24h"),
        ("minute_data", "30d"),
        ("hourly_data", "90d"),
        ("daily_data", "2555d"),
    ):
        raw.ask(POLICY.format(name, duration))


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(AssertionError) as caught:
        ask()
    return str(caught.value)


def test_51_database_is_missing_and_is_made_first(shipped: InfluxStore, raw: Raw) -> None:
    assert refused(lambda: raw.ask(POLICY.format("real_time", "24h"))).endswith("database not found: vfr_ml")

    up(shipped, 1)

    assert raw.databases() == ["provision_vfr", "vfr_ml"]


def test_52_accuracy_is_rejected_and_is_sums_by_counts(shipped: InfluxStore, raw: Raw) -> None:
    seed_tiers(raw)
    assert "error parsing query: found actual_value, expected GROUP BY time(...)" in refused(lambda: raw.ask(ACCURACY))
    raw.wipe()
    shipped.ledger.create()

    all_up(shipped)

    accuracy = raw.queries("vfr_ml")["calculate_prediction_accuracy"]
    assert "sum(sum_abs_error) / sum(n_actual) AS mae" in accuracy
    assert "sum(sum_squared_error) / sum(n_actual) AS mse" in accuracy
    assert "sum(n_direction_correct) / sum(n_direction_total) AS direction_accuracy" in accuracy


def test_53_chain_has_no_gap(shipped: InfluxStore, raw: Raw) -> None:
    all_up(shipped)
    ends = [re.search(r"INTO vfr_ml\.(\S+) FROM vfr_ml\.(\S+) ", text) for text in raw.queries("vfr_ml").values()]
    chain = {each[2]: each[1] for each in ends if each is not None}

    assert chain == {
        "real_time.real_time_features": "minute_data.features_1m",
        "real_time.predictions": "minute_data.predictions_1m",
        "minute_data.predictions_1m": "hourly_data.predictions_1h",
        "hourly_data.predictions_1h": "daily_data.model_performance_daily",
    }


def test_54_predictions_are_counted_by_a_field(shipped: InfluxStore, raw: Raw) -> None:
    seed_tiers(raw)
    now = int(time.time())
    raw.write("vfr_ml", [f"predictions_1m,prediction_id=p1 predicted_value=1 {now}"], "minute_data")
    assert raw.ask("SELECT count(prediction_id) FROM vfr_ml.minute_data.predictions_1m") == []
    raw.wipe()
    shipped.ledger.create()

    all_up(shipped)

    assert "count(predicted_value) AS n_predictions" in raw.queries("vfr_ml")["downsample_predictions_1m"]


def test_55_points_without_a_tier_reach_the_rollups_and_late_ones_are_counted(shipped: InfluxStore, raw: Raw) -> None:
    seed_tiers(raw)
    assert [name for name, (_, _, default) in raw.tiers("vfr_ml").items() if default] == ["autogen"]
    raw.ask(FEATURES)
    assert "RESAMPLE" not in raw.queries("vfr_ml")["downsample_features_1m"]
    raw.wipe()
    shipped.ledger.create()

    all_up(shipped)

    assert [name for name, (_, _, default) in raw.tiers("vfr_ml").items() if default] == ["real_time"]
    assert raw.tiers("vfr_ml")["daily_data"][0] == f"{2557 * 24}h0m0s"
    spans = {
        name: re.search(r"RESAMPLE (?:EVERY \S+ )?FOR (\S+)", text) for name, text in raw.queries("vfr_ml").items()
    }
    assert {name: span and span[1] for name, span in spans.items()} == {
        "downsample_features_1m": "11m",
        "downsample_features_1m_late": "1410m",
        "downsample_predictions_1m": "11m",
        "downsample_predictions_1m_late": "1410m",
        "downsample_predictions_1h": "25h",
        "calculate_prediction_accuracy": "3d",
    }


def test_56_models_are_kept_apart(shipped: InfluxStore, raw: Raw) -> None:
    points = [f"real_time_features,ticker=A,feature_name=f,source=s,model_id={model} value=1 100" for model in "ab"]
    seed_tiers(raw)
    raw.write("vfr_ml", points, "autogen")
    by_seed = "ticker, feature_name, source"
    assert len(raw.ask(f"SELECT last(value) FROM vfr_ml.autogen.real_time_features GROUP BY {by_seed}")) == 1
    raw.wipe()
    shipped.ledger.create()

    all_up(shipped)

    tags = re.search(r"GROUP BY time\(1m\), (.*) fill", raw.queries("vfr_ml")["downsample_features_1m"])
    assert tags is not None
    assert tags[1] == f"{by_seed}, model_id"
    raw.write("vfr_ml", points, "autogen")
    assert len(raw.ask(f"SELECT last(value) FROM vfr_ml.autogen.real_time_features GROUP BY {tags[1]}")) == 2


def test_57_one_document_is_for_both_versions() -> None:
    for extra, word in (({}, "CREATE RETENTION POLICY"), ({"org": "vfr"}, "POST /api/v2/buckets")):
        store = build(StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT, extra))
        (described,) = store.describe([Step(store.revisions()[1])])
        assert described.statements is not None
        assert all(each.startswith(word) for each in described.statements)


def test_seed_predictions_read_what_nothing_writes(shipped: InfluxStore, raw: Raw) -> None:
    seed_tiers(raw)
    raw.ask(PREDICTIONS)
    assert "FROM vfr_ml.minute_data.predictions_1m" in raw.queries("vfr_ml")["downsample_predictions_1h"]
    raw.ask(FEATURES)
    assert not any("INTO vfr_ml.minute_data.predictions_1m" in text for text in raw.queries("vfr_ml").values())
    raw.wipe()
    shipped.ledger.create()

    all_up(shipped)

    assert any("INTO vfr_ml.minute_data.predictions_1m" in text for text in raw.queries("vfr_ml").values())

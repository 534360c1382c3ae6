"""Points of real servers, InfluxDB 1.6 and 2.7, against the shipped suite."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.model.checks import Check, Scope, Table
from tests.servers.databases import WORD
from tests.stores.influx.api import Api
from tests.stores.influx.raw import Raw
from tests.validate.other_stores import Single, make

_NUMBERS = count(1)
MINUTE, HOUR, DAY = 60, 3600, 86400
# Set by `_times`: each so long ago that it is past its grace, and inside its tiers.
NOW = MINUTE_AGO = HOUR_AGO = DAY_AGO = 0
MADE = "predictions,ticker=BAD,model_id=m1"


@pytest.fixture(autouse=True)
def _times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of this test: the module may have been read an hour ago, and its checks look at the clock."""
    now = int(time.time())
    monkeypatch.setitem(globals(), "NOW", now)
    monkeypatch.setitem(globals(), "MINUTE_AGO", now // MINUTE * MINUTE - 30 * MINUTE)
    monkeypatch.setitem(globals(), "HOUR_AGO", now // HOUR * HOUR - 5 * HOUR)
    monkeypatch.setitem(globals(), "DAY_AGO", now // DAY * DAY - 4 * DAY)


@dataclass(frozen=True)
class Series:
    """A project, and how points get into its tiers past it."""

    project: Single
    write: Callable[[str, str], None]
    keys: Mapping[str, str]

    def put(self, tier: str, *lines: str) -> None:
        self.write(tier, "\n".join(lines))

    def found(self, *options: str) -> dict[str, object]:
        return dict(self.project.validate("timeseries", *options).found)


@pytest.fixture
def of_1(influx_1: str, tmp_path: Path) -> Iterator[Series]:
    raw = Raw(influx_1)
    raw.wipe()
    yield Series(
        make(tmp_path, "influx", {"url": influx_1}, "timeseries"),
        lambda tier, lines: raw.write("vfr_ml", lines.split("\n"), tier),
        {"url": influx_1},
    )
    raw.wipe()


@pytest.fixture
def of_2(influx_2: str, tmp_path: Path) -> Iterator[Series]:
    keys, api = {"url": influx_2, "token": WORD, "org": "vfr"}, Api(influx_2)
    api.wipe()
    yield Series(
        make(tmp_path, "influx", keys, "timeseries"),
        lambda tier, lines: api.ask("POST", f"/api/v2/write?org=vfr&bucket=vfr_ml%2F{tier}&precision=s", lines),
        keys,
    )
    api.wipe()


@pytest.fixture(params=["of_1", "of_2"])
def series(request: pytest.FixtureRequest) -> Series:
    """The shipped tiers with good points: a feature and a prediction with every rollup of them."""
    made: Series = request.getfixturevalue(request.param)
    made.project.up()
    made.put(
        "real_time",
        f"real_time_features,ticker=AAPL,feature_name=rsi,source=s value=1,confidence=0.5,quality_score=1 {MINUTE_AGO}",
        f"predictions,ticker=AAPL,model_id=m1,prediction_horizon=1d confidence_score=0.5 {MINUTE_AGO + 5}",
        f"predictions,ticker=AAPL,model_id=m1,prediction_horizon=1d abs_error=0.1,direction_correct=1i {MINUTE_AGO}",
    )
    made.put(
        "minute_data",
        f"features_1m,ticker=AAPL,feature_name=rsi,source=s value=1,avg_confidence=0.5 {MINUTE_AGO}",
        f"predictions_1m,ticker=AAPL,model_id=m1,prediction_horizon=1d n_predictions=1i {MINUTE_AGO}",
        f"predictions_1m,ticker=AAPL,model_id=m1,prediction_horizon=1d n_predictions=1i {HOUR_AGO}",
    )
    made.put(
        "hourly_data",
        f"predictions_1h,ticker=AAPL,model_id=m1,prediction_horizon=1d n_predictions=1i {HOUR_AGO}",
        f"predictions_1h,ticker=AAPL,model_id=m1,prediction_horizon=1d n_predictions=1i {DAY_AGO}",
    )
    made.put("daily_data", f"model_performance_daily,model_id=m1 direction_accuracy=0.5 {DAY_AGO}")
    return made


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def test_shipped_suite_finds_nothing_in_good_points(series: Series) -> None:
    ran = series.project.validate("timeseries")

    assert (ran.found, ran.code) == ({}, 0), ran.err
    totals = {each["check"]: each["total"] for each in ran.json["results"] if each["check"] != "rows"}
    assert totals["feature_minutes_missing"] == 1
    assert totals["performance_days_missing"] == 1
    assert totals["direction_neither_right_nor_wrong"] == 1


@pytest.mark.parametrize(
    ("tier", "line", "check", "shown"),
    [
        ("real_time", f"{MADE} confidence_score=1.0001", "prediction_confidence_out_of_range", 1.0001),
        ("real_time", f"{MADE} abs_error=-0.5", "absolute_error_negative", -0.5),
        ("real_time", f"{MADE} direction_correct=7i", "direction_neither_right_nor_wrong", 7),
        ("daily_data", "model_performance_daily,model_id=BAD direction_accuracy=-0.5", "accuracy_out_of_range", -0.5),
    ],
)
def test_value_out_of_range_is_found_and_shown(series: Series, tier: str, line: str, check: str, shown: object) -> None:
    series.put(tier, f"{line} {MINUTE_AGO if tier == 'real_time' else DAY_AGO}")

    ran = series.project.validate("timeseries")

    assert list(ran.found) == [check]
    assert (ran.found[check]["bad"], ran.found[check]["total"]) == (1, 2)
    [sample] = ran.found[check]["samples"]
    assert "BAD" in sample.values()
    assert shown in sample.values()


def test_windows_that_were_not_rolled_up_are_found(series: Series) -> None:
    lost = MINUTE_AGO - 7 * MINUTE
    series.put("real_time", f"real_time_features,ticker=MSFT,feature_name=rsi,source=s value=1 {lost + 59}")
    series.put("real_time", f"real_time_features,ticker=AAPL,feature_name=rsi,source=s value=1 {lost}")
    series.put("minute_data", f"features_1m,ticker=AAPL,feature_name=rsi,source=s value=1 {lost}")
    series.put("hourly_data", f"predictions_1h,model_id=m2 n_predictions=1i {DAY_AGO}")

    ran = series.project.validate("timeseries")

    assert (ran.code, ran.found.keys()) == (1, {"feature_minutes_missing", "performance_days_missing"})
    minutes, days = ran.found["feature_minutes_missing"], ran.found["performance_days_missing"]
    assert (minutes["bad"], minutes["total"]) == (1, 3)
    assert minutes["samples"] == [{"time": iso(lost), "ticker": "MSFT"}]
    assert days["samples"] == [{"time": iso(DAY_AGO), "model_id": "m2"}]


STALE = "stale_windows: {every: 1m, per: ticker, value: sum(n), from: {tier: real_time, table: trades, value: %s}}"


def test_window_that_a_late_point_changed_is_found_and_shown(series: Series) -> None:
    first, second = MINUTE_AGO - 3 * MINUTE, MINUTE_AGO - 2 * MINUTE
    series.put("real_time", *(f"trades,ticker=A,model_id=m1 price={n}.5 {first + n}" for n in range(2)))
    series.put("real_time", f"trades,ticker=A,model_id=m1 price=1 {second}")
    made = (f"trades_1m,ticker=A,model_id=m1 n={n}i {at}" for n, at in ((2, first), (1, second), (9, first - MINUTE)))
    series.put("minute_data", *made)  # of the last one the points are gone
    place = ("minute_data", "trades_1m")

    assert one(series, STALE % "count(price)", *place) == {}
    series.put("real_time", f"trades,ticker=A,model_id=m2 price=3 {second + 30}")

    found = one(series, STALE % "count(price)", *place)
    assert (found["bad"], found["total"]) == (1, 2)
    assert found["samples"] == [{"time": iso(second), "ticker": "A", "says": 1, "source": 2}]
    assert one(series, STALE % "count(price)", *place, "--tenant", "m1") == {}
    assert one(series, STALE % "sum(price)", *place)["bad"] == 1


def test_window_within_its_grace_is_not_expected_yet(series: Series) -> None:
    series.put("real_time", f"real_time_features,ticker=MSFT,feature_name=rsi,source=s value=1 {NOW - 2 * MINUTE}")

    assert series.found() == {}


def test_point_of_the_future_is_outside_retention(series: Series) -> None:
    series.put("real_time", f"real_time_features,ticker=BAD,feature_name=rsi,source=s value=1 {NOW + 2 * HOUR}")

    ran = series.project.validate("timeseries")

    assert (ran.code, list(ran.found)) == (0, ["feature_outside_retention"])
    [sample] = ran.found["feature_outside_retention"]["samples"]
    assert (sample["time"], sample["ticker"]) == (iso(NOW + 2 * HOUR), "BAD")


def test_point_that_should_be_gone_is_outside_retention(of_1: Series) -> None:
    of_1.project.up()
    raw = Raw(of_1.keys["url"])
    # While the tier keeps all for ever it takes what is old; later it only drops whole shard groups.
    raw.ask('ALTER RETENTION POLICY "real_time" ON "vfr_ml" DURATION INF SHARD DURATION 52w')
    of_1.put("real_time", f"real_time_features,ticker=OLD,feature_name=rsi,source=s value=1 {NOW - 3 * DAY}")
    of_1.put("real_time", f"real_time_features,ticker=NEW,feature_name=rsi,source=s value=1 {NOW - 25 * HOUR}")
    raw.ask('ALTER RETENTION POLICY "real_time" ON "vfr_ml" DURATION 24h SHARD DURATION 1h')

    found = of_1.project.validate("timeseries", "--only", "feature_outside_retention").found

    assert found["feature_outside_retention"]["bad"] == 1
    assert found["feature_outside_retention"]["samples"][0]["ticker"] == "OLD"


SUITE = """
store: influx
database: vfr_ml
tier: {tier}
table: {table}
time: time
tenant: model_id
checks:
  - name: one
    {check}
"""


def one(
    series: Series, check: str, tier: str = "real_time", table: str = "predictions", *options: str
) -> dict[str, object]:
    series.project.suite("one", SUITE.format(tier=tier, table=table, check=check))
    found = series.project.validate("one", *options).found
    return dict(found.get("one", {}))


def test_gap_in_a_steady_series_is_found_without_a_source(series: Series) -> None:
    begin = MINUTE_AGO - 10 * MINUTE
    minutes = [begin + place * MINUTE for place in range(10) if place not in (3, 4)]
    series.put("real_time", *(f"beats,ticker=A value=1 {each}" for each in minutes))

    until = ("--until", iso(begin + 10 * MINUTE))
    found = one(series, "missing_windows: {every: 1m, per: ticker}", "real_time", "beats", *until)

    assert found["samples"] == [{"time": iso(begin + place * MINUTE), "ticker": "A"} for place in (3, 4)]
    assert (found["bad"], found["total"]) == (2, 10)


def test_freshness_tenant_and_time_narrow(series: Series) -> None:
    assert "old, 10m is allowed" in str(one(series, "freshness: {within: 10m}")["message"])
    series.put("real_time", f"predictions,ticker=X,model_id=m2 confidence_score=7 {NOW}")
    assert one(series, "freshness: {within: 10m}") == {}

    bad = "range: {column: confidence_score, min: 0, max: 1}"
    place = ("real_time", "predictions")
    assert one(series, bad, *place, "--tenant", "m1") == {}
    assert one(series, bad, *place, "--tenant", "m2")["total"] == 1
    assert one(series, bad, *place, "--until", iso(NOW - 60)) == {}
    assert one(series, bad, *place, "--since", iso(NOW - 60))["bad"] == 1


def test_masked_tag_is_not_shown(series: Series) -> None:
    series.put("real_time", f"predictions,ticker=SECRET,model_id=m2 confidence_score=0.00002 {NOW}")
    check = "range: {column: confidence_score, min: 0.0001}\n    sample: [ticker, confidence_score]\n    mask: [ticker]"

    assert one(series, check)["samples"] == [{"ticker": "•••", "confidence_score": 0.00002}]


@pytest.mark.parametrize(
    ("tier", "check", "said"),
    [
        ("real_tim", "outside_retention: {}", "error[unknown-table]: vfr_ml has no tier real_tim"),
        ("real_time", "range: {column: confidence_scor, min: 0}", "did you mean confidence_score?"),
        ("real_time", "range: {column: confidence_score, min: '0'}", "a bound of a field is a number"),
        ("real_time", "missing_windows: {every: 1m, per: modelid}", "did you mean model_id?"),
        ("real_time", "missing_windows: {every: 1m, from: {tier: hour, table: x}}", "vfr_ml has no tier hour"),
        ("real_time", "missing_windows: {every: often}", "every"),
        ("real_time", STALE.replace("real_time", "hour") % "count(x)", "vfr_ml has no tier hour"),
        ("real_time", STALE % "mean(x)", "value"),
    ],
)
def test_wrong_check_is_refused(series: Series, tier: str, check: str, said: str) -> None:
    series.project.suite("one", SUITE.format(tier=tier, table="predictions", check=check))

    ran = series.project.run("validate", "one")

    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert "checks/one.yaml:" in ran.err


def test_measurement_without_points_is_no_silent_pass(series: Series) -> None:
    series.project.suite("one", SUITE.format(tier="real_time", table="predictionz", check="outside_retention: {}"))

    ran = series.project.validate("one")

    assert [(each["status"], each["message"]) for each in ran.json["results"]] == [
        ("empty", "no rows to read"),
        ("empty", "no rows to read"),
        ("fail", "the suite read no rows at all"),
    ]
    assert ran.code == 1


def test_memory_does_not_grow_with_points(of_1: Series) -> None:
    of_1.project.up()
    folder = of_1.project.folder
    store = build(StoreOptions("influx", "influx", "vfr", folder / "influx", folder))
    store.open(of_1.keys["url"])
    assert store.checks is not None
    checks = (
        Check("a", "range", {"column": "value", "max": 1}),
        Check("b", "missing_windows", {"every": "1m", "late": "1h", "within": "20h", "per": "ticker"}),
    )
    table = Table("influx", "beats", checks, options={"database": "vfr_ml", "tier": "real_time"})
    peaks, begin = [], NOW // MINUTE * MINUTE - 20 * HOUR
    for seconds in (30, 3):
        for hour in range(20):
            moments = range(begin + hour * HOUR, begin + (hour + 1) * HOUR, seconds)
            of_1.put("real_time", *(f"beats,ticker=A value=1 {each}" for each in moments))
        store.checks.tally(table, Scope())
        tracemalloc.start()
        [whole, *_] = store.checks.tally(table, Scope())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert whole.total == 20 * HOUR // seconds
    store.close()
    assert peaks[1] < peaks[0] * 1.5

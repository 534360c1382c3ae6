"""The shipped documents on a real server: points written at every tier come out right in the next one.

The server computes the continuous queries itself, soon after they were made, over all that each of them reaches back.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.influx.files import schema
from provision.stores.influx.store import InfluxStore
from tests.servers.databases import Influx1
from tests.stores.influx.moves import down, up
from tests.stores.influx.raw import Raw

ROOT = Path(__file__).parents[3]
MINUTE, HOUR, DAY = 60, 3600, 86400
WITHIN_SECONDS = 15.0

Record = dict[str, Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Raw]:
    """A server of its own that computes no query."""
    with Influx1(tmp_path / "influxd") as made:
        yield Raw(made.url)


@pytest.fixture
def store(server: Raw) -> Iterator[InfluxStore]:
    with _opened(server) as made:
        yield made


@contextmanager
def _opened(server: Raw) -> Iterator[InfluxStore]:
    made = build(StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT))
    assert isinstance(made, InfluxStore)
    made.open(server.base.replace("http://", "http://root:word@"))
    made.ledger.create()
    yield made
    made.close()


def test_schema_on_disk_is_the_one_that_is_printed() -> None:
    assert json.loads((ROOT / "docs/schemas/influx.json").read_text()) == schema()


def test_shipped_tiers_are_there_and_go(store: InfluxStore, server: Raw) -> None:
    for number in range(1, len(store.revisions()) + 1):
        up(store, number)

    assert server.tiers("vfr_ml") == {
        "autogen": ("0s", "168h0m0s", False),
        "real_time": ("24h0m0s", "1h0m0s", True),
        "minute_data": ("720h0m0s", "24h0m0s", False),
        "hourly_data": ("2160h0m0s", "24h0m0s", False),
        "daily_data": ("61368h0m0s", "168h0m0s", False),
    }
    assert list(server.queries("vfr_ml")) == [
        "downsample_features_1m",
        "downsample_features_1m_late",
        "downsample_predictions_1m",
        "downsample_predictions_1m_late",
        "downsample_predictions_1h",
        "calculate_prediction_accuracy",
    ]
    for number in range(len(store.revisions()), 0, -1):
        down(store, number)
    assert server.databases() == ["provision_vfr"]


def test_shipped_rollups_carry_every_tier_into_the_next(tmp_path: Path) -> None:
    minute, hour, day = _ends()
    # It remembers by their names which queries it ran: one that ran before it was replaced would not run again today.
    with Influx1(tmp_path / "influxd") as made:
        with _opened(Raw(made.url)) as store:
            for number in range(1, len(store.revisions()) + 1):
                up(store, number)
        early = _written(Raw(made.url), minute, hour, day)
        made.interval = "100ms"
        made.kill()
        made.start_again()
        _carried(Raw(made.url), early, hour, day)


def _written(server: Raw, minute: int, hour: int, day: int) -> int:
    """Points of every tier; the time of the earliest that the minutes are made of."""
    features = "ticker=AAPL,feature_name=rsi,source=x,model_id={}"
    tags = "ticker=AAPL,model_id={},prediction_horizon=1h"
    early = minute - 9 * MINUTE - 30  # nine and a half minutes late when the queries run for the first time
    server.write(
        "vfr_ml",  # no tier named: real_time is the default
        [
            f"real_time_features,{features.format('a')} value=1,confidence=0.5,quality_score=0.9 {early}",
            f"real_time_features,{features.format('a')} value=2,confidence=0.7,quality_score=0.4 {early + 1}",
            f"real_time_features,{features.format('b')} value=9,calculation_time_ms=5 {early + 2}",
            f"predictions,{tags.format('a')} predicted_value=10,confidence_score=0.5,execution_time_ms=4 {early}",
            f"predictions,{tags.format('a')} predicted_value=12,confidence_score=0.9,execution_time_ms=8 {early + 5}",
            f"predictions,{tags.format('a')} abs_error=3,squared_error=9,direction_correct=1i {early + 6}",
            f"predictions,{tags.format('a')} abs_error=1,squared_error=1,direction_correct=0i {early + 7}",
            f"predictions,{tags.format('a')} abs_error=2,squared_error=4 {early + 8}",
        ],
    )
    rolled = "sum_abs_error={0},sum_squared_error={1},n_actual={2}i,n_direction_correct={3}i,n_direction_total={4}i"
    server.write(
        "vfr_ml",
        [
            f"predictions_1m,{tags.format('b')} {rolled.format(30, 90, 10, 4, 5)},predicted_value=1 {hour - HOUR}",
            f"predictions_1m,{tags.format('b')} {rolled.format(1, 1, 1, 0, 1)},predicted_value=2 {hour - MINUTE}",
        ],
        "minute_data",
    )
    server.write(
        "vfr_ml",
        [
            f"predictions_1h,{tags.format('c')} {rolled.format(30, 90, 10, 4, 5)} {day - DAY}",
            f"predictions_1h,{tags.format('c').replace('AAPL', 'MSFT')} {rolled.format(1, 1, 1, 0, 1)} {day - HOUR}",
        ],
        "hourly_data",
    )
    return early


def _carried(server: Raw, early: int, hour: int, day: int) -> None:
    of_feature = _rolled(server, "minute_data.features_1m", "a")
    assert _picked(of_feature, "value", "samples", "sum_confidence", "avg_confidence", "min_quality") == [
        2,
        2,
        pytest.approx(1.2),
        pytest.approx(0.6),
        0.4,
    ]
    assert _picked(_rolled(server, "minute_data.features_1m", "b"), "value", "samples", "total_calc_time") == [9, 1, 5]
    by_minute = _rolled(server, "minute_data.predictions_1m", "a")
    assert by_minute["time"] == early // MINUTE * MINUTE
    assert _picked(by_minute, "predicted_value", "n_predictions", "n_actual", "n_direction_total") == [12, 2, 3, 2]
    assert _picked(by_minute, "mae", "mse", "direction_accuracy") == [2, pytest.approx(14 / 3), 0.5]
    assert by_minute["rmse"] == pytest.approx(math.sqrt(14 / 3))
    assert _picked(by_minute, "avg_confidence", "avg_latency") == [pytest.approx(0.7), 6]
    by_hour = _rolled(server, "hourly_data.predictions_1h", "b")
    assert (by_hour["time"], by_hour["n_actual"], by_hour["predicted_value"]) == (hour - HOUR, 11, 2)
    weighed = [pytest.approx(31 / 11), pytest.approx(91 / 11), pytest.approx(4 / 6)]
    assert _picked(by_hour, "mae", "mse", "direction_accuracy") == weighed
    by_day = _rolled(server, "daily_data.model_performance_daily", "c")
    assert (by_day["time"], by_day["n_actual"], by_day["prediction_horizon"]) == (day - DAY, 11, "1h")
    assert _picked(by_day, "mae", "mse", "direction_accuracy") == weighed
    assert (by_hour["rmse"], by_day["rmse"]) == (pytest.approx(math.sqrt(91 / 11)),) * 2


def test_shipped_rollups_weigh_every_point_the_same_at_each_level(store: InfluxStore, server: Raw) -> None:
    """The whole chain over one set of points, with the very SELECTs of the queries over all of its time."""
    for number in range(1, len(store.revisions()) + 1):
        up(store, number)
    now = int(time.time())
    errors = [(now - 6 * HOUR + 37 * i * i % (5 * HOUR), float(i % 7), i % 3 % 2) for i in range(200)]
    server.write(
        "vfr_ml",
        [
            f"predictions,ticker={'AB'[i % 2]},model_id=z,prediction_horizon=1h"
            f" abs_error={error},squared_error={error * error},direction_correct={right}i {at}"
            for i, (at, error, right) in enumerate(errors)
        ],
        "real_time",
    )
    distinct = {(at, "AB"[i % 2]): (at, error, right) for i, (at, error, right) in enumerate(errors)}

    for name in ("downsample_predictions_1m", "downsample_predictions_1h", "calculate_prediction_accuracy"):
        text = re.search(r"BEGIN (SELECT .*) GROUP BY (.*) END$", server.queries("vfr_ml")[name])
        assert text is not None
        server.ask(f"{text[1]} WHERE time >= {now - 2 * DAY}s AND time <= {now}s GROUP BY {text[2]}")

    for place, window in (
        ("minute_data.predictions_1m", MINUTE),
        ("hourly_data.predictions_1h", HOUR),
        ("daily_data.model_performance_daily", DAY),
    ):
        found = server.records(f"SELECT * FROM vfr_ml.{place} WHERE model_id = 'z'")
        groups = {(record["time"], record.get("ticker")) for record in found}
        assert len(groups) == len(found) > 0
        for record in found:
            mine = [
                each
                for (at, ticker), each in distinct.items()
                if at // window * window == record["time"] and record.get("ticker") in (None, ticker)
            ]
            wanted = (
                len(mine),
                pytest.approx(sum(error for _, error, _ in mine) / len(mine)),
                pytest.approx(sum(error * error for _, error, _ in mine) / len(mine)),
                pytest.approx(sum(right for _, _, right in mine) / len(mine)),
            )
            assert (*_picked(record, "n_actual", "mae", "mse", "direction_accuracy"),) == wanted
        assert sum(record["n_actual"] for record in found) == len(distinct)


def _ends() -> tuple[int, int, int]:
    """The last full minute, hour and day, when none of them is about to change."""
    while time.time() % MINUTE > MINUTE - 5:
        time.sleep(0.5)
    now = int(time.time())
    return now // MINUTE * MINUTE, now // HOUR * HOUR, now // DAY * DAY


def _picked(record: Record, *names: str) -> list[Any]:
    return [record[name] for name in names]


def _rolled(server: Raw, place: str, model: str) -> Record:
    """The one row that the server has rolled up for a model, once it is there."""
    (record,) = _until(lambda: server.records(f"SELECT * FROM vfr_ml.{place} WHERE model_id = '{model}'"))
    return record


def _until(ask: Callable[[], Sequence[Record]]) -> Sequence[Record]:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not (found := ask()):
        assert time.monotonic() < deadline, "the server computed nothing"
        time.sleep(0.05)
    return found

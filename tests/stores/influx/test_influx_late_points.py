"""The shipped rollups over points that come late, or whose direction is a fraction here and whole there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.influx.store import InfluxStore
from tests.backfill.influx import HOUR, MINUTE, On1, On2, iso
from tests.stores.influx.moves import up

ROOT = Path(__file__).parents[3]
ROLLUP, LATE = "downsample_predictions_1m", "downsample_predictions_1m_late"
TAGS = "predictions,ticker=A,model_id=m,prediction_horizon=1h"


class Server1(On1):
    """1.x, where a query is let to compute by its own SELECT over the windows that its next run would take."""

    def put(self, tier: str, *lines: str) -> None:
        self.raw.write("vfr_ml", list(lines), tier)

    def run(self, name: str, begin: int, end: int) -> None:
        self.roll(name, begin, end)

    def minutes(self) -> dict[int, dict[str, float]]:
        rows = self.raw.records('SELECT * FROM "vfr_ml"."minute_data"."predictions_1m"')
        return {row["time"]: row for row in rows}


class Server2(On2):
    """2.x, where the server runs the task itself, as if it were that time."""

    def put(self, tier: str, *lines: str) -> None:
        self.api.ask("POST", f"/api/v2/write?org=vfr&bucket=vfr_ml/{tier}&precision=s", "\n".join(lines))

    def run(self, name: str, _begin: int, end: int) -> None:
        self.api.roll(f"vfr_ml/{name}", iso(end))

    def minutes(self) -> dict[int, dict[str, float]]:
        found: dict[int, dict[str, float]] = {}
        for each in self.api.rolled("vfr_ml/minute_data"):
            moment = int(datetime.fromisoformat(each["_time"]).astimezone(UTC).timestamp())
            found.setdefault(moment, {})[each["_field"]] = float(each["_value"])
        return found


Server = Server1 | Server2


@pytest.fixture(params=["1", "2"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    url = request.getfixturevalue(f"influx_{request.param}")
    made = Server1(url) if request.param == "1" else Server2(url)
    made.wipe()
    yield made
    made.wipe()


@pytest.fixture
def store(server: Server) -> Iterator[InfluxStore]:
    keys = {} if isinstance(server, Server1) else {"org": "vfr", "token": "word"}
    made = build(StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT, keys))
    assert isinstance(made, InfluxStore)
    made.open(server.keys["url"])
    made.ledger.create()
    for number in range(1, len(made.revisions()) + 1):
        up(made, number)
    yield made
    made.close()


def _minute() -> int:
    return int(time.time()) // MINUTE * MINUTE - 3 * HOUR


def test_point_hours_late_reaches_the_minute_that_was_made(store: InfluxStore, server: Server) -> None:
    del store  # applied is enough
    minute = _minute()
    server.put("real_time", f"{TAGS} abs_error=1,squared_error=1 {minute}")
    server.run(ROLLUP, minute - MINUTE, minute + MINUTE)
    assert server.minutes()[minute]["n_actual"] == 1

    server.put("real_time", f"{TAGS} abs_error=3,squared_error=9 {minute + 1}")
    server.run(LATE, minute - 20 * HOUR, minute + 3 * HOUR - (minute + 3 * HOUR) % (30 * MINUTE))

    found = server.minutes()[minute]
    assert (found["n_actual"], found["mae"], found["mse"]) == (2, 2, 5)
    assert found["rmse"] == pytest.approx(5**0.5)


def test_direction_is_counted_as_an_integer_whatever_type_it_was_written_in(store: InfluxStore, server: Server) -> None:
    del store
    minute = _minute()
    before = minute - 2 * HOUR  # in a shard of its own, where the field may have another type
    server.put("real_time", f"{TAGS} direction_correct=1 {before}", f"{TAGS} direction_correct=0 {before + 1}")
    server.put("real_time", f"{TAGS} direction_correct=1i {minute}")

    for each in (before, minute):
        server.run(ROLLUP, each, each + MINUTE)
    server.run(LATE, minute - 20 * HOUR, minute + 3 * HOUR - (minute + 3 * HOUR) % (30 * MINUTE))

    found = {at: (each["n_direction_correct"], each["n_direction_total"]) for at, each in server.minutes().items()}
    assert found == {before: (1, 2), minute: (1, 1)}

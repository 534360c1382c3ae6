"""Windows of InfluxDB's tiers: its shard groups, left to the server where it removes points itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provision.cli.render.forecast import lines
from provision.errors import ProvisionError
from provision.flows.partitions import retire, standings
from provision.kinds import build
from provision.model.partitions import Interval, PartitionSet, TableWindows, Unit
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.api import Api
from tests.stores.influx.conftest import Write
from tests.stores.influx.moves import up
from tests.stores.influx.raw import Raw

DATABASE_2 = """\
  - create_database: {name: app}
  - create_retention_policy: {database: app, name: raw, duration: 24h, default: true}
"""
FIX = "write DATABASE.TIER as it is there, or `provision up` first"

DAY = Interval(1, Unit.DAY)
OLD, NEW = 1767225600, 1767312000  # two days, 2026-01-01 and 02


@pytest.fixture
def raw(influx_1: str) -> Iterator[Raw]:
    made = Raw(influx_1)
    made.ask("CREATE DATABASE tiers WITH DURATION INF REPLICATION 1 SHARD DURATION 1d NAME kept")
    made.ask("CREATE RETENTION POLICY short ON tiers DURATION 520w REPLICATION 1 SHARD DURATION 7d")
    for at in (OLD, NEW):
        made.write("tiers", [f"m v=1 {at}"])
        made.write("tiers", [f"m v=1 {at}"], "short")
    yield made
    made.ask("DROP DATABASE tiers")


@pytest.fixture
def store(influx_1: str, raw: Raw, write: Write) -> Iterator[InfluxStore]:
    assert raw.databases()
    made = build(write())
    assert isinstance(made, InfluxStore)
    made.open(influx_1)
    yield made
    made.close()


def wanted(table: str, interval: Interval = DAY, column: str = "time", retain: Interval | None = None) -> PartitionSet:
    return PartitionSet("t", "influx", table, column, interval, 0, 0, "", "partitions/t.yaml", "", retain)


def look(store: InfluxStore, each: PartitionSet) -> TableWindows:
    found = store.partitions.look([each])["t"]
    assert isinstance(found, TableWindows), found
    return found


def test_shard_groups_are_the_windows_of_a_tier(store: InfluxStore) -> None:
    found = look(store, wanted("tiers.kept"))
    days = [datetime.fromtimestamp(at, UTC) for at in (OLD, NEW)]
    assert [each.bounds for each in found.windows] == [(day, day + timedelta(days=1)) for day in days]
    assert found.leaves == ""
    week = look(store, wanted("tiers.short", Interval(1, Unit.WEEK)))
    assert len(week.windows) == 1
    assert week.leaves == "points are kept for 3640 days"


def test_what_is_over_is_dropped_where_the_server_keeps_all(store: InfluxStore, raw: Raw) -> None:
    each = wanted("tiers.kept", retain=Interval(30, Unit.DAY))
    as_of = datetime(2026, 2, 1, tzinfo=UTC)
    found = standings([each], {"influx": store.partitions}, as_of)

    [change] = retire(found, {"influx": store.partitions}, lambda _name, _text: None)

    assert change.error is None
    assert [window.name for window in change.windows] == ["2026-01-01T00:00"]
    assert [window.name for window in look(store, each).windows] == ["2026-01-02T00:00"]
    assert raw.rows("SELECT v FROM tiers.kept.m")[0][-1] == 1
    assert raw.records("SELECT v FROM tiers.short.m") != []


def test_the_newest_group_stays_where_all_are_over(store: InfluxStore) -> None:
    each = wanted("tiers.kept", retain=Interval(1, Unit.DAY))
    found = standings([each], {"influx": store.partitions}, datetime(2027, 2, 1, tzinfo=UTC))

    [change] = retire(found, {"influx": store.partitions}, lambda _name, _text: None)

    assert change.error is not None
    assert (change.error.code, change.error.exit_code) == ("would-empty", 3)
    assert [window.name for window in look(store, each).windows] == ["2026-01-02T00:00"]


def test_a_forecast_tells_what_is_over_soon_and_no_sizes(store: InfluxStore) -> None:
    as_of = datetime(2026, 1, 20, tzinfo=UTC)
    sets = [wanted("tiers.kept", retain=Interval(30, Unit.DAY)), wanted("tiers.short", Interval(1, Unit.WEEK))]
    told = [
        [text for each in standings([one], {"influx": store.partitions}, as_of) for text, _ in lines(each)]
        for one in sets
    ]
    assert told == [
        ["takes rows for ever", "holds 2 windows; the server tells no sizes", "retires 2 windows within a month"],
        [
            "takes rows for ever",
            "holds 1 window; the server tells no sizes",
            "the server removes windows itself: points are kept for 3640 days",
        ],
    ]


def test_nothing_is_dropped_where_the_server_does(store: InfluxStore) -> None:
    each = wanted("tiers.short", Interval(1, Unit.WEEK), retain=Interval(1, Unit.WEEK))
    found = standings([each], {"influx": store.partitions}, datetime(2030, 1, 1, tzinfo=UTC))
    said: list[str] = []

    [change] = retire(found, {"influx": store.partitions}, lambda _name, text: said.append(text))

    assert (change.windows, change.error) == ((), None)
    assert said == ["the server removes windows itself: points are kept for 3640 days"]
    assert len(look(store, each).windows) == 1


@pytest.mark.parametrize(
    ("each", "message", "fix"),
    [
        (
            wanted("tiers.no"),
            "influx has no tier tiers.no",
            FIX,
        ),
        (
            wanted("no.kept"),
            "influx has no tier no.kept",
            FIX,
        ),
        (wanted("tiers"), "influx has no tier tiers", FIX),
        (wanted("tiers.kept", column="at"), "points are by time, not by at", "write column: time"),
        (
            wanted("tiers.kept", Interval(1, Unit.MONTH)),
            "tiers.kept has a window each 1 day, and interval says 1 month",
            "write interval: 1 day",
        ),
    ],
)
def test_what_is_wrong_with_a_tier_is_told(store: InfluxStore, each: PartitionSet, message: str, fix: str) -> None:
    found = store.partitions.look([each])["t"]
    assert isinstance(found, ProvisionError)
    assert (found.what, found.fix) == (message, fix)


def test_version_2_tells_how_long_points_are_kept_and_no_groups(api: Api, write: Write) -> None:
    made = build(write(DATABASE_2, org="vfr", token="word"))
    assert isinstance(made, InfluxStore)
    made.open(api.url)
    made.ledger.create()
    up(made)

    found = look(made, wanted("app.raw", Interval(1, Unit.HOUR)))

    made.close()
    assert (found.windows, found.leaves, found.unbounded) == ((), "points are kept for 1 day", True)

"""Gaps without a server: what is written between windows that are there, and how far; and the log of their runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provision.backfill.log import RunLogEntry
from provision.model import StoreOptions
from provision.stores.influx.backfill.flux import BackfillFlux
from provision.stores.influx.backfill.influxql import BackfillInfluxql
from provision.stores.influx.backfill.place import Series, Slice, Stretch, Stride
from provision.stores.influx.backfill.range import Cursor, Range, RangeRequest
from provision.stores.influx.backfill.runs import RunEntries
from provision.stores.influx.connect import connect
from provision.stores.influx.migrate.model import Rollup, Tier
from provision.stores.influx.server import Server
from provision.stores.influx.validate.place import Record
from tests.backfill.influx import DAY, HOUR, On1, On2, Place

A, B = ("a",), ("b",)
BODY = {
    "database": "app",
    "name": "a BEGIN b",
    "from": {"tier": "raw", "measurement": "m GROUP BY time(1h)"},
    "into": {"tier": "hourly", "measurement": "m_1h"},
    "every": "1h",
    "late": "10m",
    "fields": {"total": "sum(v)", "share": "sum(v) / count(v)"},
    "group_by": ["host"],
}
ROLLUP = Rollup.of(BODY)


def _slice(expected: dict[Series, list[int]], there: dict[Series, list[int]], stop: int = 10) -> Slice:
    sets = (
        frozenset((series, begin) for series, begins in each.items() for begin in begins) for each in (expected, there)
    )
    return Slice(0, stop, 1, ("host",), *sets)


@pytest.mark.parametrize(
    ("expected", "there", "stretches"),
    [
        ({}, {}, []),
        ({A: [1, 2]}, {A: [1, 2]}, []),
        ({A: [1, 2], B: [5]}, {}, [Stretch(0, 10, None)]),
        ({A: [1, 2, 3]}, {A: [2]}, [Stretch(0, 2, (A,)), Stretch(3, 10, (A,))]),
        ({A: [1], B: [2]}, {("c",): [0]}, [Stretch(0, 10, (A, B))]),
        ({A: [4]}, {A: [0, 5, 9]}, [Stretch(1, 5, (A,))]),
        ({A: [1], B: [1]}, {A: [3], B: [3]}, [Stretch(0, 3, (A, B))]),
        ({A: [9]}, {A: [8]}, [Stretch(9, 10, (A,))]),
    ],
)
def test_no_stretch_holds_a_window_that_is_there(
    expected: dict[Series, list[int]], there: dict[Series, list[int]], stretches: list[Stretch]
) -> None:
    assert list(_slice(expected, there).stretches()) == stretches


def test_many_series_are_named_a_hundred_at_once() -> None:
    found = _slice({(f"h{n:03}",): [1] for n in range(250)}, {A: [1]}).stretches()

    assert [len(each.series or ()) for each in found] == [100, 100, 50]


def test_stride_grows_from_a_few_and_follows_the_rows() -> None:
    stride, lengths = Stride(), []
    for _ in range(5):
        lengths.append(stride.length(100))
        stride.saw(lengths[-1] * 4)

    assert lengths == [10, 20, 25, 25, 25]
    assert stride.length(1) == 1


def test_range_leaves_out_what_is_half_gone_and_what_is_still_written() -> None:
    now = 100 * DAY + 30 * 60
    tiers = (Tier("app", "raw", DAY, HOUR), Tier("app", "hourly", 30 * DAY, DAY))

    found = Range.of(ROLLUP, tiers, now, now)

    assert found == Range(HOUR, 99 * DAY + HOUR, 100 * DAY - HOUR)
    assert found.within(RangeRequest(), 0) == (99 * DAY + HOUR, 100 * DAY - HOUR)
    assert found.within(RangeRequest(99 * DAY + 2 * HOUR + 1, 99 * DAY + 4 * HOUR + 59), 0) == (
        99 * DAY + 3 * HOUR,
        99 * DAY + 4 * HOUR,
    )
    assert Range.of(ROLLUP, (Tier("app", "raw", 0, HOUR),), now, now).within(RangeRequest(), -5) == (
        -HOUR,
        100 * DAY - HOUR,
    )


def test_cursor_is_plain_json_and_comes_back() -> None:
    cursor = Cursor("by_hour", 99 * DAY + 5, 100 * DAY)

    assert cursor.json() == {"rollup": "by_hour", "at": "1970-04-10T00:00:05Z", "as_of": "1970-04-11T00:00:00Z"}
    assert Cursor.of(cursor.json()) == cursor


def _nothing(_text: str) -> Iterator[Record]:
    yield from ()


def test_influxql_that_fills_is_that_of_the_query() -> None:
    sent = BackfillInfluxql(_nothing).fill(ROLLUP, ("host",), Stretch(0, HOUR, (("it's",), ("",))))

    assert sent == (
        'SELECT sum("v") AS "total", sum("v") / count("v") AS "share" INTO "app"."hourly"."m_1h"'
        ' FROM "app"."raw"."m GROUP BY time(1h)" WHERE (("host" = \'it\\\'s\') OR ("host" = \'\'))'
        ' AND time >= 0s AND time < 3600s GROUP BY time(1h), "host" fill(none)'
    )


def test_flux_that_fills_is_that_of_the_task() -> None:
    sent = BackfillFlux(_nothing).fill(ROLLUP, ("host",), Stretch(0, HOUR, (("a",), ("",))))

    assert sent.startswith(
        'source = from(bucket: "app/raw")\n'
        "    |> range(start: 1970-01-01T00:00:00.000000000Z, stop: 1970-01-01T01:00:00.000000000Z)\n"
        '    |> filter(fn: (r) => r._measurement == "m GROUP BY time(1h)")\n'
        '    |> filter(fn: (r) => (r["host"] == "a") or (not exists r["host"]))\n\n'
        'source\n    |> filter(fn: (r) => r._field == "v")\n'
    )
    assert sent.count('|> to(bucket: "app/hourly")') == 2


@pytest.fixture(params=["influx_1", "influx_2"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    url: str = request.getfixturevalue(request.param)
    place: Place = On1(url) if request.param == "influx_1" else On2(url)
    place.wipe()
    extra = {key: value for key, value in place.keys.items() if key != "url"}
    folder = request.config.rootpath
    made = connect(StoreOptions("influx", "influx", "shop", folder, folder, extra), place.keys["url"])
    yield made
    made.close()
    place.wipe()


def test_log_keeps_every_version_once_and_tells_the_newest(server: Server) -> None:
    log = RunEntries("shop", "influx", lambda: server)
    assert list(log.newest()) == []
    log.create()
    body = {"error": 'a "b" \\ c,\n= d ü', "n": [1, None]}

    assert log.add(RunLogEntry("r1", 0, 0, {}))
    assert log.add(RunLogEntry("r1", 0, 1, body))
    assert log.add(RunLogEntry("r1", 1, 0, {"x": 1}))
    assert log.add(RunLogEntry("r2", 0, 0, {"y": 2}))
    assert not log.add(RunLogEntry("r1", 0, 1, {"late": True}))
    assert not log.add(RunLogEntry("r1", 0, 0, {"later": True}))

    assert list(log.newest("r1")) == [RunLogEntry("r1", 0, 1, body), RunLogEntry("r1", 1, 0, {"x": 1})]
    assert len(list(log.newest())) == 3
    assert list(RunEntries("shop", "other", lambda: server).newest()) == []

"""What is sent, without a server: canonical statements, durations, and the Flux and calls of 2.x."""

from __future__ import annotations

import pytest

from provision.kinds import build
from provision.model import Direction, Step
from provision.stores.influx import annotated
from provision.stores.influx.migrate import flux
from provision.stores.influx.migrate.canonical import canonical
from provision.stores.influx.migrate.model import DAY, HOUR, Rollup, default_shard, shown
from tests.stores.influx.conftest import Write

ROLLUP = {
    "database": "app",
    "name": "by_hour",
    "from": {"tier": "raw", "measurement": "requests"},
    "into": {"tier": "hourly", "measurement": "requests_1h"},
    "every": "1h",
    "late": "10m",
    "fields": {"total": "sum(bytes)", "share": "sum(bytes) / count(bytes)"},
    "group_by": ["host"],
}
SCRIPT = """\
option task = {name: "app/by_hour", every: 1h, offset: 1m}

source = from(bucket: "app/raw")
    |> range(start: -2h)
    |> filter(fn: (r) => r._measurement == "requests")

source
    |> filter(fn: (r) => r._field == "bytes")
    |> group(columns: ["host"])
    |> sort(columns: ["_time"])
    |> aggregateWindow(every: 1h, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["host", "_time", "_value"])
    |> set(key: "_measurement", value: "requests_1h")
    |> set(key: "_field", value: "total")
    |> to(bucket: "app/hourly")

f_share_numerator = source
    |> filter(fn: (r) => r._field == "bytes")
    |> group(columns: ["host"])
    |> sort(columns: ["_time"])
    |> aggregateWindow(every: 1h, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["host", "_time", "_value"])
    |> toFloat()
    |> set(key: "_field", value: "numerator")

f_share_denominator = source
    |> filter(fn: (r) => r._field == "bytes")
    |> group(columns: ["host"])
    |> sort(columns: ["_time"])
    |> aggregateWindow(every: 1h, fn: count, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["host", "_time", "_value"])
    |> toFloat()
    |> set(key: "_field", value: "denominator")

union(tables: [f_share_numerator, f_share_denominator])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> filter(fn: (r) => exists r.numerator and exists r.denominator and r.denominator != 0.0)
    |> map(fn: (r) => ({r with _value: r.numerator / r.denominator}))
    |> drop(columns: ["numerator", "denominator"])
    |> set(key: "_measurement", value: "requests_1h")
    |> set(key: "_field", value: "share")
    |> to(bucket: "app/hourly")
"""


def test_flux_of_a_rollup() -> None:
    assert flux.create_rollup(Rollup.of(ROLLUP)) == SCRIPT


def test_flux_of_a_rollup_of_every_tag_keeps_the_series_apart() -> None:
    text = flux.create_rollup(Rollup.of({**ROLLUP, "group_by": "*", "offset": "30s"}))

    assert "group(" not in text
    assert "keep(" not in text
    assert 'drop(columns: ["_start", "_stop"])' in text
    assert text.startswith('option task = {name: "app/by_hour", every: 1h, offset: 30s}\n')


def test_flux_strings_are_not_filled_in() -> None:
    assert flux.text('a "b" ${c} \\') == '"a \\"b\\" \\${c} \\\\"'


def test_describe_says_calls_where_an_organisation_is_set(write: Write) -> None:
    texts = (
        "  - create_database: {name: app}\n",
        "  - create_retention_policy: {database: app, name: raw, duration: 24h, default: true}\n",
        "up:\n  - alter_retention_policy: {database: app, name: raw, duration: 48h}\ndown: {irreversible: x}\n",
    )
    store = build(write(*texts, org="vfr"))

    described = [each.statements for each in store.describe([Step(each) for each in store.revisions()])]

    rule = '"retentionRules": [{"type": "expire", "everySeconds": %d, "shardGroupDurationSeconds": %d}]'
    assert described == [
        (
            f'POST /api/v2/buckets {{"name": "app/autogen", {rule % (0, 7 * DAY)}}}\n'
            'POST /api/v2/dbrps {"database": "app", "retention_policy": "autogen", "default": true}',
        ),
        (
            f'POST /api/v2/buckets {{"name": "app/raw", {rule % (DAY, HOUR)}}}\n'
            'POST /api/v2/dbrps {"database": "app", "retention_policy": "raw", "default": true}',
        ),
        ('PATCH /api/v2/buckets/app/raw {"retentionRules": [{"everySeconds": 172800}]}',),
    ]
    down = store.describe([Step(store.revisions()[1], Direction.DOWN)])
    assert [each.statements for each in down] == [("DELETE /api/v2/dbrps/app/raw\nDELETE /api/v2/buckets/app/raw",)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('SELECT "v" FROM "a"."b"."c"', "select v from a.b.c"),
        ("GROUP BY time(60m,5m)", "GROUP BY time(1h, 5m)"),
        ("RESAMPLE EVERY 7d", "resample every 1w"),
        ("time(1h30m)", "time(90m)"),
    ],
)
def test_canonical_equal_statements_are_equal(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT v FROM c", "SELECT w FROM c"),
        ('SELECT "from" FROM c', "SELECT from FROM c"),
        ("WHERE a = 'b'", 'WHERE a = "b"'),
        ("time(1h)", "time(1m)"),
        ("SELECT V FROM c", "SELECT v FROM c"),
        ('"a b"', "a b"),
    ],
)
def test_canonical_other_statements_are_not(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("every", "late", "span"),
    [("1m", None, "1m"), ("1m", "10m", "11m"), ("1h", "10m", "2h"), ("1h", "1h", "2h"), ("1d", "2h", "2d")],
)
def test_rollup_reaches_back_whole_windows(every: str, late: str | None, span: str) -> None:
    body = {key: value for key, value in {**ROLLUP, "every": every, "late": late}.items() if value}

    assert shown(Rollup.of(body).span) == {"1d": "24h"}.get(span, span)


@pytest.mark.parametrize(
    ("duration", "shard"), [(0, 7 * DAY), (DAY, HOUR), (2 * DAY, DAY), (180 * DAY - 1, DAY), (180 * DAY, 7 * DAY)]
)
def test_shard_durations_are_those_of_the_servers(duration: int, shard: int) -> None:
    assert default_shard(duration) == shard


@pytest.mark.parametrize("nanoseconds", [0, 1, 3000007, 10**9, 4_102_444_800_123_456_789])
def test_times_survive_the_round_trip(nanoseconds: int) -> None:
    assert annotated.nanoseconds(annotated.time(nanoseconds)) == nanoseconds


def test_points_of_a_query_keep_every_nanosecond() -> None:
    lines = [
        ["#datatype", "string", "long", "dateTime:RFC3339", "long", "string"],
        ["#group", "false", "false", "false", "false", "true"],
        ["#default", "_result", "", "", "", ""],
        ["", "result", "table", "_time", "_value", "_field"],
        ["", "", "0", "1970-01-01T00:00:00.001000002Z", "4", "statement"],
        [],
        ["#datatype", "string", "long", "dateTime:RFC3339", "string", "string"],
        ["#group", "false", "false", "false", "false", "true"],
        ["#default", "_result", "", "", "", ""],
        ["", "result", "table", "_time", "_value", "_field"],
        ["", "", "1", "1970-01-01T00:00:00.001000002Z", "at", "kind"],
        ["", "", "1", "1970-01-01T00:00:00.001000001Z", "started", "kind"],
    ]

    assert annotated.points(lines) == [(1000001, {"kind": "started"}), (1000002, {"statement": 4, "kind": "at"})]

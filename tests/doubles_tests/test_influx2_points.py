"""Points of the InfluxDB 2 contract double: written, queried with Flux, rolled up by tasks."""

from __future__ import annotations

import csv
import time
from typing import Any

import pytest

from tests.doubles.influx2.times import shown
from tests.doubles_tests.conftest import ORG
from tests.doubles_tests.wire import Got, Wire

HOUR = 3600 * 10**9
# The begin of an hour.
BASE = 1_700_006_400 * 10**9
ROLLUP = """
option task = {name: "d/hourly", every: 1h, offset: 1m}

source = from(bucket: "d/a") |> range(start: -2h) |> filter(fn: (r) => r._measurement == "m")

source
    |> filter(fn: (r) => r._field == "v")
    |> group(columns: ["host"])
    |> aggregateWindow(every: 1h, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["host", "_time", "_value"])
    |> set(key: "_measurement", value: "m_1h")
    |> set(key: "_field", value: "total")
    |> to(bucket: "d/b")

source
    |> filter(fn: (r) => r._field == "v")
    |> group(columns: ["host"])
    |> aggregateWindow(every: 1h, fn: count, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["host", "_time", "_value"])
    |> set(key: "_measurement", value: "m_1h")
    |> set(key: "_field", value: "samples")
    |> to(bucket: "d/b")
"""


@pytest.fixture
def points(influx2: Wire) -> Wire:
    """Two hours of points, one a minute, of two hosts in turn; and buckets for them and what is made of them."""
    org = influx2.made("GET", "/api/v2/orgs")["orgs"][0]["id"]
    for name in ("d/a", "d/b"):
        influx2.made("POST", "/api/v2/buckets", {"orgID": org, "name": name})
    lines = [f"m,host=h{n % 2} v={n}i {BASE + n * 60 * 10**9}" for n in range(120)]
    assert write(influx2, "\n".join(lines)).status == 204
    return influx2


def write(wire: Wire, lines: str, bucket: str = "d/a", precision: str = "ns") -> Got:
    path = f"/api/v2/write?org={ORG}&bucket={bucket}&precision={precision}"
    return wire.send("POST", path, lines, content_type="text/plain; charset=utf-8")


def ask(wire: Wire, flux: str, **dialect: Any) -> Got:
    return wire.send("POST", f"/api/v2/query?org={ORG}", {"query": flux, "dialect": dialect})


def rows(wire: Wire, flux: str) -> list[dict[str, str]]:
    got = ask(wire, flux)
    assert got.status == 200, got.body
    found = []
    for block in got.body.split("\r\n\r\n"):
        found += list(csv.DictReader(block.splitlines()))
    return [{name: value for name, value in each.items() if name and name not in ("result", "table")} for each in found]


def query(rest: str, bucket: str = "d/a") -> str:
    return f'from(bucket: "{bucket}") |> range(start: 0) |> {rest}'


def test_written_points_come_back_as_they_are(influx2: Wire, points: Wire) -> None:
    del points
    line = r'a\ b,t\,1=x\=y f=1.5,i=-3i,u=7u,b=true,s="a, \"b\" \\ c" 1700006400'
    assert write(influx2, line, precision="s").status == 204
    told = rows(influx2, query('filter(fn: (r) => r._measurement == "a b")'))
    assert {each["_field"]: each["_value"] for each in told} == {
        "f": "1.5",
        "i": "-3",
        "u": "7",
        "b": "true",
        "s": 'a, "b" \\ c',
    }
    assert {(each["t,1"], each["_time"]) for each in told} == {("x=y", "2023-11-15T00:00:00Z")}


@pytest.mark.parametrize(
    ("lines", "status", "message"),
    [
        ("m v=1x", 400, "unable to parse 'm v=1x': invalid number"),
        ("m", 400, "unable to parse 'm': missing fields"),
        ("m v=1 later", 400, "unable to parse 'm v=1 later': bad timestamp"),
        ("# nothing", 400, "writing requires points"),
        (
            'm,host=h0 v="x"',
            422,
            "failure writing points to database: partial write: field type conflict: input field"
            ' "v" on measurement "m" is type string, already exists as type integer dropped=1',
        ),
    ],
)
def test_points_that_are_none_are_refused(points: Wire, lines: str, status: int, message: str) -> None:
    got = write(points, lines)
    assert (got.status, got.body["message"]) == (status, message)


def test_points_beyond_retention_are_dropped_and_the_rest_is_kept(points: Wire) -> None:
    org = points.made("GET", "/api/v2/orgs")["orgs"][0]["id"]
    kept = [{"type": "expire", "everySeconds": 86400}]
    points.made("POST", "/api/v2/buckets", {"orgID": org, "name": "short", "retentionRules": kept})
    now = time.time_ns()
    got = write(points, f"m v=1 {now}\nm v=2 {now - 48 * HOUR}", "short")
    assert (got.status, got.body["message"].rpartition(": ")[2]) == (
        422,
        "points beyond retention policy dropped=1",
    )
    assert [each["_value"] for each in rows(points, query("count()", "short"))] == ["1"]


def test_same_series_and_time_is_written_over(points: Wire) -> None:
    write(points, f"m,host=h0 v=77i {BASE}")
    assert rows(points, query("first()"))[0]["_value"] == "77"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("count()", ["60", "60"]),
        ('group() |> sum() |> yield(name: "all")', ["7140"]),
        ("mean()", ["59", "60"]),
        ("spread()", ["118", "118"]),
        ("group() |> sort(desc: true) |> limit(n: 2)", ["119", "118"]),
        ("group() |> sort() |> tail(n: 1)", ["119"]),
        ("filter(fn: (r) => r._value > 116 and r.host =~ /1$/)", ["117", "119"]),
        ("filter(fn: (r) => not (r._value < 118)) |> map(fn: (r) => ({r with _value: r._value * 2}))", ["236", "238"]),
        ("last() |> toFloat() |> map(fn: (r) => ({_value: r._value / 2.0}))", ["59", "59.5"]),
        ('distinct(column: "host")', ["h0", "h1"]),
        ('last() |> map(fn: (r) => ({_value: if exists r.nope then "yes" else "no ${r.host}"}))', ["no h0", "no h1"]),
    ],
)
def test_flux_gives_its_values(points: Wire, rest: str, expected: list[str]) -> None:
    assert [each["_value"] for each in rows(points, query(rest))] == expected


def test_range_ends_before_its_stop(points: Wire) -> None:
    flux = f'from(bucket: "d/a") |> range(start: {shown(BASE)}, stop: {shown(BASE + HOUR)}) |> group() |> count()'
    assert [each["_value"] for each in rows(points, flux)] == ["60"]


def test_windows_are_cut_at_the_ends_of_the_range(points: Wire) -> None:
    start, stop = shown(BASE + HOUR // 2), shown(BASE + 3 * HOUR // 2)
    flux = f'from(bucket: "d/a") |> range(start: {start}, stop: {stop}) |> group()'
    told = rows(points, f"{flux} |> aggregateWindow(every: 1h, fn: count)")
    assert [(each["_time"], each["_value"]) for each in told] == [
        ("2023-11-15T01:00:00Z", "30"),
        ("2023-11-15T01:30:00Z", "30"),
    ]


def test_pivot_makes_columns_of_fields(points: Wire) -> None:
    write(points, f'm,host=h0 s="x" {BASE}')
    flux = query('pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> limit(n: 1)')
    assert [(each["host"], each["v"], each.get("s")) for each in rows(points, flux)] == [
        ("h0", "0", "x"),
        ("h1", "1", None),
    ]


def test_annotations_tell_types_and_groups(points: Wire) -> None:
    flux = query('filter(fn: (r) => r.host == "h0") |> last() |> drop(columns: ["_start", "_stop"])')
    assert ask(points, flux, annotations=["datatype", "group", "default"]).body.split("\r\n") == [
        "#datatype,string,long,dateTime:RFC3339,long,string,string,string",
        "#group,false,false,false,false,true,true,true",
        "#default,_result,,,,,,",
        ",result,table,_time,_value,_field,_measurement,host",
        ",,0,2023-11-15T01:58:00Z,118,v,m,h0",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("flux", "status", "message"),
    [
        (query("count()", "nope"), 404, 'could not find bucket "nope"'),
        (query("cont()"), 400, "undefined identifier cont"),
        ('from(bucket: "d/a" |> ', 400, "compilation failed: error @1:"),
        (query('filter(fn: (r) => r._value > "x")'), 400, "type error: int != string"),
        (f"{query('sum()')}\n{query('count()')}", 400, 'found duplicate yield name "_result"'),
        ('from(bucket: "d/a") |> range(start: 1h, stop: -1h)', 400, "cannot query an empty range"),
        ("x = 1", 400, "this Flux script returns no streaming data"),
        (query("derivative()"), 501, "the double does not evaluate derivative"),
        ('import "date"\nx = 1', 501, "the double does not evaluate the package date"),
    ],
)
def test_flux_that_cannot_run_is_refused(points: Wire, flux: str, status: int, message: str) -> None:
    got = ask(points, flux)
    assert got.status == status
    assert message in got.body["message"]


def test_task_rolls_up_when_it_is_run(points: Wire) -> None:
    org = points.made("GET", "/api/v2/orgs")["orgs"][0]["id"]
    task = points.made("POST", "/api/v2/tasks", {"orgID": org, "flux": ROLLUP})["id"]
    due = shown(BASE + 2 * HOUR)
    for _ in range(2):
        made = points.made("POST", f"/api/v2/tasks/{task}/runs", {"scheduledFor": due})
        assert (made["status"], made["scheduledFor"]) == ("scheduled", due)
    runs = points.made("GET", f"/api/v2/tasks/{task}/runs")["runs"]
    assert [(each["status"], each["log"]) for each in runs] == [("success", [])] * 2
    told = rows(points, query('group() |> sort(columns: ["_field", "host", "_time"])', "d/b"))
    hours = ("2023-11-15T00:00:00Z", "2023-11-15T01:00:00Z")
    assert [(each["_field"], each["host"], each["_time"], each["_value"]) for each in told] == [
        ("samples", "h0", hours[0], "30"),
        ("samples", "h0", hours[1], "30"),
        ("samples", "h1", hours[0], "30"),
        ("samples", "h1", hours[1], "30"),
        ("total", "h0", hours[0], "870"),
        ("total", "h0", hours[1], "2670"),
        ("total", "h1", hours[0], "900"),
        ("total", "h1", hours[1], "2700"),
    ]


def test_run_that_fails_says_why(points: Wire) -> None:
    org = points.made("GET", "/api/v2/orgs")["orgs"][0]["id"]
    flux = 'option task = {name: "t", every: 1h}\nfrom(bucket: "nope") |> range(start: -1h) |> to(bucket: "d/b")'
    task = points.made("POST", "/api/v2/tasks", {"orgID": org, "flux": flux})["id"]
    points.made("POST", f"/api/v2/tasks/{task}/runs", {})
    [run] = points.made("GET", f"/api/v2/tasks/{task}/runs")["runs"]
    assert (run["status"], run["log"][0]["message"].rpartition(": ")[2]) == ("failed", 'could not find bucket "nope"')


def test_shorter_retention_drops_whole_shards_that_ended_before(points: Wire) -> None:
    org = points.made("GET", "/api/v2/orgs")["orgs"][0]["id"]
    made = points.made("POST", "/api/v2/buckets", {"orgID": org, "name": "long"})["id"]
    now = time.time_ns()
    write(points, "\n".join(f"m v={n} {now - n * 24 * HOUR}" for n in range(30)), "long")
    rules = [{"type": "expire", "everySeconds": 10 * 86400, "shardGroupDurationSeconds": 86400}]
    points.made("PATCH", f"/api/v2/buckets/{made}", {"retentionRules": rules})
    assert int(rows(points, query("count()", "long"))[0]["_value"]) in (11, 12)


def test_delete_takes_what_its_predicate_says(points: Wire) -> None:
    body = {"start": shown(BASE), "stop": shown(BASE + HOUR), "predicate": '_measurement="m" AND host="h0"'}
    assert points.send("POST", f"/api/v2/delete?org={ORG}&bucket=d/a", body).status == 204
    assert [each["_value"] for each in rows(points, query("count()"))] == ["29", "60"]


def test_write_of_1_x_goes_by_the_mapping(points: Wire) -> None:
    assert points.send("POST", "/write?db=d&rp=b", "m v=1", content_type="text/plain").status == 204
    assert [each["_value"] for each in rows(points, query("count()", "d/b"))] == ["1"]
    assert points.send("POST", "/write?db=d&rp=z", "m v=1", content_type="text/plain").status == 404

"""Documents that are refused before any server is asked: the whole message of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Told = Callable[..., list[str]]

DATABASE = "  - create_database: {name: app}\n"
RAW = "  - create_retention_policy: {database: app, name: raw, duration: 24h}\n"
HOURLY = "  - create_retention_policy: {database: app, name: hourly, duration: 30d}\n"
ROLLUP = """\
  - create_rollup:
      database: app
      name: by_hour
      from: {tier: raw, measurement: requests}
      into: {tier: hourly, measurement: requests_1h}
      every: 1h
      fields: {total: sum(bytes)}
      group_by: [host]
"""
_RULE = 'write a name without / \\ " and control characters that does not begin with _'
_FILE = "influx/0001_case.yaml"


def test_documents_good_ones_say_nothing(told: Told) -> None:
    assert told(DATABASE, RAW + HOURLY + ROLLUP) == []


@pytest.mark.parametrize(
    ("body", "what", "place", "fix"),
    [
        ("create_database: {name: a/b}", "create_database.name is a/b", "2:23", f"{_RULE} or provision_"),
        ("create_database: {name: ..}", "create_database.name is ..", "2:23", f"{_RULE} or provision_"),
        ("create_database: {name: ''}", 'create_database.name is ""', "2:23", f"{_RULE} or provision_"),
        (
            "create_database: {name: _monitoring}",
            "create_database.name is _monitoring",
            "2:23",
            f"{_RULE} or provision_",
        ),
        (
            "create_database: {name: provision_x}",
            "create_database.name is provision_x",
            "2:23",
            f"{_RULE} or provision_",
        ),
        (
            "drop_retention_policy: {database: app, name: 'a\\b'}",
            "drop_retention_policy.name is a\\b",
            "2:44",
            _RULE,
        ),
        (
            "create_retention_policy: {database: app, name: raw, duration: 1y}",
            "create_retention_policy.duration is 1y",
            "2:57",
            "write how long points are kept: a duration such as 24h, 30d, 52w, or inf",
        ),
        (
            "create_retention_policy: {database: app, name: raw, duration: 30m}",
            "duration is 30m, the shortest that InfluxDB takes is 1h",
            "2:57",
            "write 1h or more, or inf",
        ),
        (
            "create_retention_policy: {database: app, name: raw, duration: 24h, shard_duration: 1m}",
            "shard_duration is 1m, the shortest that InfluxDB takes is 1h",
            "2:72",
            "write 1h or more",
        ),
        (
            "create_retention_policy: {database: app, name: raw, duration: 24h, shard_duration: 2d}",
            "shard_duration is 2d, longer than the duration of 24h",
            "2:72",
            "write 24h or less",
        ),
        (
            "create_retention_policy: {database: app, name: raw, duration: 24h, shard_durration: 1h}",
            "create_retention_policy has no key shard_durration",
            "2:72",
            "did you mean shard_duration?",
        ),
    ],
)
def test_documents_bad_body_is_told_with_its_place(told: Told, body: str, what: str, place: str, fix: str) -> None:
    text = f"up:\n  - {body}\ndown:\n  - drop_database: {{name: app}}\n"

    assert told(text) == [f"{what} | {_FILE}:{place} | {fix} [document-invalid 2]"]


@pytest.mark.parametrize(
    ("body", "what", "place", "fix"),
    [
        (
            "{database: app, name: raw, duration: 59m}",
            "duration is 59m, the shortest that InfluxDB takes is 1h",
            "duration",
            "write 1h or more, or inf",
        ),
        (
            "{database: app, name: raw, duration: 2h, shard_duration: 1d}",
            "shard_duration is 24h, longer than the duration of 2h",
            "shard_duration",
            "write 2h or less",
        ),
        (
            "{database: app, name: raw}",
            "nothing is to be altered",
            "name",
            "state a duration, a shard_duration or `default: true`",
        ),
    ],
)
def test_documents_bad_alteration_is_told(told: Told, body: str, what: str, place: str, fix: str) -> None:
    line = f"  - alter_retention_policy: {body}"
    text = f"up:\n{line}\ndown: {{irreversible: x}}\n"

    assert told(text) == [f"{what} | {_FILE}:2:{line.index(f'{place}:') + 1} | {fix} [document-invalid 2]"]


def test_documents_second_default_tier_is_refused(told: Told) -> None:
    default = "  - create_retention_policy: {{database: app, name: {}, duration: 24h, default: true}}\n"

    assert told(DATABASE, default.format("raw"), default.format("other")) == [
        "tier other would be a second default of app: tier raw of influx/0002_case.yaml:2 is it |"
        " influx/0003_case.yaml:2:5 | leave `default` out, or move it with alter_retention_policy"
        " [document-invalid 2]"
    ]


def test_documents_default_that_was_moved_is_no_second_one(told: Told) -> None:
    first = "  - create_retention_policy: {database: app, name: raw, duration: 24h, default: true}\n"
    moved = "  - alter_retention_policy: {database: app, name: autogen, default: true}\n"
    second = "  - create_retention_policy: {database: app, name: other, duration: 24h, default: true}\n"

    assert told(DATABASE + first, f"up:\n{moved}{second}down: {{irreversible: x}}\n") == []


def test_documents_rollup_from_and_into_missing_tiers_is_refused(told: Told) -> None:
    there = "make it before with create_retention_policy; those there: autogen"

    assert told(DATABASE, ROLLUP) == [
        f"no tier raw is there in app by then | influx/0002_case.yaml:2:5 | {there} [document-invalid 2]",
        f"no tier hourly is there in app by then | influx/0002_case.yaml:2:5 | {there} [document-invalid 2]",
    ]


def test_documents_rollup_that_reads_what_it_writes_is_refused(told: Told) -> None:
    text = ROLLUP.replace("tier: hourly, measurement: requests_1h", "tier: raw, measurement: requests")

    assert told(DATABASE + RAW + text) == [
        f"the rollup writes where it reads | {_FILE}:8:7 | name another tier or measurement [document-invalid 2]"
    ]


def test_documents_rollup_beyond_what_its_source_keeps_is_refused(told: Told) -> None:
    text = ROLLUP.replace("every: 1h", "every: 1h\n      late: 24h")

    assert told(DATABASE + RAW + HOURLY + text) == [
        f"rollup by_hour reads back 25h, and tier raw keeps points only 24h | {_FILE}:5:5 | shorten `every` or `late`,"
        " or keep the points longer [document-invalid 2]"
    ]


def test_documents_rollup_with_unknown_function_is_told_with_the_known_ones(told: Told) -> None:
    text = ROLLUP.replace("sum(bytes)", "average(bytes)")

    assert told(DATABASE + RAW + HOURLY + text) == [
        f"create_rollup.fields.total is average(bytes) | {_FILE}:11:16 | write a function of a field such as sum(value)"
        " or sum(value::integer), one divided by another, or the sqrt(…) of that;"
        " functions: count, first, last, max, mean, min, spread, stddev, sum"
        " [document-invalid 2]"
    ]


@pytest.mark.parametrize(
    ("again", "what", "fix"),
    [
        (DATABASE, "database app is made twice, first in influx/0001_case.yaml:2", "keep one of them"),
        (
            RAW,
            "tier raw of app is made twice, first by influx/0001_case.yaml:3",
            "name it otherwise, or change it with alter_retention_policy",
        ),
        (
            "  - create_retention_policy: {database: app, name: autogen, duration: inf}\n",
            "tier autogen of app is made twice, first by create_database in influx/0001_case.yaml:2",
            "name it otherwise, or change it with alter_retention_policy",
        ),
        (
            ROLLUP,
            "rollup by_hour of app is made twice, first by influx/0001_case.yaml:5",
            "name it otherwise, or delete the first with drop_rollup",
        ),
    ],
)
def test_documents_same_name_twice_is_refused(told: Told, again: str, what: str, fix: str) -> None:
    assert told(DATABASE + RAW + HOURLY + ROLLUP, again) == [
        f"{what} | influx/0002_case.yaml:2:5 | {fix} [document-invalid 2]"
    ]


@pytest.mark.parametrize(
    ("operation", "what", "fix"),
    [
        (
            "alter_retention_policy: {database: app, name: rw, duration: 2h}",
            "no tier rw is there in app by then",
            "make it before with create_retention_policy; those there: autogen, raw, hourly",
        ),
        (
            "drop_retention_policy: {database: app, name: rw}",
            "no tier rw is there in app by then",
            "make it before with create_retention_policy; those there: autogen, raw, hourly",
        ),
        (
            "drop_retention_policy: {database: other, name: raw}",
            "no database other is there by then",
            "add `create_database: {name: other}` before it",
        ),
        (
            "drop_database: {name: other}",
            "no database other is there by then",
            "add `create_database: {name: other}` before it",
        ),
        (
            "drop_rollup: {database: app, name: by_day}",
            "no rollup by_day is there in app by then",
            "those there: by_hour",
        ),
        (
            "drop_retention_policy: {database: app, name: hourly}",
            "tier hourly of app is still used by rollup by_hour of influx/0001_case.yaml:5",
            "delete the rollup first, with drop_rollup",
        ),
        (
            "alter_retention_policy: {database: app, name: raw, shard_duration: 2d}",
            "shard_duration is 2d, longer than the duration of 24h",
            "write 24h or less",
        ),
    ],
)
def test_documents_change_of_what_is_not_there_is_refused(told: Told, operation: str, what: str, fix: str) -> None:
    second = f"up:\n  - {operation}\ndown: {{irreversible: x}}\n"

    assert told(DATABASE + RAW + HOURLY + ROLLUP, second) == [
        f"{what} | influx/0002_case.yaml:2:5 | {fix} [document-invalid 2]"
    ]


_RAW_OPERATION = """\
  - influxql:
      statement: {}
      probe: {{query: {}, equals: []}}
      down: DROP SERIES FROM m
"""


@pytest.mark.parametrize(
    ("statement", "query", "what", "place", "fix"),
    [
        (
            "DROP SERIES FROM a; DROP SERIES FROM b",
            "SHOW SERIES",
            "two statements: the server hides what became of the first",
            "3:7",
            "write one at a time",
        ),
        (
            "CREATE USER x WITH PASSWORD 'abc'",
            "SHOW USERS",
            "a password would stand in a file",
            "3:7",
            "set it by hand",
        ),
        (
            "DROP DATABASE provision_vfr",
            "SHOW DATABASES",
            "databases that begin with provision_ are provision's own",
            "3:7",
            "leave it out",
        ),
        (
            "CREATE DATABASE x",
            "CREATE DATABASE y",
            "the probe does not begin with SELECT or SHOW",
            "4:7",
            "ask with one that does",
        ),
    ],
)
def test_documents_bad_influxql_is_refused(
    told: Told, statement: str, query: str, what: str, place: str, fix: str
) -> None:
    assert told(_RAW_OPERATION.format(statement, query)) == [f"{what} | {_FILE}:{place} | {fix} [document-invalid 2]"]


def test_documents_tab_and_duplicate_key_are_told(told: Told) -> None:
    assert told("up:\n\t- create_database: {name: app}\n") == [
        f"the line is indented with a tab | {_FILE}:2:1 | indent with spaces [bad-yaml 2]"
    ]
    assert told("  - create_database: {name: app, name: other}\n") == [
        f"name is given twice, first on line 2 | {_FILE}:2:34 | keep one of them [document-invalid 2]"
    ]

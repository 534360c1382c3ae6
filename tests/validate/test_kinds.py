"""Kinds that look at a whole table, on both engines, and the options that choose among checks."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.validate.platform import Platform
from tests.vfr.factories import postgres as factory

STORES = ("postgres", "clickhouse")
HEAD = "store: {store}\ntable: readings\ntime: at\ntenant: tenant\nchecks:\n  - name: one\n    {check}\n"
MADE = {
    "postgres": "create table readings (id int not null, tenant text, value numeric(6,2), at timestamptz not null)",
    "clickhouse": "create table readings (id Int32, tenant Nullable(String), value Nullable(Decimal(6,2)),"
    " at DateTime64(3, 'UTC')) engine = MergeTree order by id",
}
ROWS = "(1, 'a', 10, {now}), (2, 'a', 20, {now}), (3, 'b', 30, {now}), (4, null, null, {now})"
NOW = {"postgres": "now()", "clickhouse": "now64(3)"}


class Readings:
    """A table of four rows in one of the stores."""

    def __init__(self, platform: Platform, store: str) -> None:
        self.platform, self.store = platform, store
        self.send("drop table if exists readings")
        self.send(MADE[store])
        self.insert(ROWS)

    def send(self, statement: str) -> None:
        (self.platform.sql if self.store == "postgres" else self.platform.ch)(statement)

    def insert(self, rows: str) -> None:
        self.send(f"insert into readings values {rows.format(now=NOW[self.store])}")

    def made(self, check: str, *arguments: object) -> dict[str, Any]:
        """The result of one check."""
        self.platform.suite("readings", HEAD.format(store=self.store, check=check))
        ran = self.platform.validate("readings", *arguments)
        assert "results" in ran.json, ran.out
        return next(dict(each) for each in ran.json["results"] if each["check"] == "one")

    def refused(self, check: str) -> str:
        self.platform.suite("readings", HEAD.format(store=self.store, check=check))
        ran = self.platform.run("validate", "readings")
        assert (ran.code, ran.out) == (2, ""), ran
        return ran.err


@pytest.fixture(params=STORES)
def readings(platform: Platform, request: pytest.FixtureRequest) -> Any:
    made = Readings(platform, request.param)
    yield made
    made.send("drop table readings")


@pytest.mark.parametrize(
    ("check", "status", "bad", "message"),
    [
        ("assert: {sql: SELECT id FROM readings WHERE id > 9}", "pass", 0, ""),
        ("assert: {sql: 'SELECT id FROM readings WHERE id > 2 -- of them;'}", "fail", 2, "2 rows answered, none is"),
        ("assert: {sql: SELECT count(*) FROM readings, expect: {equals: 4}}", "pass", 0, "the value is 4, 4 is wanted"),
        ("assert: {sql: SELECT count(*) FROM readings, expect: {equals: 5}}", "fail", 1, "the value is 4, 5 is wanted"),
        ("assert: {sql: SELECT max(value) FROM readings, expect: {below: 30}}", "fail", 1, "30.0, below 30 is wanted"),
        ("assert: {sql: SELECT max(value) FROM readings, expect: {min: 29.5, max: 30}}", "pass", 0, "at most 30 is"),
        ("assert: {sql: SELECT min(tenant) FROM readings, expect: {equals: a}}", "pass", 0, "the value is a, a is"),
        (
            "assert: {sql: SELECT max(value) FROM readings WHERE id = 4, expect: {max: 9}}",
            "fail",
            1,
            "is NULL, at most",
        ),
        ("assert: {sql: SELECT id FROM readings, expect: {equals: 1}}", "error", 0, "2 rows or more of 1 columns"),
        (
            "assert: {sql: \"SELECT '10'\", expect: {max: 5}}",
            "error",
            0,
            "the value is 10, of type str, and max asks for",
        ),
        ("assert: {sql: \"SELECT ''\", expect: {below: 5}}", "error", 0, "of type str, and below asks for a number"),
        ("assert: {sql: \"SELECT date '1999-01-01'\", expect: {min: 10}}", "error", 0, "of type date, and min asks"),
        ("assert: {sql: \"SELECT '10'\", expect: {equals: 10}}", "pass", 0, ""),
        ("assert: {sql: \"SELECT date '2020-01-01'\", expect: {equals: '2020-01-01'}}", "pass", 0, ""),
        ("assert: {sql: \"SELECT date '2020-01-02'\", expect: {equals: '2020-01-01'}}", "fail", 1, "2020-01-02, 2020"),
        ("unique_combination: [tenant, value]", "pass", 0, ""),
        ("not_null_share: {column: value, min: 0.75}", "pass", 1, "75.0000% have a value, 75.0000% at least are"),
        ("not_null_share: {column: value, min: 0.751}", "fail", 1, "75.0000% have a value, 75.1000% at least are"),
        ("row_count_ratio: {to: {table: readings}, min: 1, max: 1}", "pass", 0, "1 for each; 1 to 1 is wanted"),
        ("row_count_ratio: {to: {store: postgres, table: users}, max: 1}", "fail", 1, "4 rows for 3 of postgres users"),
        ("columns: {expected: {id: int, nosuch: text}}", "fail", 1, "nosuch: it is not there"),
        ("columns: {expected: {tenant: {nullable: true}, id: {nullable: false}}}", "pass", 0, ""),
        ("columns: {expected: {tenant: {nullable: false}}}", "fail", 1, "tenant: it may hold NULL"),
        ("columns: {expected: {id: text}}", "fail", 1, ", text is wanted"),
        ("columns: {expected: {id: {}}, extra: false}", "fail", 3, "and the suite does not know it"),
    ],
)
def test_check_of_a_table(readings: Readings, check: str, status: str, bad: int, message: str) -> None:
    if readings.store == "clickhouse":
        check = check.replace("id: int", "id: Int32")

    found = readings.made(check)

    assert (found["status"], found["bad"]) == (status, bad), found
    assert message in found["message"]
    assert bool(found["samples"]) == (status == "fail" and "ratio" not in check)


def test_combination_with_a_null_is_found_twice_and_shown(readings: Readings) -> None:
    readings.insert("(5, null, null, {now}), (6, 'b', 30, {now})")

    found = readings.made("unique_combination: [tenant, value]\n    sample: [id]")

    assert (found["bad"], sorted(row["id"] for row in found["samples"])) == (4, [3, 4, 5, 6])
    assert readings.made("unique: [tenant, value]")["bad"] == 2


@pytest.mark.parametrize(
    ("kind", "same", "other"),
    [
        ("value", ["numeric(6,2)", "numeric", "decimal(6, 2)"], ["numeric(6,3)", "real"]),
        ("id", ["int", "integer", "int4"], ["bigint", "int8"]),
        ("at", ["timestamptz", "timestamp with time zone"], ["timestamp", "date"]),
    ],
)
def test_types_of_postgres_have_several_names(platform: Platform, kind: str, same: list[str], other: list[str]) -> None:
    readings = Readings(platform, "postgres")
    try:
        told = {each: readings.made(f"columns: {{expected: {{{kind}: '{each}'}}}}")["status"] for each in same + other}
    finally:
        readings.send("drop table readings")

    assert told == dict.fromkeys(same, "pass") | dict.fromkeys(other, "fail")


def test_masked_value_of_an_assertion_is_not_shown(readings: Readings) -> None:
    check = "assert: {sql: 'SELECT tenant FROM readings WHERE id = 3', expect: %s}\n    mask: [tenant]"
    found = readings.made(check % "{equals: c}")
    assert (found["message"], found["samples"]) == ("the value is •••, c is wanted", [{"value": "•••"}])
    found = readings.made(check % "{min: 1}")
    assert (found["status"], found["message"][:24]) == ("error", "the value is •••, of typ")


def test_masked_column_of_an_assertion_is_not_fetched(readings: Readings) -> None:
    found = readings.made("assert: {sql: 'SELECT id, tenant FROM readings WHERE id = 1'}\n    mask: [tenant]")

    assert found["samples"] == [{"id": 1, "tenant": "•••"}]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("assert: {sql: SELECT nosuch FROM readings}", "nosuch"),
        ("assert: {sql: SELEC 1}", "error[bad-expression]"),
        ("assert: {sql: SELECT 1, expect: {rows: some}}", "expect"),
        ("distribution: {column: tenant, mean: {change: 0.1}}", "no number"),
        ("distribution: {column: nosuch, mean: {change: 0.1}}", "has no column nosuch"),
        ("distribution: {column: value, mean: {}}", "mean"),
        ("row_count_ratio: {to: {table: nosuch}, min: 1}", "has no table nosuch"),
        ("not_null_share: {column: value, min: 0.5}\n    fail_if: {count: 1}", "`min` says already"),
    ],
)
def test_what_cannot_be_made_is_said_before_anything_is_read(readings: Readings, check: str, message: str) -> None:
    assert message in readings.refused(check)


def test_distribution_goes_by_its_own_history_and_says_when_there_is_too_little(readings: Readings) -> None:
    check = (
        "distribution: {column: value, history: 2, mean: {change: 0.1}, quantiles: {at: [0.5, 1], by: 5},"
        " share: {of: 10, by: 0.05}}"
    )

    first, second, third = (readings.made(check) for _ in range(3))
    readings.insert("(7, 'c', 10, {now}), (8, 'c', 10, {now}), (9, 'c', 900, {now})")
    fourth = readings.made(check)

    assert [(each["status"], each["message"]) for each in (first, second)] == [
        ("empty", "0 of 2 earlier runs to compare with"),
        ("empty", "1 of 2 earlier runs to compare with"),
    ]
    assert (third["status"], third["message"]) == ("pass", "")
    assert fourth["status"] == "fail"
    for said in ("mean 163.333, usually 20", "p100 900, usually 30", "share 0.428571, usually 0.25"):
        assert said in fourth["message"], fourth


def test_kind_that_a_store_cannot_make_is_a_sentence() -> None:
    from provision.errors import CapabilityMissing
    from provision.stores.redis.validate.checks import RedisChecks
    from provision.validate.across import CheckContext

    world = CheckContext({"cache": RedisChecks.__new__(RedisChecks)}, lambda _table, _check: ())
    with pytest.raises(CapabilityMissing, match="`assert` asks a question of its own in SQL") as caught:
        world.queries("cache", "assert")
    assert caught.value.fix == "take the check out of the suite"


TAGGED = """
owner: risk
tags: [all]
tables:
  - store: postgres
    table: users
    time: created_at
    tags: [people]
    checks:
      - {name: short, bad: length(email) < 99, tags: [hourly], owner: "o'ps \\\\ \\"x\\""}
      - {name: none, not_null: email}
  - {store: postgres, table: tenants, checks: [{name: slug, not_null: slug}]}
"""


@pytest.mark.parametrize(
    ("tag", "checks"),
    [("all", ["short", "none", "slug"]), ("people", ["short", "none"]), ("hourly", ["short"])],
)
def test_tag_chooses_checks(platform: Platform, tag: str, checks: list[str]) -> None:
    platform.suite("people", TAGGED)

    results = platform.validate("people", "--tag", tag).json["results"]

    assert [each["check"] for each in results if each["check"] != "rows"] == checks
    assert {each["owner"] for each in results} <= {"risk", 'o\'ps \\ "x"'}


def test_unknown_tag_is_refused(platform: Platform) -> None:
    platform.suite("people", TAGGED)

    assert "no check has the tag hourlie" in platform.run("validate", "people", "--tag", "hourlie").err


def test_metrics_are_what_prometheus_reads(platform: Platform, tmp_path: Any) -> None:
    platform.suite("people", TAGGED)
    path = tmp_path / "checks.prom"

    ran = platform.validate("people", "--metrics", path)

    families = {each.name: each.samples for each in text_string_to_metric_families(path.read_text(encoding="utf-8"))}
    bad = {sample.labels["check"]: sample for sample in families["provision_check_bad_rows"]}
    assert len(families["provision_check_status"]) == len(ran.json["results"])
    assert (bad["short"].value, bad["none"].value) == (3.0, 0.0)
    assert bad["short"].labels == {
        "project": "vfr", "environment": "test", "suite": "people", "store": "postgres", "table": "users",
        "check": "short", "severity": "high", "owner": "o'ps \\ \"x\"",
    }  # fmt: skip
    fails = {sample.labels["check"]: sample.value for sample in families["provision_check_fails_run"]}
    assert fails == {each["check"]: float(each["fails_run"]) for each in ran.json["results"]}
    assert list(tmp_path.iterdir()) == [path]
    lost = platform.run("validate", "people", "--metrics", tmp_path / "none" / "a.prom")
    assert (lost.code, "error[report-lost]" in lost.err) == (5, True)
    lost = platform.run("validate", "people", "--metrics", "")
    assert (lost.code, "error[report-lost]" in lost.err) == (5, True), lost.err


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize(("hours", "code"), [(0, 0), (5, 1)])
def test_time_without_a_zone_is_utc_to_freshness_and_since(
    platform: Platform, zone: str, hours: int, code: int
) -> None:
    [(database,)] = platform.sql("select current_database()")
    platform.sql(f"alter database \"{database}\" set timezone = '{zone}'")
    try:
        platform.sql("create table zoneless (id int primary key, at timestamp)")
        platform.sql(f"insert into zoneless values (1, (now() at time zone 'UTC') - interval '{hours} hours')")
        platform.suite(
            "zoneless",
            "store: postgres\ntable: zoneless\ntime: at\nchecks:\n  - {name: one, freshness: {within: 2h}}\n",
        )
        ran = platform.validate("zoneless")
        assert ran.code == code, ran.out
        ran = platform.validate("zoneless", "--since", "3h")
        assert {each["total"] for each in ran.json["results"]} == {1 - bool(hours)}
    finally:
        platform.sql("drop table if exists zoneless")
        platform.sql(f'alter database "{database}" reset timezone')


@pytest.mark.parametrize("tables", ["[]", "", "{}", "x"])
def test_suite_without_tables_is_refused_in_words(platform: Platform, tables: str) -> None:
    platform.suite("readings", f"tables: {tables}\n")
    ran = platform.run("validate", "readings")
    assert ran.code == 2
    assert "unexpected" not in ran.err
    assert "tables" in ran.err


def test_since_last_reads_what_came_after_the_last_whole_run(platform: Platform) -> None:
    platform.suite(
        "people", "store: postgres\ntable: users\ntime: created_at\nchecks:\n  - {name: one, not_null: email}"
    )

    def total(*options: str) -> tuple[int, str]:
        ran = platform.run("validate", "people", "-o", "json", *options)
        return ran.json["results"][0]["total"], ran.err

    assert total("--since", "last") == (
        3,
        "since last: no earlier run of all these suites is kept, so that all rows were read\n",
    )
    with platform.rows() as connection:
        factory.insert(connection, "users", tenant_id="acme", email="late@acme.example")
    again, note = total("--since", "last")
    assert (again, note.startswith("since last: rows from ")) == (1, True)
    assert total("--since", "last")[0] == 0
    refused = platform.run("validate", "people", "--since", "last", "--no-history")
    assert refused.code == 2
    assert "--since last goes by the results that the home store keeps" in refused.err

"""Nothing passes silently: rows that cannot be seen, rows from the future, nothing to read; all outputs agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest

from provision.cli.render import checks as render
from provision.cli.render.check_forms import github, junit
from provision.cli.render.check_page import page
from provision.errors import FailedError
from provision.flows.validate import Validation
from provision.model.checks import (
    MIN_ROWS,
    Check,
    CheckSeverity,
    Limit,
    Result,
    Scope,
    Status,
    Suite,
    Table,
    ValidationRun,
)
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.server import Client
from provision.validate.columns import age_tally
from tests.validate.platform import REPOSITORY, Platform
from tests.validate.test_planted import SUITES
from tests.vfr.clickhouse.rows import GOOD, ID

EPOCH = datetime(2026, 1, 2, tzinfo=UTC)
HIDDEN = """
drop role if exists watcher;
create role watcher login;
grant select on users, tenants, trading_decisions to watcher;
"""
PEOPLE = "store: postgres\ntable: users\ntime: created_at\nchecks:\n  - name: one\n    "


def suite(platform: Platform, text: str, head: str = PEOPLE) -> None:
    platform.suite("people", head + text)


@pytest.mark.parametrize(
    ("head", "check", "table"),
    [
        (PEOPLE, "bad: email = ''", "users"),
        (PEOPLE, "volume: {min: 0}", "users"),
        (PEOPLE.replace("users", "seen_users"), "not_null: email", "users"),
        (PEOPLE.replace("users", "plain"), "bad: NOT EXISTS (SELECT FROM users u WHERE u.id = plain.id)", "users"),
        (PEOPLE.replace("users", "plain"), "reference: {column: id, to: {table: users, column: id}}", "users"),
        (
            PEOPLE.replace("users", "plain"),
            "parity: {with: {store: postgres, table: users}, key: id, columns: [email]}",
            "users",
        ),
    ],
)
def test_rows_that_row_security_hides_are_an_error_before_anything_is_read(
    platform: Platform, head: str, check: str, table: str
) -> None:
    platform.sql("drop view if exists seen_users; drop table if exists plain")
    platform.sql("create table plain as select * from users")
    platform.sql("create view seen_users with (security_invoker) as select * from users")
    for statement in filter(str.strip, HIDDEN.split(";")):
        platform.sql(statement)
    platform.sql("grant select on plain, seen_users to watcher")
    suite(platform, check, head)
    try:
        seen = platform.run("validate", "people", CHECKS_POSTGRES=platform.postgres.replace("postgres@", "watcher@"))
        owner = platform.run("validate", "people")
    finally:
        platform.sql("drop view seen_users; drop table plain; drop owned by watcher; drop role watcher")

    assert (seen.code, seen.out) == (2, "")
    assert f"error[hidden-rows]: postgres: a row policy of {table} hides rows" in seen.err
    assert owner.code == 0, owner.err


# Policies cannot be made in the embedded engine as the tests run it; one that reads users.xml has them.
POLICY = """
import sys
from chdb import connect
from provision.model.backfills import Backfill
from provision.model.checks import Check, Table
from provision.stores.clickhouse.backfill.batches import ClickhouseWork
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.server import ServerRefused
from provision.stores.clickhouse.validate.refused import refused, types_of

engine = connect(sys.argv[1])
def tell(sql, form="TSV"):
    return str(engine.query(sql, form))
class Reading(ReadOnlyQueries):
    def ask(self, sql, _scope):
        try:
            return [tuple(line.split("\\t")) for line in tell(sql, "TSVRaw").splitlines()]
        except RuntimeError as error:
            raise ServerRefused(60, str(error)) from None
tell("create table kept (id UInt32, t String) engine = MergeTree order by id")
tell("create table free (id UInt32, t String) engine = MergeTree order by id")
tell("create view seen as select * from kept")
tell("create view deep as select * from free where id in (select id from kept)")
tell("insert into kept select number, toString(number % 3) from numbers(3000)")
reading = Reading(lambda: None)
PLAIN = ("bad", "t = ''"), ("not_null", "id"), ("unique", "id")
INSIDE = (
    "id IN (SELECT id FROM kept)",
    "id NOT IN (SELECT id FROM seen)",
    "id > (SELECT max(id) FROM default.kept)",
    "id IN (WITH k AS (SELECT id FROM kept) SELECT id FROM k)",
    "id IN (SELECT id FROM merge(currentDatabase(), '^kept$'))",
    "id IN (SELECT id FROM deep)",
    "(id, t) GLOBAL NOT IN kept",
    "t IN (SELECT t FROM free WHERE id IN (SELECT id FROM `kept` AS k))",
)
NONE = "id IN (SELECT id FROM free) AND t NOT IN ('a', 'b') AND id < (SELECT max(id) FROM default.free)"
def asked():
    yield from ((name, *each) for name in ("kept", "seen", "deep", "free") for each in PLAIN)
    yield from (("within", "bad", body) for body in INSIDE)
    yield "free", "bad", NONE
for word, kind, body in asked():
        name = "free" if word == "within" else word
        table = Table("clickhouse", name, (Check("one", kind, body),))
        found = refused(reading, table, types_of(reading, name))
        print(word, kind, body, *(f"{each.code} {each.what}" for each in found))
class Client:
    def rows(self, sql, given={}):
        for each, value in given.items():
            sql = sql.replace(f"{{{each}:String}}", f"'{value}'")
        return reading.ask(sql, None)
tell("create table sums (n UInt64) engine = MergeTree order by n")
WITHIN = "free where id in (select id from kept)"
for word, source in (("summed", "kept"), ("free sums", "free"), ("summed within", WITHIN)):
    tell("drop table if exists view_of")
    tell(f"create materialized view view_of to sums as select count() as n from {source}")
    body = {"view": "view_of", "time": "id", "before": "2026-01-01"}
    found = ClickhouseWork(None, Backfill("fill", "clickhouse", "", "", "", body), Client()).refused()
    print(word, *(f"{each.code} {each.what}" for each in found))
print(tell("select count() from kept"))
"""
USERS_XML = """
<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><password/>
<networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<databases><default><kept><filter>t = '1'</filter></kept></default></databases></default></users></clickhouse>
"""


def test_rows_that_a_policy_of_clickhouse_hides_are_an_error(tmp_path: Path) -> None:
    users = tmp_path / "users.xml"
    users.write_text(USERS_XML, encoding="utf-8")
    config = tmp_path / "config.xml"
    config.write_text(f"<clickhouse><users_config>{users}</users_config></clickhouse>", encoding="utf-8")
    place = f"{tmp_path / 'data'}?config-file={config}"

    done = subprocess.run(
        [sys.executable, "-c", POLICY, place], capture_output=True, text=True, timeout=120, cwd=REPOSITORY
    )

    assert done.returncode == 0, done.stderr
    *lines, rows = done.stdout.strip().splitlines()
    assert rows == "1000"  # of 3000: the policy is there
    for line in lines:
        told = (
            "row-security a row policy hides rows of default.kept"
            if "sum" in line
            else "hidden-rows clickhouse: a row policy of default.kept hides rows"
        )
        assert (told in line) == (not line.startswith("free")), line


@pytest.mark.parametrize(
    "quiet",
    [
        {"limit": "1", "offset": "1"},
        {"max_rows_to_read": "1000", "read_overflow_mode": "break"},
        {"additional_table_filters": "{'many': 'n < 10'}"},
    ],
)
def test_settings_of_a_user_that_cut_a_read_short_cut_none(platform: Platform, quiet: dict[str, str]) -> None:
    """What was read is all, or it is an error."""
    platform.ch("create table many (n UInt32) engine = MergeTree order by n settings index_granularity = 128")
    platform.ch("insert into many select number from numbers(100000)")
    client = Client(platform.clickhouse, "clickhouse")
    for name, value in quiet.items():
        client.driver().set_client_setting(name, value)
    queries = ReadOnlyQueries(lambda: client)
    try:
        found: object = queries.rows("select countIf(n % 2 = 1), count() from many", Scope())
    except FailedError as error:
        found = error.code
    finally:
        queries.close()
        platform.ch("drop table many")

    assert found == ("check-failed" if "max_rows_to_read" in quiet else [(50000, 100000)])


def test_statement_that_somebody_cancels_is_not_made_and_says_so(platform: Platform) -> None:
    slow = "bad: (SELECT pg_cancel_backend(pg_backend_pid())) AND pg_sleep(3) IS NULL"
    suite(platform, slow)

    ran = platform.validate("people")

    assert (ran.code, ran.found["one"]["status"]) == (1, "error")
    assert ran.found["one"]["message"] == "the statement was cancelled on the server"


FRESH = "freshness: {within: 1h}"


@pytest.mark.parametrize(
    ("moved", "status", "message"),
    [
        ("now()", "pass", "the newest row is 0s old, 1h is allowed"),
        ("now() + interval '2 minutes'", "pass", "the newest row is of 120s from now, 1h is allowed"),
        ("'2099-01-01'", "fail", "1 row from the future; the newest row is 3d old, 1h is allowed"),
        ("'infinity'", "fail", "1 row from the future; the newest row is 3d old, 1h is allowed"),
        ("'-infinity'", "fail", "the newest row is 3d old, 1h is allowed"),
    ],
)
def test_row_of_the_future_hides_no_stale_table_in_postgres(
    platform: Platform, moved: str, status: str, message: str
) -> None:
    platform.sql("update users set created_at = now() - interval '3 days'")
    platform.sql(f"update users set created_at = {moved} where id = '{ID.format(9)}'")
    suite(platform, FRESH)

    found = next(each for each in platform.validate("people").json["results"] if each["check"] == "one")

    assert found["status"] == status
    assert re.sub(r"is [01]s old|of 1[12]\ds from", lambda it: {"i": "is 0s old", "o": "of 120s from"}[it[0][0]],
                  found["message"]) == message  # fmt: skip


def test_row_of_the_future_hides_no_stale_table_in_clickhouse(platform: Platform) -> None:
    platform.plant("model_feedback_events", feedback_id=ID.format(77), timestamp="2099-01-01 00:00:00")
    head = PEOPLE.replace("postgres", "clickhouse").replace("users", "model_feedback_events")
    suite(platform, FRESH, head.replace("created_at", "timestamp"))

    found = platform.validate("people").found["one"]

    assert found["status"] == "fail"
    assert re.fullmatch(r"1 row from the future; the newest row is \d+d old, 1h is allowed", found["message"])


@pytest.mark.parametrize(
    ("age", "future", "total", "bad", "message"),
    [
        (5.0, 0, 3, 0, "the newest row is 5s old, 1h is allowed"),
        (5.0, 2, 3, 1, "2 rows from the future; the newest row is 5s old, 1h is allowed"),
        (None, 2, 2, 1, "2 rows from the future; no other row has a time"),
        (None, 0, 2, 1, "no row has a time"),
        (None, 0, 0, 0, ""),
    ],
)
def test_age_of_a_table(age: float | None, future: int, total: int, bad: int, message: str) -> None:
    tally = age_tally({"within": "1h"}, age, future, total)

    assert (tally.bad, tally.message) == (bad, message)


def test_share_is_held_as_it_was_written() -> None:
    assert not any(Limit(share=share / 100).exceeded(share, 100) for share in range(101))
    assert all(Limit(share=share / 100).exceeded(share + 1, 100) for share in range(101))


def result(status: Status, severity: CheckSeverity, name: str = "one") -> Result:
    return Result(
        "people", name, "bad", "postgres", "users", severity, status, bad=1, total=3, place="checks/p.yaml:1:1"
    )


def outcome(results: tuple[Result, ...], level: CheckSeverity, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Which of the outputs say that the run failed."""
    rows = Result("people", "rows", MIN_ROWS, "postgres", "users", CheckSeverity.MEDIUM, Status.PASS, total=3)
    run = ValidationRun("1", EPOCH, "test")
    found = Validation(run, (Suite("people", (Table("postgres", "users"),)),), (rows, *results), fail_on=level)
    root = ElementTree.fromstring(junit(found))
    suites = root.findall("testsuite")
    counted = sum(int(each.get(name, "0")) for each in suites for name in ("failures", "errors"))
    capsys.readouterr()
    render.show("shop", found, "text", everything=False)
    text = capsys.readouterr().out
    parts = {
        "exit code": found.fails(),
        "junit": bool(root.findall(".//failure") + root.findall(".//error")),
        "junit counts": counted > 0,
        "github": "::error " in github(found),
        "text": "✗" in text,
        "last line": bool(re.search(r"failed \(worst|not made", text.splitlines()[-1])),
        "json": any(each["fails_run"] for each in json.loads(render.as_json(found))["results"]),
        "page": 'data-fails="true"' in page("shop", found, ()),
    }
    return {name for name, failed in parts.items() if failed}


PARTS = {"exit code", "junit", "junit counts", "github", "text", "last line", "json", "page"}


def test_all_outputs_agree_on_every_combination(capsys: pytest.CaptureFixture[str]) -> None:
    """One rule: an error, or a failure that matters at least --fail-on."""
    for status, severity, level in product(Status, CheckSeverity, CheckSeverity):
        fails = status is Status.ERROR or (status is Status.FAIL and severity.rank >= level.rank)
        said = outcome((result(status, severity),), level, capsys)
        assert said == (PARTS if fails else set()), (status, severity, level)
    for one, two, level in product(Status, Status, CheckSeverity):
        results = (result(one, CheckSeverity.MEDIUM), result(two, CheckSeverity.CRITICAL, "two"))
        assert outcome(results, level, capsys) in (PARTS, set()), (one, two, level)


def test_check_without_severity_fails_the_run_by_default(platform: Platform) -> None:
    suite(platform, "bad: email <> ''")

    ran = platform.validate("people")

    assert (ran.code, ran.found["one"]["severity"], Check("a", "bad", "b").severity) == (1, "high", "high")
    assert "::error " in platform.run("validate", "people", "-o", "github").out
    lesser = platform.run("validate", "people", "--fail-on", "critical")
    assert (lesser.code, "✗" in lesser.out) == (0, False)
    assert "! one   high      3 of 3 (100 %)  below --fail-on critical" in lesser.out


def test_installed_platform_without_rows_reads_as_empty(platform: Platform) -> None:
    tables = [row[0] for row in platform.sql("select tablename from pg_tables where schemaname = 'public'")]
    platform.sql(f"truncate {', '.join(each for each in tables if each != 'alembic_version')} cascade")
    for table in GOOD:
        platform.ch(f"truncate table {table}")

    ran = platform.run("validate", *SUITES)

    assert ran.code == 0
    assert not re.search("✗|warned|failed|of 0|0 of", ran.out), ran.out
    assert re.search(r"^\d+ checks: \d+ empty in", ran.out.splitlines()[-1]), ran.out
    found = {
        each["status"] for each in json.loads(platform.run("validate", "probability", "-o", "json").out)["results"]
    }
    assert found == {"empty"}

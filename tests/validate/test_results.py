"""What becomes of what was found: statuses, exit codes, history, narrowing, forms."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from provision.cli.main import run
from tests.validate.platform import REPOSITORY, Platform
from tests.vfr.clickhouse.rows import ID
from tests.vfr.factories import postgres as factory

SCHEMA = json.loads((REPOSITORY / "docs" / "schemas" / "validate.json").read_text(encoding="utf-8"))
USERS = """
store: postgres
table: users
time: created_at
tenant: tenant_id
sample: [id, email]
mask: [email]
checks:
  - name: short
    bad: length(email) < {length}
    severity: {severity}
    {limit}
"""


def users(platform: Platform, length: int = 1, severity: str = "high", limit: str = "") -> None:
    """A suite over the three users, whose e-mail addresses have 14, 18 and 20 characters."""
    platform.suite("people", USERS.format(length=length, severity=severity, limit=limit))


def test_json_of_one_suite_and_of_several_follows_the_schema(platform: Platform) -> None:
    valid = jsonschema_rs.Draft202012Validator(SCHEMA)
    one, several = platform.validate("probability").json, platform.validate("probability", "models").json

    assert (one["suite"], one["environment"]) == ("probability", "test")
    assert [each["suite"] for each in several] == ["probability", "models"]
    valid.validate(one)
    valid.validate(several)
    assert not valid.is_valid({**one, "results": [{**one["results"][0], "status": "maybe"}]})


def test_schema_of_suites_is_that_of_the_page_and_holds_every_shipped_suite(platform: Platform) -> None:
    from provision.documents.yaml import parse

    printed = platform.run("schema", "checks").out
    assert (REPOSITORY / "docs" / "schemas" / "checks.json").read_text(encoding="utf-8") == printed
    valid = jsonschema_rs.Draft202012Validator(json.loads(printed))
    for path in (REPOSITORY / "checks").glob("*.yaml"):
        value, _ = parse(path.read_text(encoding="utf-8"), path.name)
        valid.validate(value)
        assert path.read_text(encoding="utf-8").startswith(
            "# yaml-language-server: $schema=../docs/schemas/checks.json"
        )


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [("high", "high", 1), ("medium", "high", 0), ("medium", "medium", 1), ("info", "info", 1), ("high", "critical", 0)],
)
def test_exit_code_goes_by_severity(platform: Platform, severity: str, fail_on: str, code: int) -> None:
    users(platform, 18, severity)

    assert platform.validate("people", "--fail-on", fail_on).code == code


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        ("", "fail"),
        ("fail_if: {count: 1}", "pass"),
        ("fail_if: {share: 0.5}", "pass"),
        ("fail_if: {share: 0.3}", "fail"),
        ("warn_if: {count: 0}", "warn"),
        ("warn_if: {count: 1}", "pass"),
        ("warn_if: {count: 0}\n    fail_if: {share: 0.5}", "warn"),
        ("fail_if: {count: 5, share: 0.1}", "fail"),
    ],
)
def test_limits_decide_between_pass_warn_and_fail(platform: Platform, limit: str, status: str) -> None:
    users(platform, 18, limit=limit)

    rows, short = platform.validate("people").json["results"]

    assert (rows["total"], short["bad"], short["total"], short["status"]) == (3, 1, 3, status)


def test_masked_column_is_never_shown_nor_fetched(platform: Platform) -> None:
    users(platform, 18)

    [sample] = platform.validate("people").found["short"]["samples"]

    assert sample == {"id": ID.format(9), "email": "•••"}
    assert "x@acme" not in platform.run("validate", "people").out


def test_sample_bounds_the_rows_shown(platform: Platform) -> None:
    users(platform, 99)

    assert len(platform.validate("people", "--sample", 2).found["short"]["samples"]) == 2
    assert platform.validate("people", "--sample", 0).found["short"]["samples"] == []


def test_tenant_and_time_narrow(platform: Platform) -> None:
    users(platform, 99)

    assert platform.validate("people", "--tenant", "globex").found["short"]["total"] == 1
    assert platform.validate("people", "--since", "1h").found["short"]["total"] == 3
    nothing = platform.validate("people", "--until", "2020-01-01")
    assert [(each["status"], each["message"]) for each in nothing.json["results"]] == [
        ("empty", "no rows to read"),
        ("empty", "no rows to read"),
        ("fail", "the suite read no rows at all"),
    ]
    assert nothing.code == 1
    platform.plant("trading_decisions_probabilistic", id=ID.format(5), timestamp="2026-01-02 04:00:00", symbol="ETH")
    narrowed = platform.validate("probability", "--since", "2026-01-02T03:30", "--until", "2026-01-03T00:00Z").json
    totals = {(each["store"], each["table"]): each["total"] for each in narrowed["results"]}
    assert totals["clickhouse", "trading_decisions_probabilistic"] == 1


def test_table_that_cannot_be_narrowed_is_left_out_and_said(platform: Platform) -> None:
    ran = platform.validate("features", "--tenant", "acme")
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "nothing-to-check")

    ran = platform.validate("features", "--since", "1d")
    query = "windows_run_out is left out: its query cannot be narrowed"
    assert ran.err == (
        f"postgres ml_feature_store {query}\npostgres ml_enhancement_store {query}\n"
        "postgres ml_feature_definitions is left out: its suite names no `time` to narrow it by\n"
    )
    assert "ml_feature_definitions" not in {each["table"] for each in ran.json["results"]}


def test_parity_that_cannot_be_narrowed_is_left_out_and_said(platform: Platform) -> None:
    text = (REPOSITORY / "checks" / "cross_store.yaml").read_text(encoding="utf-8")
    platform.suite("loose", text.replace(", time: decided_at", ""))

    ran = platform.validate("loose", "--since", "2020-01-01")

    name = "clickhouse trading_decisions_probabilistic decision_differs"
    assert ran.err == f"{name} is left out: it names no `time` of the other table\n"
    assert "decision_differs" not in {each["check"] for each in ran.json["results"]}
    narrowed = platform.validate("cross_store", "--since", "2020-01-01", "--tenant", "acme")
    assert (narrowed.code, narrowed.found) == (0, {})


@pytest.mark.parametrize(
    ("said", "statuses", "code"),
    [
        ("", ["empty", "empty", "fail"], 1),
        ("rows_required: false", ["empty", "empty"], 0),
        ("min_rows: 0", ["empty", "empty"], 0),
        ("rows_required: true", ["fail", "empty", "fail"], 1),
        ("rows_required: false\nmin_rows: 1", ["fail", "empty", "fail"], 1),
    ],
)
def test_no_rows_are_empty_and_fail_where_they_are_wanted(
    platform: Platform, said: str, statuses: list[str], code: int
) -> None:
    platform.sql("truncate users cascade")
    platform.suite("people", f"{said}\n{USERS.format(length=1, severity='high', limit='')}")

    ran = platform.validate("people")

    assert ([each["status"] for each in ran.json["results"]], ran.code) == (statuses, code)


def test_fewer_rows_than_wanted_fail(platform: Platform) -> None:
    platform.suite("people", USERS.format(length=1, severity="low", limit="").replace("table:", "min_rows: 4\ntable:"))

    ran = platform.validate("people")

    assert (ran.code, ran.found["rows"]["message"]) == (1, "3 rows, 4 at least are wanted")


def test_check_that_cannot_be_made_is_an_error_and_takes_no_other_with_it(platform: Platform) -> None:
    users(platform, 18)
    platform.suite(
        "people",
        USERS.format(length=18, severity="low", limit="") + "  - name: broken\n    bad: 1 / (length(email) - 18) = 2",
    )

    ran = platform.validate("people")

    assert (ran.code, ran.found["broken"]["status"], ran.found["broken"]["message"]) == (1, "error", "division by zero")
    assert (ran.found["short"]["status"], ran.found["short"]["bad"]) == ("fail", 1)


@pytest.mark.parametrize(
    ("store", "table", "slow"),
    [
        ("postgres", "users", "pg_sleep(2) IS NULL"),
        ("clickhouse", "model_feedback_events", "sleepEachRow(2) = 1"),
    ],
)
def test_statement_beyond_its_time_is_stopped(platform: Platform, store: str, table: str, slow: str) -> None:
    platform.suite("slow", f"store: {store}\ntable: {table}\nchecks:\n  - name: slow\n    bad: {slow}")

    ran = platform.validate("slow", "--timeout", "1s")

    assert (ran.code, ran.found["slow"]["message"]) == (1, "a statement took longer than 1 s")


@pytest.mark.parametrize(
    ("store", "table", "writes"),
    [
        ("postgres", "users", "nextval('counted') > 0"),
        ("postgres", "users", "(SELECT set_config('a.b', 'c', false)) = ''"),
    ],
)
def test_check_that_writes_is_refused_by_the_transaction(
    platform: Platform, store: str, table: str, writes: str
) -> None:
    platform.sql("create sequence if not exists counted")
    platform.suite("writes", f"store: {store}\ntable: {table}\nchecks:\n  - name: one\n    bad: {writes}")

    ran = platform.validate("writes")

    if "nextval" in writes:
        assert ran.found["one"]["message"] == "cannot execute nextval() in a read-only transaction"
        assert platform.sql("select is_called from counted") == [(False,)]


def test_history_keeps_every_result_and_tells_what_is_new(platform: Platform) -> None:
    users(platform, 1)
    first = platform.validate("people").json["results"]
    users(platform, 18)
    second = platform.validate("people").json["results"]
    third = platform.validate("people").json["results"]

    assert [[each["new"] for each in results] for results in (first, second, third)] == [
        [None, None],
        [False, True],
        [False, False],
    ]
    kept = platform.run("validate", "history", "short", "--output", "json").json
    assert [(each["status"], each["bad"], each["total"], each["scope"]) for each in kept] == [
        ("pass", 0, 3, ""),
        ("fail", 1, 3, ""),
        ("fail", 1, 3, ""),
    ]
    assert all("samples" not in each for each in kept)
    shown = platform.run("validate", "history", "short").out
    assert "people · postgres · users · short  ▁██" in shown
    assert "✗ fail   1 of 3 (33 %)" in shown


def test_runs_over_other_rows_are_not_compared(platform: Platform) -> None:
    users(platform, 1)
    platform.validate("people")
    users(platform, 99)

    assert platform.validate("people", "--tenant", "acme").found["short"]["new"] is None


def test_no_history_keeps_nothing(platform: Platform) -> None:
    users(platform)
    platform.validate("people", "--no-history")

    assert platform.sql("select to_regclass('provision.validation')") == [(None,)]
    assert platform.run("validate", "history").out == "vfr · test\nno results are kept\n"


def test_volume_goes_by_the_median_of_earlier_runs(platform: Platform) -> None:
    platform.suite("size", "store: postgres\ntable: users\nchecks:\n  - name: usual\n    volume: {change: 0.5}")

    def usual() -> dict[str, object]:
        return dict(next(each for each in platform.validate("size").json["results"] if each["check"] == "usual"))

    assert usual()["message"] == "the first run: nothing to compare with"
    assert (usual()["status"], usual()["message"]) == ("pass", "3 rows, usually 3")
    with platform.rows() as connection:
        for n in range(3):
            factory.insert(connection, "users", tenant_id="acme", email=f"more{n}@acme.example")
    assert (usual()["status"], usual()["message"]) == ("fail", "6 rows, usually 3")


def test_freshness_of_both_stores(platform: Platform) -> None:
    platform.suite(
        "fresh", "store: postgres\ntable: users\ntime: created_at\nchecks:\n  - name: new\n    freshness: {within: 1h}"
    )
    assert platform.validate("fresh").code == 0
    platform.sql("update users set created_at = now() - interval '3 days'")
    found = platform.validate("fresh").found["new"]
    assert (found["status"], found["message"]) == ("fail", "the newest row is 3d old, 1h is allowed")
    platform.suite(
        "fresh",
        "store: clickhouse\ntable: model_feedback_events\nchecks:\n  - name: new\n"
        "    freshness: {column: timestamp, within: 1h}",
    )
    assert "old, 1h is allowed" in platform.validate("fresh").found["new"]["message"]


def test_forms_say_the_same(platform: Platform) -> None:
    users(platform, 18)

    xml = ElementTree.fromstring(platform.run("validate", "people", "--output", "junit").out)
    suite = xml.find("testsuite")
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "people",
        "2",
        "1",
        "0",
    )
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "postgres users: 1 of 3 rows"
    markdown = platform.run("validate", "people", "--output", "markdown").out
    assert "| fail | high | postgres.users | `short` | 1 | 3 |  |" in markdown
    assert platform.run("validate", "people", "--output", "github").out == (
        "::error file=checks/people.yaml,line=10,col=5,title=short::postgres users: 1 of 3 rows%0A"
        f'checks/people.yaml:10:5%0A{{"id": "{ID.format(9)}", "email": "•••"}}\n'
    )


def test_text_names_table_check_share_and_samples(platform: Platform) -> None:
    users(platform, 18)

    out = re.sub(r"\d+ ms|\d\.\d s", "TIME", platform.run("validate", "people").out)

    assert out == (
        "vfr · test\npeople\n  postgres  users  3 rows  TIME  0 of 1 passed\n"
        "    ✗ short  high      1 of 3 (33 %)\n"
        f"        id {ID.format(9)}, email •••\n"
        "1 check: 1 failed (worst: high) in TIME\n"
    )


def test_reports_are_written_by_their_ending(platform: Platform, tmp_path: Path) -> None:
    users(platform, 18)
    names = [tmp_path / f"report.{ending}" for ending in ("html", "json", "xml", "md")]

    ran = platform.run("validate", "people", *(part for name in names for part in ("--report", name)))

    assert ran.code == 1
    assert json.loads(names[1].read_text(encoding="utf-8"))["suite"] == "people"
    assert names[2].read_text(encoding="utf-8").startswith("<?xml")
    lost = platform.run("validate", "people", "--report", tmp_path / "none" / "a.html")
    assert (lost.code, "error[report-lost]" in lost.err) == (5, True)


def test_probability_command_is_the_suite_of_that_name(platform: Platform) -> None:
    ran = platform.run("validate-probability-data", "--output", "json")

    assert (ran.code, ran.json["suite"]) == (0, "probability")
    nobody = platform.run("validate-probability-data", "--tenant", "nobody", "--output", "json").json
    assert {each["status"] for each in nobody["results"]} == {"empty"}


def test_probability_command_is_a_script_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, name = scripts["validate-probability-data"].split(":")
    given: list[object] = []
    monkeypatch.setattr("provision.cli.main.main", given.append)
    monkeypatch.setattr("sys.argv", ["validate-probability-data", "--env", "ci"])

    getattr(import_module(module), name)()

    assert given == [["validate-probability-data", "--env", "ci"]]


def test_help_of_both_commands_loads_no_driver(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["validate", "--help"], ["validate", "history", "--help"], ["validate-probability-data", "--help"]):
        assert run(words) == 0
        assert capsys.readouterr().out.startswith(f"Usage: provision {' '.join(words[:-1])} ")

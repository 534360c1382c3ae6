"""Everything that is wrong is said with its place and a way out, before a row is read."""

from __future__ import annotations

import pytest

from tests.validate.platform import Platform

HEAD = {
    "postgres": "store: postgres\ntable: users\nchecks:\n  - name: one\n    ",
    "clickhouse": "store: clickhouse\ntable: model_feedback_events\nchecks:\n  - name: one\n    ",
}


@pytest.mark.parametrize(
    ("store", "check", "message", "fix"),
    [
        ("postgres", "bad: emial = 'x'", 'unknown-column]: one: column "emial" does not exist', "did you mean email?"),
        ("postgres", "bad: email =", "bad-expression]: one: syntax error", "correct the expression"),
        ("postgres", "bad: length(email)", "bad-expression]: the expression of one is integer, neither", "compare it"),
        (
            "postgres",
            "bad: true), (true",
            "bad-expression]: one is not one expression: a ) closes what it did not open",
            "write one SQL expression",
        ),
        (
            "postgres",
            "bad: count(*) > 1",
            "bad-expression]: one: aggregate functions are not allowed in FILTER",
            "correct",
        ),
        ("postgres", "bad: id is null) or (true", "one is not one expression: a ) closes", "write one SQL expression"),
        ("clickhouse", "bad: success) or (true", "bad-expression]: one: Syntax error", "correct the expression"),
        ("postgres", "bad: pg_sleeep(1) is null", "bad-expression]: one: function pg_sleeep", "No function matches"),
        ("postgres", "not_null: emial", "unknown-column]: users has no column emial", "did you mean email?"),
        ("postgres", "range: {column: email, min: 3}", "bad-expression]: one: operator does not exist", "No operator"),
        ("postgres", "unique: [emial]", "unknown-column]: users has no column emial", "did you mean email?"),
        ("postgres", "reference: {column: id, to: {table: usres, column: id}}", 'relation "usres" does not', "correct"),
        (
            "postgres",
            "reference: {column: id, to: {store: clickhouse, table: model_feedback_event, column: x}}",
            "unknown-table]: clickhouse has no table model_feedback_event",
            "did you mean model_feedback_events?",
        ),
        ("postgres", "freshness: {within: 2h}", "one does not say by which column", "add `column:`"),
        ("clickhouse", "bad: sucess", "unknown-column]: one: there is no column sucess", "did you mean success?"),
        ("clickhouse", "bad: success =", "bad-expression]: one: Syntax error", "correct the expression"),
        ("clickhouse", "bad: symbol", "is LowCardinality(String), neither true nor false", "compare it"),
        ("clickhouse", "bad: count() > 1", "bad-expression]: one: Aggregate function count() is found", "correct"),
        ("clickhouse", "bad: nosuch(1)", "bad-expression]: one: ", "correct"),
        ("clickhouse", "range: {column: sucess, min: 0}", "model_feedback_events has no column sucess", "success?"),
    ],
)
def test_wrong_check_is_refused_with_its_place(
    platform: Platform, store: str, check: str, message: str, fix: str
) -> None:
    platform.suite("wrong", HEAD[store] + check)

    ran = platform.run("validate", "wrong")

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "where  checks/wrong.yaml:5:5" in ran.err
    assert fix in ran.err


def test_all_that_is_wrong_is_said_at_once(platform: Platform) -> None:
    platform.suite(
        "wrong", HEAD["postgres"] + "bad: emial = 'x'\n  - name: two\n    bad: id\n  - name: three\n    unique: z"
    )

    ran = platform.run("validate", "wrong")

    assert ran.err.count("error[") == 1  # names that the document spells out come first
    platform.suite("wrong", HEAD["postgres"] + "bad: emial = 'x'\n  - name: two\n    bad: id")
    assert platform.run("validate", "wrong").err.count("error[") == 2


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("", "empty-suite]: the file holds no checks", "write its store, table and checks"),
        ("store: postgres\ntable: users\nchekcs: []", "the file has no key chekcs", "did you mean checks?"),
        ("store: postgers\ntable: users\nchecks: []", "unknown-store]: no store is called 'postgers'", "'postgres'?"),
        (HEAD["postgres"] + "rnage: {}", "checks[1] has no key rnage", "did you mean range?"),
        (HEAD["postgres"] + "range: {colunm: a}", "checks[1].range has no key colunm", "did you mean column?"),
        (HEAD["postgres"] + "severity: hihg", "checks[1].severity is hihg", "did you mean high?"),
        (HEAD["postgres"] + "severity: high", "checks[1] one has no kind of check", "give it one of"),
        (HEAD["postgres"] + "bad: a\n    unique: a", "checks[1] one has bad, unique", "give it one of"),
        (HEAD["postgres"] + "bad: a\n  - name: one\n    bad: a", "one is given twice", "rename one of them"),
        (HEAD["postgres"] + "bad: a\n    fail_if: {share: 2}", "fail_if.share is 2", "write at most 1"),
        ("tables:\n  - store: postgres\n    table: users\n    checks: []", "tables[1].checks is empty", "write a list"),
        ("store: postgres\ntable: user\nchecks:\n  - name: a\n    bad: id is null", "has no table user", "mean users?"),
        ("store: postgres\nfinal: true\ntable: users\nchecks: [{name: a, bad: b}]", "has no key final", "keys: "),
    ],
)
def test_wrong_document_is_refused(platform: Platform, text: str, message: str, fix: str) -> None:
    platform.suite("wrong", text)

    ran = platform.run("validate", "wrong")

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert fix in ran.err
    assert "checks/wrong.yaml" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("validate", "probabilty"), "error[unknown-suite]: no suite is called probabilty\n  where  checks/probabilty"),
        (("validate", "probability", "--only", "confidence"), "error[no-such-check]: no check is called confidence"),
        (("validate", "probability", "--since", "yesterday"), "error[bad-moment]: 'yesterday' is not a moment"),
        (("validate", "probability", "--report", "a.pdf"), "error[unknown-report]: no report ends in .pdf"),
        (("validate", "probability", "--fail-on", "huge"), "error[usage]: invalid value for '--fail-on'"),
    ],
)
def test_wrong_command_line_is_refused(platform: Platform, arguments: tuple[str, ...], message: str) -> None:
    ran = platform.run(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_table_with_a_dot_in_its_name_is_not_meant_by_itself(platform: Platform) -> None:
    platform.suite("wrong", HEAD["postgres"].replace("users", "a.b") + "bad: id is null")
    platform.sql('create table "a.b" (id int)')
    try:
        ran = platform.run("validate", "wrong")
        assert (ran.code, "has no table a.b" in ran.err) == (2, True)
        assert "did you mean" not in ran.err
        assert "name a view of it" in ran.err
    finally:
        platform.sql('drop table "a.b"')


def test_user_without_rights_is_told(platform: Platform) -> None:
    platform.suite("wrong", HEAD["postgres"].replace("users", "ml_models") + "bad: model_name = 'x'")
    platform.sql("drop role if exists reader")
    platform.sql("create role reader login")
    try:
        ran = platform.run("validate", "wrong", CHECKS_POSTGRES=platform.postgres.replace("postgres@", "reader@", 1))
        assert ran.code == 2
        assert "error[no-privilege]: postgres: permission denied for table ml_models" in ran.err
        platform.sql("grant select on ml_models to reader")
        ran = platform.run("validate", "wrong", CHECKS_POSTGRES=platform.postgres.replace("postgres@", "reader@", 1))
        assert ran.code == 0
        assert "results were not kept: provision's own tables cannot be made: permission denied for" in ran.out
    finally:
        platform.sql("drop owned by reader")
        platform.sql("drop role reader")


def test_store_that_does_not_answer_exits_4(platform: Platform) -> None:
    ran = platform.run("validate", "features", CHECKS_POSTGRES="postgresql://127.0.0.1:1/x")

    assert ran.code == 4
    assert "error[unreachable]: postgres does not answer: nothing listens there" in ran.err


def test_home_that_does_not_answer_costs_only_the_history(platform: Platform) -> None:
    platform.suite("alone", HEAD["clickhouse"] + "not_null: success")

    ran = platform.run("validate", "alone", CHECKS_POSTGRES="postgresql://127.0.0.1:1/x")

    assert (ran.code, ran.err) == (0, "")
    assert "results are not kept: postgres does not answer" in ran.out


def test_store_that_is_off_is_left_out_and_said(platform: Platform) -> None:
    ran = platform.run(
        "validate", "probability", CHECKS_CLICKHOUSE="http://127.0.0.1:1/x", PROVISION_CLICKHOUSE__URL="off"
    )

    assert ran.code == 0
    assert "clickhouse trading_decisions_probabilistic is left out: clickhouse is off in this environment" in ran.out


def test_engine_never_made_is_said_and_stays_unmade(platform: Platform) -> None:
    ran = platform.run("validate", "features", PROVISION_ENV="local")
    assert ran.code == 2
    assert "error[unknown-environment]" in ran.err
    toml = platform.folder / "provision.toml"
    before = toml.read_text(encoding="utf-8")
    toml.write_text(before + "[environments.local]\nembedded = true\n", encoding="utf-8")
    try:
        ran = platform.run("validate", "features", PROVISION_ENV="local")
    finally:
        toml.write_text(before, encoding="utf-8")
    assert ran.code == 2
    assert "error[not-made]: postgres was not made yet in environment local" in ran.err
    assert not (platform.folder / ".provision" / "postgres").exists()

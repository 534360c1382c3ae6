"""What a ClickHouse file says of its session holds in that file, and is the same after a run that stopped in it."""

from __future__ import annotations

import pytest

from provision.stores.clickhouse.migrate.parse.settings import OfSession, after
from tests.stores.postgres.test_clickhouse import Clickhouse, clickhouse

__all__ = ["clickhouse"]
TABLE = "CREATE TABLE t (at DateTime('UTC'), n UInt64) ENGINE = MergeTree ORDER BY n;\n"
LENIENT = "SET date_time_input_format = 'best_effort';\n"
INSERT = "INSERT INTO t VALUES ('2026-01-02T03:04:05Z', 1);\n"
KEPT = "INSERT INTO t SELECT now(), getSetting('max_block_size');\n"


def test_setting_at_the_top_holds_for_the_file_as_with_the_cli(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(2, LENIENT + INSERT)

    clickhouse.up()

    ours = clickhouse.rows("SELECT toString(at), n FROM {db}.t")
    assert ours == [("2026-01-02 03:04:05", 1)]
    clickhouse.provision("down", "--all", "--no-lock", "--allow-destructive")
    clickhouse.rows("DROP DATABASE {db}")
    clickhouse.theirs("migrate")
    assert clickhouse.rows("SELECT toString(at), n FROM {db}.t") == ours


def test_setting_ends_with_its_file(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(2, "SET max_block_size = 4711;\n" + KEPT)
    clickhouse.write(3, KEPT)

    clickhouse.up()

    (first,), (second,) = clickhouse.rows("SELECT n FROM {db}.t ORDER BY n")
    assert first == 4711
    assert second != 4711


def test_settings_change_along_the_file_and_end_with_default(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(
        2,
        f"SET max_block_size = 4711, max_threads = 2;\n{KEPT}SET max_block_size = 4712;\n{KEPT}"
        f"SET max_block_size = DEFAULT;\n{KEPT}INSERT INTO t SELECT now(), getSetting('max_threads');",
    )

    clickhouse.up()

    assert [n for (n,) in clickhouse.rows("SELECT n FROM {db}.t ORDER BY n")][:3] == [2, 4711, 4712]
    assert clickhouse.rows("SELECT count() FROM {db}.t") == [(4,)]


def test_run_that_goes_on_in_the_middle_has_the_settings_before_it(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(2, f"{LENIENT}INSERT INTO nowhere VALUES (1);\n{INSERT}")
    assert clickhouse.provision("up", "--no-lock").code == 5
    clickhouse.write(2, f"{LENIENT}{INSERT.replace(', 1)', ', 2)')}{INSERT}")

    clickhouse.up()

    assert clickhouse.rows("SELECT toString(at), n FROM {db}.t ORDER BY n") == [
        ("2026-01-02 03:04:05", 1),
        ("2026-01-02 03:04:05", 2),
    ]


def test_setting_that_the_server_does_not_know_fails_at_its_statement(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, f"SET no_such_setting = 1;\n{TABLE}")

    ran = clickhouse.provision("up", "--no-lock")

    assert ran.code == 5
    assert "statement 1 of 2 (set no_such_setting =)" in ran.err


@pytest.mark.parametrize(
    "text",
    [
        "USE other",
        "CREATE TEMPORARY TABLE s (x Int8)",
        "CREATE OR REPLACE TEMPORARY TABLE s (x Int8)",
        "BEGIN TRANSACTION",
        "START TRANSACTION",
        "COMMIT",
        "SET ROLE reader",
        "SET DEFAULT ROLE ALL TO u",
        "SET TRANSACTION SNAPSHOT 1",
        "SET param_x = 1",
    ],
)
def test_statement_that_only_a_session_knows_is_refused_before_anything_is_sent(
    clickhouse: Clickhouse, text: str
) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(2, f"SELECT 1;\n{text};\n")

    ran = clickhouse.provision("up", "--no-lock")

    assert ran.code == 2
    assert "error[session-statement]: statement 2 of clickhouse/002" in ran.err
    assert clickhouse.rows("SELECT name FROM system.databases WHERE name = '{db}'") == []


def test_file_that_cannot_be_cut_is_refused_before_anything_is_sent(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(2, "SELECT 1;\nSELECT 'a;\n")

    ran = clickhouse.provision("up", "--no-lock")

    assert ran.code == 2
    assert "error[unclear-statement]" in ran.err
    assert "clickhouse/002_step.sql:2" in ran.err
    assert clickhouse.rows("SELECT name FROM system.databases WHERE name = '{db}'") == []


def test_commented_out_statements_are_not_sent(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, TABLE)
    clickhouse.write(
        2, "# RENAME TABLE t TO gone; DROP TABLE t;\n// DROP TABLE t; SELECT 1\nSELECT $$;DROP TABLE t;$$;\n"
    )

    clickhouse.up()

    assert clickhouse.rows("SELECT name FROM system.tables WHERE database = '{db}' AND name IN ('t', 'gone')") == [
        ("t",)
    ]


@pytest.mark.parametrize(
    ("text", "before", "then"),
    [
        ("SET a = 1", {}, {"a": "1"}),
        ("set a=1,b = 'x;y', c=0.5", {"a": "0"}, {"a": "1", "b": "x;y", "c": "0.5"}),
        ("SET a = DEFAULT", {"a": "1", "b": "2"}, {"b": "2"}),
        ("SET a = -1", {}, {"a": "-1"}),
        ("SET a = true", {}, {"a": "true"}),
        ("SET a", {}, {"a": "1"}),
        ("SET a = {'t': 'x = 1'}, b = [1, 2]", {}, {"a": "{'t': 'x = 1'}", "b": "[1, 2]"}),
        ("/* SET b = 1 */ SET a = 'it''s'", {}, {"a": "it's"}),
        ("SELECT 1 SETTINGS a = 1", {"b": "2"}, {"b": "2"}),
        ("ALTER TABLE t MODIFY SETTING a = 1", {}, {}),
        ("CREATE USER u SETTINGS a = 1", {}, {}),
        ("SELECT 'USE x', `BEGIN`", {}, {}),
    ],
)
def test_settings_behind_a_statement(text: str, before: dict[str, str], then: dict[str, str]) -> None:
    assert after(text, before) == then


def test_temporary_as_a_name_is_no_temporary_table() -> None:
    assert after("CREATE TABLE a.`TEMPORARY` (x Int8)", {}) == {}
    with pytest.raises(OfSession):
        after("CREATE TEMPORARY VIEW v AS SELECT 1", {})

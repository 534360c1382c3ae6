"""Statements that change rows: mutations, INSERT, copies, and what may simply run again."""

from __future__ import annotations

import re

import pytest

from provision.errors import FailedError
from provision.stores.clickhouse.migrate.parse.touched import parse, picture_sql
from provision.stores.clickhouse.migrate.probe.flight import Outcome, probe
from provision.stores.clickhouse.migrate.probe.picture import PictureReader

from .engine import Database
from .test_probe_definitions import AT, TABLE, VIEW, examine, left

WINDOW = " SETTINGS non_replicated_deduplication_window = 100"
SYNC = " SETTINGS mutations_sync = 2"
MUTATIONS = {
    "update": ("ALTER TABLE t UPDATE x = 2 WHERE id = 1", "ALTER TABLE t UPDATE x = 3 WHERE id = 1"),
    "delete": ("ALTER TABLE t DELETE WHERE id = 1", "ALTER TABLE t DELETE WHERE id = 2"),
    "lightweight_delete": ("DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 2"),
    "materialize_column": ("ALTER TABLE t MATERIALIZE COLUMN x", "ALTER TABLE t UPDATE x = 3 WHERE id = 1"),
    "two_commands": (
        "ALTER TABLE t UPDATE x = 2 WHERE id = 1, DELETE WHERE id = 2",
        "ALTER TABLE t DELETE WHERE id = 1",
    ),
}
ROWS = "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')"
DEFAULT = TABLE.replace("x Float64", "x Float64 DEFAULT 1")


@pytest.mark.parametrize(("statement", "other"), MUTATIONS.values(), ids=MUTATIONS)
def test_probe_mutation_not_run_is_not_done(database: Database, statement: str, other: str) -> None:
    # The same command issued before the picture, and another one since, prove nothing.
    finding = examine(database, f"{DEFAULT}; {ROWS}; {statement}{SYNC}", statement, other + SYNC)
    assert finding.outcome == Outcome.NOT_DONE, finding.reason


@pytest.mark.parametrize(("statement", "other"), MUTATIONS.values(), ids=MUTATIONS)
def test_probe_mutation_run_is_done(database: Database, statement: str, other: str) -> None:
    finding = examine(database, f"{DEFAULT}; {ROWS}; {other}{SYNC}", statement, statement + SYNC)
    assert finding.outcome == Outcome.DONE, finding.reason


def test_probe_mutation_unfinished_is_running(database: Database) -> None:
    statement = "ALTER TABLE t UPDATE x = 2 WHERE id = 1"
    finding = examine(
        database, f"{TABLE}; {ROWS}; SYSTEM STOP MERGES t", statement, statement + " SETTINGS mutations_sync = 0"
    )
    # A stopped mutation would hold up the end of the test.
    database.run("SYSTEM START MERGES t")
    assert finding.outcome == Outcome.RUNNING
    assert finding.reason == "the mutation (UPDATE x = 2 WHERE id = 1) is not finished"


def test_probe_mutation_failing_cannot_be_told_and_gives_the_reason(database: Database) -> None:
    statement = "ALTER TABLE t UPDATE x = throwIf(id = 2, 'no twos') WHERE 1"
    with pytest.raises(FailedError, match="no twos"):
        examine(database, f"{TABLE}; {ROWS}", statement, statement + SYNC)
    # The statement itself failed above, so the picture is the one from before it.
    picture = str(database.one(picture_sql(parse(statement), database.name)))
    before = re.sub(r'"mutation":"[0-9]+"', '"mutation":"0"', picture)
    assert before != picture
    finding = probe(database.engine, database.name, parse(statement), before, AT, 7)
    assert finding.outcome == Outcome.CANNOT_TELL
    assert "no twos" in finding.reason


def test_probe_half_of_a_mixed_alter_cannot_be_told(database: Database) -> None:
    statement = "ALTER TABLE t ADD INDEX i y TYPE minmax, MATERIALIZE INDEX i"
    finding = examine(database, TABLE, statement, "ALTER TABLE t ADD INDEX i y TYPE minmax")
    assert finding.outcome == Outcome.CANNOT_TELL
    assert finding.reason == "half of it ran; of its mutations: no mutation"


def test_probe_lightweight_update_that_leaves_no_record_cannot_be_told(database: Database) -> None:
    statement = "UPDATE t SET x = 2 WHERE id = 1"
    setup = f"{TABLE} SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1; {ROWS}"
    for then in ("", statement):
        finding = examine(database, setup, statement, then)
        assert finding.outcome == Outcome.CANNOT_TELL, finding.reason
        database.run("DROP TABLE t SYNC")


INSERTS = {
    "window_values": (TABLE + WINDOW, "INSERT INTO t VALUES (1, 1, 'a')", Outcome.NOT_DONE),
    "window_ordered": (
        f"{TABLE}; CREATE TABLE u (id UInt64, x Float64, y String) ENGINE = MergeTree ORDER BY id{WINDOW}",
        "INSERT INTO u SELECT * FROM t ORDER BY ALL",
        Outcome.NOT_DONE,
    ),
    "both_windows_ordered": (
        f"{TABLE}{WINDOW}; CREATE TABLE u AS t",
        "INSERT INTO u (id, x) SELECT id, x FROM t ORDER BY ALL",
        Outcome.NOT_DONE,
    ),
    "window_unordered": (f"{TABLE}{WINDOW}; CREATE TABLE u AS t", "INSERT INTO u SELECT * FROM t", Outcome.CANNOT_TELL),
    "no_window": (TABLE, "INSERT INTO t SELECT 1, 1, 'a' ORDER BY ALL", Outcome.CANNOT_TELL),
    "view_without_window": (
        f"{VIEW}; ALTER TABLE t MODIFY SETTING non_replicated_deduplication_window = 100",
        "INSERT INTO t SELECT 1, 1, 'a' ORDER BY ALL",
        Outcome.CANNOT_TELL,
    ),
    "view_with_window": (
        f"{TABLE}{WINDOW}; CREATE TABLE u AS t; CREATE MATERIALIZED VIEW m TO u AS SELECT * FROM t",
        "INSERT INTO t SELECT 1, 1, 'a' ORDER BY ALL",
        Outcome.NOT_DONE,
    ),
    "log_table": ("CREATE TABLE t (id UInt8) ENGINE = Log", "INSERT INTO t VALUES (1)", Outcome.CANNOT_TELL),
    "table_function": ("", "INSERT INTO FUNCTION file('x.csv') SELECT 1", Outcome.CANNOT_TELL),
}


@pytest.mark.parametrize(("setup", "statement", "outcome"), INSERTS.values(), ids=INSERTS)
def test_probe_insert_depends_on_window_and_order(
    database: Database, setup: str, statement: str, outcome: Outcome
) -> None:
    finding = examine(database, setup, statement, "")
    assert finding.outcome == outcome, finding.reason


def test_insert_with_a_token_and_order_by_all_stores_its_rows_once(database: Database) -> None:
    database.run(
        "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id" + WINDOW,
        *2
        * ["INSERT INTO t SELECT number FROM numbers(1500000) ORDER BY ALL SETTINGS insert_deduplication_token = 'k'"],
    )
    assert database.one(f"SELECT count() FROM {database.name}.t") == 1500000


COPIES = {
    "table_as_select": (TABLE, "CREATE TABLE w ENGINE = MergeTree ORDER BY id AS SELECT * FROM t"),
    "populate": (
        TABLE,
        "CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY id POPULATE AS SELECT id FROM t",
    ),
}


@pytest.mark.parametrize(("setup", "statement"), COPIES.values(), ids=COPIES)
def test_probe_copy_absent_is_not_done_and_present_cannot_be_told(
    database: Database, setup: str, statement: str
) -> None:
    assert examine(database, f"{setup}; {ROWS}", statement, "").outcome == Outcome.NOT_DONE
    database.run("DROP TABLE t SYNC")
    finding = examine(database, f"{setup}; {ROWS}", statement, statement)
    assert finding.outcome == Outcome.CANNOT_TELL
    assert finding.reason.startswith("whether all rows were copied cannot be seen")


REPEATABLE = [
    "OPTIMIZE TABLE t FINAL",
    "SYSTEM FLUSH LOGS",
    "EXISTS t",
    "SELECT 1",
    "SET max_threads = 1",
    "TRUNCATE TABLE t",
    "ALTER TABLE t DROP PARTITION ID 'all'",
    "CREATE TEMPORARY TABLE s (x UInt8)",
    "GRANT SELECT ON t TO reader",
    "CREATE ROLE IF NOT EXISTS reader",
]


@pytest.mark.parametrize("statement", REPEATABLE)
def test_probe_repeatable_statement_is_not_done(database: Database, statement: str) -> None:
    assert examine(database, TABLE, statement, "").outcome == Outcome.NOT_DONE


@pytest.mark.parametrize("statement", ["ALTER TABLE t ATTACH PARTITION ID 'all'", "CREATE ROLE reader", "FROBNICATE t"])
def test_probe_unknown_statement_cannot_be_told(database: Database, statement: str) -> None:
    assert examine(database, TABLE, statement, "").outcome == Outcome.CANNOT_TELL


def test_probe_unreadable_picture_cannot_be_told(database: Database) -> None:
    finding = probe(database.engine, database.name, parse(TABLE), "", AT, 7)
    assert finding.outcome == Outcome.CANNOT_TELL
    assert finding.reason == "the picture taken before it at 2026-01-02 03:04:05 cannot be read"


class Refusing:
    """A connection whose server refuses statements that contain a text."""

    def __init__(self, inner: PictureReader, text: str, error: type[Exception]) -> None:
        self.inner, self.text, self.error = inner, text, error

    def command(self, sql: str, *, database: str) -> None:
        if self.text in sql:
            raise self.error("statement-failed", "not allowed")
        self.inner.command(sql, database=database)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.inner.rows(sql)


@pytest.mark.parametrize("text", ["CREATE DATABASE provision_probe", "CREATE TABLE provision_probe", "ADD COLUMN"])
def test_probe_refused_trial_cannot_be_told_and_leaves_nothing(database: Database, text: str) -> None:
    statement = parse("ALTER TABLE t ADD COLUMN n UInt8")
    database.run(TABLE)
    before = str(database.one(picture_sql(statement, database.name)))
    refusing = Refusing(database.engine, text, FailedError)
    assert probe(refusing, database.name, statement, before, AT, 7).outcome == Outcome.NOT_DONE
    database.run(statement.text)
    finding = probe(refusing, database.name, statement, before, AT, 7)
    assert (finding.outcome, finding.reason) == (
        Outcome.CANNOT_TELL,
        "it cannot be tried on empty copies: not allowed",
    )
    assert left(database) == []


def test_probe_broken_connection_raises_and_leaves_nothing(database: Database) -> None:
    statement = parse("ALTER TABLE t ADD COLUMN n UInt8")
    database.run(TABLE)
    before = str(database.one(picture_sql(statement, database.name)))
    database.run(statement.text)
    with pytest.raises(ConnectionError):
        probe(Refusing(database.engine, "ADD COLUMN", ConnectionError), database.name, statement, before, AT, 7)
    assert left(database) == []


def test_probe_drops_leftovers_of_older_tokens_and_keeps_younger_ones(database: Database) -> None:
    database.run(
        "CREATE DATABASE provision_probe_6; CREATE TABLE provision_probe_6.t (x UInt8) ENGINE = Memory;"
        "CREATE DATABASE provision_probe_7_1; CREATE FUNCTION provision_probe_5 AS (a) -> a;"
        "CREATE DATABASE provision_probe_8; CREATE DATABASE provision_probe_mine"
    )
    statement = parse("ALTER TABLE t ADD COLUMN n UInt8")
    database.run(TABLE)
    before = str(database.one(picture_sql(statement, database.name)))
    database.run(statement.text)
    assert probe(database.engine, database.name, statement, before, AT, 7).outcome == Outcome.DONE
    assert sorted(left(database, "functions")) == [("provision_probe_8",), ("provision_probe_mine",)]
    database.run("DROP DATABASE provision_probe_8; DROP DATABASE provision_probe_mine")

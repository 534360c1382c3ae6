"""A trial must see everything a statement needs and touch nothing outside its scratch databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provision.stores.clickhouse.migrate.parse.touched import parse, picture_sql, split
from provision.stores.clickhouse.migrate.probe.flight import Outcome, probe

from .engine import UPS, Database, down_of
from .test_probe_definitions import AT, PAIR, TABLE, examine, left

REFRESH = "CREATE MATERIALIZED VIEW m REFRESH EVERY 1 YEAR APPEND TO {to} AS SELECT 1 AS id, 1 AS x, 'a' AS y"


@pytest.fixture(autouse=True)
def other(database: Database) -> Iterator[str]:
    name = f"{database.name}-other"
    yield name
    database.run(f"DROP DATABASE IF EXISTS `{name}` SYNC SETTINGS check_table_dependencies = 0")


def test_probe_of_a_refreshable_view_writes_no_row(database: Database) -> None:
    statement = REFRESH.format(to="u")
    finding = examine(database, PAIR, statement, statement.replace(" AS SELECT", " EMPTY AS SELECT"))
    assert finding.outcome == Outcome.DONE, finding.reason
    assert database.one(f"SELECT count() FROM {database.name}.u") == 0


def test_probe_of_a_refreshable_view_into_a_buffer_writes_no_row(database: Database) -> None:
    buffer = f"CREATE TABLE b AS t ENGINE = Buffer({database.name}, t, 1, 10, 100, 1, 10, 1, 10)"
    statement = REFRESH.format(to="b")
    finding = examine(database, f"{TABLE}; {buffer}", statement, statement.replace(" AS SELECT", " EMPTY AS SELECT"))
    assert finding.outcome == Outcome.DONE, finding.reason
    assert database.one(f"SELECT count() FROM {database.name}.t") == 0


def test_probe_names_of_another_database_are_tried_in_a_scratch_of_their_own(database: Database, other: str) -> None:
    setup = f"{TABLE}; CREATE DATABASE `{other}`; CREATE TABLE `{other}`.t AS t; CREATE TABLE `{other}`.u AS t"
    statement = f"CREATE MATERIALIZED VIEW `{other}`.m TO `{other}`.u AS SELECT l.id, l.x, l.y FROM `{other}`.t AS l"
    finding = examine(database, setup, statement, statement)
    assert finding.outcome == Outcome.DONE, finding.reason
    assert examine(database, "", f"RENAME TABLE `{other}`.m TO m", "").outcome == Outcome.NOT_DONE
    finding = examine(database, "", f"RENAME TABLE t TO `{other}`.w", f"RENAME TABLE t TO `{other}`.w")
    assert finding.outcome == Outcome.DONE, finding.reason


def test_probe_names_that_need_quotes_are_found(database: Database) -> None:
    statement = 'CREATE TABLE "a.b c" (`from` UInt8) ENGINE = MergeTree ORDER BY `from`'
    assert examine(database, "", statement, statement).outcome == Outcome.DONE
    added = 'ALTER TABLE `a.b c` ADD COLUMN "x y" UInt8'
    assert examine(database, "", added, added).outcome == Outcome.DONE


def test_probe_view_that_asks_a_dictionary_is_done(database: Database) -> None:
    dictionary = (
        "CREATE DICTIONARY d (id UInt64, x Float64) PRIMARY KEY id"
        f" SOURCE(CLICKHOUSE(TABLE 't' DB '{database.name}')) LAYOUT(FLAT()) LIFETIME(0)"
    )
    statement = "CREATE VIEW v AS SELECT dictGet('d', 'x', id) AS x FROM t"
    finding = examine(database, f"{TABLE}; {dictionary}", statement, statement)
    assert finding.outcome == Outcome.DONE, finding.reason


def test_probe_replicated_table_is_tried_as_a_plain_one(database: Database) -> None:
    # This engine has no keeper, so that the replicated table is stood for by the plain one it must compare equal to.
    written = "CREATE TABLE t (id UInt64, v UInt8) ENGINE = ReplicatedReplacingMergeTree('/p/{shard}', '{replica}', v)"
    plain = "CREATE TABLE t (id UInt64, v UInt8) ENGINE = ReplacingMergeTree(v)"
    finding = examine(database, "", f"{written} ORDER BY id", f"{plain} ORDER BY id")
    assert finding.outcome == Outcome.DONE, finding.reason


def test_probe_engine_that_reaches_outside_is_not_tried(database: Database) -> None:
    statement = "CREATE TABLE q (x UInt8) ENGINE = URL('http://127.0.0.1:1/x', CSV)"
    assert examine(database, "", statement, "").outcome == Outcome.NOT_DONE
    finding = examine(database, "", statement, statement)
    assert finding.outcome == Outcome.CANNOT_TELL
    assert finding.reason == "it cannot be tried on empty copies: the engine URL reaches outside the server"


def test_probe_different_names_the_object_and_what_differs(database: Database) -> None:
    finding = examine(database, TABLE, "ALTER TABLE t ADD COLUMN n UInt8", "ALTER TABLE t ADD COLUMN n UInt16")
    assert finding.reason == (
        f"{database.name}.t is …UInt16) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 8192;"
        " expected …UInt8) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 8192"
    )
    finding = examine(database, "", "DROP TABLE t", "RENAME TABLE t TO u; CREATE TABLE t AS u")
    assert finding.reason.startswith(f"{database.name}.t exists in {database.name} and should not: CREATE TABLE")


def test_probe_every_shipped_statement_is_told(database: Database) -> None:
    for path in [*UPS, *map(down_of, reversed(UPS))]:
        for text in split(path.read_text(encoding="utf8")):
            statement = parse(text)
            picture = str(database.one(picture_sql(statement, database.name)))
            assert probe(database.engine, database.name, statement, picture, AT, 7).outcome == Outcome.NOT_DONE
            database.run(text)
            finding = probe(database.engine, database.name, statement, picture, AT, 7)
            assert finding.outcome == Outcome.DONE, f"{path.name}: {finding.reason}"
    assert left(database) == []


def test_picture_fits_into_the_request_that_appends_an_event(database: Database) -> None:
    statement = parse("ALTER TABLE t ADD COLUMN n UInt8")
    database.run(TABLE, "CREATE TABLE ledger (n UInt8, picture String) ENGINE = MergeTree ORDER BY n")
    database.run(f"INSERT INTO ledger SELECT 1, ({picture_sql(statement, database.name)})")
    assert database.one(f"SELECT picture FROM {database.name}.ledger") == database.one(
        picture_sql(statement, database.name)
    )

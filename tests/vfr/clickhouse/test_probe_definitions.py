"""Every statement that changes a definition: not run, run, and something else run in its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from provision.stores.clickhouse.migrate.parse.touched import parse, picture_sql
from provision.stores.clickhouse.migrate.probe.flight import Fate, Outcome, probe

from .engine import Database

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TABLE = "CREATE TABLE t (id UInt64, x Float64, y String) ENGINE = MergeTree ORDER BY id"
PAIR = f"{TABLE}; CREATE TABLE u AS t"
VIEW = f"{PAIR}; CREATE MATERIALIZED VIEW m TO u AS SELECT * FROM t"
DICTIONARY = (
    "CREATE DICTIONARY d (id UInt64, x Float64) PRIMARY KEY id"
    " SOURCE(CLICKHOUSE(TABLE 't' PASSWORD 'secret')) LAYOUT({layout}()) LIFETIME(0)"
)
ALTER = "ALTER TABLE t "


@dataclass(frozen=True)
class Case:
    setup: str
    statement: str
    other: str


CASES = {
    "create_table": Case("", TABLE, "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id"),
    "create_table_qualified": Case("", TABLE.replace("TABLE t", "TABLE {db}.t"), "CREATE VIEW t AS SELECT 1 AS id"),
    "create_table_if_not_exists": Case(
        "", TABLE.replace("TABLE t", "TABLE IF NOT EXISTS `t`"), TABLE.replace("Float64", "Float32")
    ),
    "create_table_as": Case(TABLE, "CREATE TABLE u AS t", "CREATE TABLE u (id UInt8) ENGINE = Memory"),
    "create_or_replace_table": Case(TABLE, TABLE.replace("CREATE", "CREATE OR REPLACE"), "DROP TABLE t SYNC"),
    "create_table_replicated_elsewhere": Case(
        "", TABLE + " SETTINGS index_granularity = 4096", TABLE + " SETTINGS index_granularity = 1024"
    ),
    "create_view": Case(TABLE, "CREATE VIEW v AS SELECT id FROM t", "CREATE VIEW v AS SELECT x FROM t"),
    "create_or_replace_view": Case(
        f"{TABLE}; CREATE VIEW v AS SELECT id FROM t",
        "CREATE OR REPLACE VIEW v AS SELECT x FROM t",
        "CREATE OR REPLACE VIEW v AS SELECT y FROM t",
    ),
    "create_materialized_view": Case(
        PAIR,
        "CREATE MATERIALIZED VIEW m TO u AS SELECT * FROM {db}.t",
        "CREATE MATERIALIZED VIEW m TO u AS SELECT * FROM t WHERE id > 1",
    ),
    "create_materialized_view_inner": Case(
        TABLE,
        "CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY id AS SELECT id FROM t",
        "CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY tuple() AS SELECT id FROM t",
    ),
    "create_dictionary": Case(TABLE, DICTIONARY.format(layout="FLAT"), DICTIONARY.format(layout="HASHED")),
    "create_or_replace_dictionary": Case(
        f"{TABLE}; {DICTIONARY.format(layout='FLAT')}",
        DICTIONARY.format(layout="FLAT").replace("CREATE", "CREATE OR REPLACE").replace("secret", "other"),
        "DROP DICTIONARY d",
    ),
    "drop_table": Case(TABLE, "DROP TABLE t", "RENAME TABLE t TO w; CREATE TABLE t (i UInt8) ENGINE = Memory"),
    "drop_table_if_exists": Case(TABLE, "DROP TABLE IF EXISTS {db}.t SYNC", ALTER + "ADD COLUMN n UInt8"),
    "drop_view": Case(VIEW, "DROP VIEW m", "DROP VIEW m; CREATE VIEW m AS SELECT 1"),
    "drop_dictionary": Case(
        f"{TABLE}; {DICTIONARY.format(layout='FLAT')}",
        "DROP DICTIONARY d",
        DICTIONARY.format(layout="HASHED").replace("CREATE", "CREATE OR REPLACE"),
    ),
    "rename_table": Case(TABLE, "RENAME TABLE t TO w", "CREATE TABLE w AS t"),
    "rename_swap": Case(PAIR, "RENAME TABLE t TO w, u TO t, w TO u", "DROP TABLE u"),
    "rename_dictionary": Case(
        f"{TABLE}; {DICTIONARY.format(layout='FLAT')}", "RENAME DICTIONARY d TO e", "DROP DICTIONARY d"
    ),
    "rename_view": Case(VIEW, "RENAME TABLE m TO n", "DROP VIEW m"),
    "exchange_tables": Case(PAIR, "EXCHANGE TABLES t AND u", "RENAME TABLE t TO w; CREATE TABLE t AS u"),
    "detach_table": Case(TABLE, "DETACH TABLE t", ALTER + "ADD COLUMN n UInt8"),
    "add_column": Case(TABLE, ALTER + "ADD COLUMN n UInt8 AFTER id", ALTER + "ADD COLUMN n UInt16 AFTER id"),
    "add_column_if_not_exists": Case(TABLE, ALTER + "ADD COLUMN IF NOT EXISTS n UInt8", ALTER + "ADD COLUMN n String"),
    "drop_column": Case(TABLE, ALTER + "DROP COLUMN y", ALTER + "DROP COLUMN x"),
    "modify_column": Case(TABLE, ALTER + "MODIFY COLUMN x Float32", ALTER + "MODIFY COLUMN x String"),
    "modify_column_default": Case(TABLE, ALTER + "MODIFY COLUMN x DEFAULT 1", ALTER + "MODIFY COLUMN x DEFAULT 2"),
    "rename_column": Case(TABLE, ALTER + "RENAME COLUMN y TO z", ALTER + "RENAME COLUMN y TO w"),
    "comment_column": Case(TABLE, ALTER + "COMMENT COLUMN y 'a'", ALTER + "COMMENT COLUMN y 'b'"),
    "add_index": Case(TABLE, ALTER + "ADD INDEX i y TYPE set(10)", ALTER + "ADD INDEX i y TYPE bloom_filter(0.01)"),
    "create_index": Case(TABLE, "CREATE INDEX i ON t (y) TYPE set(10)", ALTER + "ADD INDEX i y TYPE minmax"),
    "drop_index": Case(
        f"{TABLE}; {ALTER} ADD INDEX i y TYPE minmax, ADD INDEX j x TYPE minmax",
        ALTER + "DROP INDEX i",
        ALTER + "DROP INDEX j",
    ),
    "add_constraint": Case(TABLE, ALTER + "ADD CONSTRAINT c CHECK x > 0", ALTER + "ADD CONSTRAINT c CHECK x > 1"),
    "drop_constraint": Case(
        f"{TABLE}; {ALTER} ADD CONSTRAINT c CHECK x > 0; {ALTER} ADD CONSTRAINT e CHECK x > 1",
        ALTER + "DROP CONSTRAINT c",
        ALTER + "DROP CONSTRAINT e",
    ),
    "add_projection": Case(
        TABLE, ALTER + "ADD PROJECTION p (SELECT y, x ORDER BY y)", ALTER + "ADD PROJECTION p (SELECT y ORDER BY y)"
    ),
    "drop_projection": Case(
        f"{TABLE}; {ALTER} ADD PROJECTION p (SELECT y ORDER BY y)", ALTER + "DROP PROJECTION p", "DROP TABLE t"
    ),
    "modify_ttl": Case(
        TABLE,
        ALTER + "MODIFY TTL toDateTime(id) + INTERVAL 1 DAY",
        ALTER + "MODIFY TTL toDateTime(id) + INTERVAL 2 DAY",
    ),
    "remove_ttl": Case(
        f"{TABLE} TTL toDateTime(id) + INTERVAL 1 DAY",
        ALTER + "REMOVE TTL",
        ALTER + "MODIFY TTL toDateTime(id) + INTERVAL 2 DAY",
    ),
    "modify_setting": Case(
        TABLE,
        ALTER + "MODIFY SETTING ttl_only_drop_parts = 1, max_parts_in_total = 9",
        ALTER + "MODIFY SETTING max_parts_in_total = 8",
    ),
    "reset_setting": Case(
        f"{TABLE} SETTINGS max_parts_in_total = 9",
        ALTER + "RESET SETTING max_parts_in_total",
        ALTER + "MODIFY SETTING max_parts_in_total = 8",
    ),
    "modify_order_by": Case(
        TABLE,
        ALTER + "ADD COLUMN n UInt8, MODIFY ORDER BY (id, n)",
        ALTER + "ADD COLUMN n UInt8, ADD COLUMN k UInt8, MODIFY ORDER BY (id, n, k)",
    ),
    "modify_comment": Case(TABLE, ALTER + "MODIFY COMMENT 'it''s; -- a'", ALTER + "MODIFY COMMENT 'b'"),
    "modify_query": Case(
        VIEW,
        "ALTER TABLE m MODIFY QUERY SELECT id, x, y FROM t WHERE id > 1",
        "ALTER TABLE m MODIFY QUERY SELECT * FROM t WHERE id > 2",
    ),
    "add_and_materialize_index": Case(
        TABLE, ALTER + "ADD INDEX i y TYPE minmax, MATERIALIZE INDEX i", ALTER + "ADD INDEX i x TYPE minmax"
    ),
    "on_a_table_that_a_view_reads": Case(VIEW, ALTER + "ADD COLUMN n UInt8", ALTER + "ADD COLUMN n UInt16"),
    "create_database": Case("", "CREATE DATABASE {db}_x COMMENT 'a \"b\"'", "CREATE DATABASE {db}_x ENGINE = Memory"),
    "drop_database": Case(
        "CREATE DATABASE {db}_x COMMENT 'a \"b\"'", "DROP DATABASE {db}_x", "ALTER DATABASE {db}_x MODIFY COMMENT 'c'"
    ),
    "rename_database": Case("CREATE DATABASE {db}_x", "RENAME DATABASE {db}_x TO {db}_y", "CREATE DATABASE {db}_y"),
    "create_function": Case("", "CREATE FUNCTION {db}_f AS (a) -> a + 1", "CREATE FUNCTION {db}_f AS (a) -> a + 2"),
    "drop_function": Case(
        "CREATE FUNCTION {db}_f AS (a) -> a + 1",
        "DROP FUNCTION {db}_f",
        "CREATE OR REPLACE FUNCTION {db}_f AS (a) -> a + 2",
    ),
}


def examine(database: Database, setup: str, statement: str, then: str) -> Fate:
    """Set up, take the picture, run `then`, probe `statement`; nothing of the trial may be left."""
    name = database.name
    read = parse(statement.replace("{db}", name))
    database.run(setup.replace("{db}", name))
    before = str(database.one(picture_sql(read, name)))
    database.run(then.replace("{db}", name))
    finding = probe(database.engine, name, read, before, AT, 7)
    assert left(database, *(["functions"] if read.objects == "function" else [])) == []
    return finding


def left(database: Database, *tables: str) -> list[tuple[object, ...]]:
    """Scratch databases that are still there; with "functions", those too (slow to list)."""
    listings = [f"SELECT name FROM system.{table}" for table in ("databases", *tables)]
    return database.rows(
        f"SELECT name FROM ({' UNION ALL '.join(listings)}) WHERE startsWith(name, 'provision_probe_')"
    )


@pytest.fixture(autouse=True)
def _drop_global_objects(database: Database) -> object:
    yield
    for suffix in ("x", "y"):
        database.run(f"DROP DATABASE IF EXISTS {database.name}_{suffix} SYNC")
    database.run(f"DROP FUNCTION IF EXISTS {database.name}_f")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_probe_statement_not_run_is_not_done(database: Database, case: Case) -> None:
    finding = examine(database, case.setup, case.statement, "")
    assert finding.outcome == Outcome.NOT_DONE, finding.reason


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_probe_statement_run_is_done(database: Database, case: Case) -> None:
    finding = examine(database, case.setup, case.statement, case.statement)
    assert finding.outcome == Outcome.DONE, finding.reason


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_probe_something_else_run_is_different(database: Database, case: Case) -> None:
    finding = examine(database, case.setup, case.statement, case.other)
    assert finding.outcome == Outcome.DIFFERENT, finding.reason

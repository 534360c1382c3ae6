"""Statements are read for what they touch, what they can lose and how their fate is found out."""

from __future__ import annotations

import pytest

from provision.stores.clickhouse.migrate.parse.touched import parse, picture_sql, split
from provision.stores.clickhouse.migrate.probe.picture import loads, normal
from provision.stores.clickhouse.migrate.probe.text import engine_outside, retargeted

STATEMENTS = {
    "CREATE TABLE t (id UInt8) ENGINE = Memory": ("create", "create table t", ("t",), "definition"),
    "create or replace table db.t (id UInt8) engine Memory": ("create", "create table db.t", ("db.t",), "definition"),
    'CREATE TABLE IF NOT EXISTS `a b`."c" ON CLUSTER x (id UInt8)': (
        "create",
        "create table `a b`.c",
        ("`a b`.c",),
        "definition",
    ),
    "CREATE TABLE w ENGINE = Log AS SELECT 1": ("create", "create table w", ("w",), "definition fill"),
    "CREATE TABLE w ENGINE = Log EMPTY AS SELECT 1": ("create", "create table w", ("w",), "definition"),
    "CREATE TABLE w AS t": ("create", "create table w", ("w",), "definition"),
    "CREATE TABLE w CLONE AS t": ("create", "create table w", ("w",), "definition fill"),
    "CREATE TEMPORARY TABLE s (x UInt8)": ("create", "create temporary table s", (), "repeatable"),
    "CREATE VIEW v AS SELECT 1": ("create", "create view v", ("v",), "definition"),
    "CREATE MATERIALIZED VIEW m TO u AS SELECT 1": ("create", "create materialized view m", ("m",), "definition"),
    "CREATE DICTIONARY d (id UInt8) PRIMARY KEY id": ("create", "create dictionary d", ("d",), "definition"),
    "CREATE DATABASE x": ("create", "create database x", ("x",), "definition"),
    "CREATE FUNCTION f AS (a) -> a": ("create", "create function f", ("f",), "definition"),
    "CREATE INDEX i ON t (x) TYPE minmax": ("alter", "create index on t", ("t",), "definition"),
    "DROP TABLE IF EXISTS a, b SYNC": ("drop", "drop table a, b", ("a", "b"), "definition"),
    "DROP VIEW v": ("drop", "drop view v", ("v",), "definition"),
    "DROP INDEX i ON t": ("alter", "drop index on t", ("t",), "definition"),
    "RENAME TABLE a TO b, c TO d": ("rename", "rename a to b, c to d", ("a", "b", "c", "d"), "definition"),
    "EXCHANGE TABLES a AND b ON CLUSTER x": ("exchange", "exchange a and b", ("a", "b"), "definition"),
    "DETACH TABLE t PERMANENTLY": ("detach", "detach table t", ("t",), "definition"),
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS x UInt8, DROP INDEX i": (
        "alter",
        "alter table t: add column x, drop index i",
        ("t",),
        "definition",
    ),
    "ALTER TABLE t ON CLUSTER c MODIFY TTL a + INTERVAL 1 DAY DELETE, b + INTERVAL 1 DAY": (
        "alter",
        "alter table t: modify ttl",
        ("t",),
        "definition",
    ),
    "ALTER TABLE t (ADD COLUMN x UInt8), (DROP COLUMN y)": (
        "alter",
        "alter table t: add column x, drop column y",
        ("t",),
        "definition",
    ),
    "ALTER TABLE m MODIFY QUERY SELECT a, comment FROM t": (
        "alter",
        "alter table m: modify query",
        ("m",),
        "definition",
    ),
    "ALTER TABLE t UPDATE a = 1, b = f(2, 3) WHERE 1": ("mutation", "alter table t: update", ("t",), "mutation"),
    "ALTER TABLE t ADD INDEX i x TYPE minmax, MATERIALIZE INDEX i": (
        "alter",
        "alter table t: add index i, materialize index i",
        ("t",),
        "definition mutation",
    ),
    "ALTER TABLE t DROP PARTITION 202601": ("alter", "alter table t: drop partition", ("t",), "repeatable"),
    "ALTER TABLE t ATTACH PARTITION 1": ("alter", "alter table t: attach partition", ("t",), "unknown"),
    "ALTER DATABASE x MODIFY COMMENT 'c'": ("alter", "alter database x", ("x",), "definition"),
    "INSERT INTO TABLE t (a) SELECT 1": ("insert", "insert into t", ("t",), "insert"),
    "INSERT INTO FUNCTION file('x') SELECT 1": ("insert", "insert into a table function", (), "unknown"),
    "DELETE FROM t WHERE 1": ("mutation", "delete from t", ("t",), "mutation"),
    "TRUNCATE TABLE IF EXISTS t": ("truncate", "truncate t", ("t",), "repeatable"),
    "OPTIMIZE TABLE t FINAL": ("optimize", "optimize table t", (), "repeatable"),
    "CREATE ROLE r": ("create", "create role r", (), "unknown"),
    "CREATE ROLE IF NOT EXISTS r": ("create", "create role if", (), "repeatable"),
    "": ("unknown", "", (), "unknown"),
}
LOSSES = {
    "DROP TABLE t": "drops table t and its rows",
    "DROP DATABASE x": "drops database x and everything in it",
    "DROP VIEW v": "drops view v, and its rows if it is a materialized view without a TO table",
    "TRUNCATE TABLE t": "deletes every row of t",
    "ALTER TABLE t DROP COLUMN a, DROP COLUMN b": (
        "drops column a of t and its values; drops column b of t and its values"
    ),
    "ALTER TABLE t DELETE WHERE 1": "deletes rows of t",
    "ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY": "deletes the rows of t that are past the new TTL",
    "ALTER TABLE t DROP PARTITION 1": "drops a partition of t and its rows",
    "DELETE FROM t WHERE 1": "deletes rows of t",
    "UPDATE t SET a = 1 WHERE 1": "overwrites values in t",
    "CREATE OR REPLACE TABLE t (a UInt8)": "replaces table t and its rows",
    "/* a */ drop -- b\n table IF EXISTS `db`.`t x` ON CLUSTER c SYNC": "drops table db.`t x` and its rows",
    "DROP TABLE a, b": "drops table a and its rows; drops table b and its rows",
    "DROP MATERIALIZED VIEW v": "drops view v, and its rows if it has no TO table",
    "TRUNCATE IF EXISTS t": "deletes every row of t",
    "TRUNCATE DATABASE x": "deletes every row of every table of a database",
    "TRUNCATE ALL TABLES FROM IF EXISTS x LIKE 'a%'": "deletes every row of every table of a database",
    "TRUNCATE TABLES FROM x": "deletes every row of every table of a database",
    "ALTER TABLE t ON CLUSTER c (DROP COLUMN IF EXISTS `a b`)": "drops column a b of t and its values",
    "ALTER TABLE t CLEAR COLUMN a IN PARTITION 1": "empties column a of t",
    "ALTER TABLE t ADD COLUMN x Int8, DELETE WHERE 1": "deletes rows of t",
    "ALTER TABLE t MODIFY COLUMN a Int8 TTL d + INTERVAL 1 DAY": "empties column a of t where it is past its new TTL",
    "ALTER TABLE t DROP PART 'p'": "drops a part of t and its rows",
    "ALTER TABLE t DROP DETACHED PARTITION 1": "deletes detached parts of t",
    "ALTER TABLE t REPLACE PARTITION 1 FROM o": "replaces a partition of t and its rows",
    "REPLACE TABLE t (a UInt8) ENGINE = Log": "replaces table t and its rows",
    "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT 1": "replaces materialized view v and its rows",
    "OPTIMIZE TABLE t FINAL DEDUPLICATE BY a": "removes rows of t that it takes for duplicates",
    "CREATE TABLE a (x Int8) ENGINE = Log PARALLEL WITH DROP TABLE b PARALLEL WITH TRUNCATE TABLE c": (
        "drops table b and its rows; deletes every row of c"
    ),
    "DROP TABLE IF EMPTY t": None,
    "DROP TEMPORARY TABLE t": None,
    "TRUNCATE TEMPORARY TABLE t": None,
    "UNDROP TABLE t": None,
    "DETACH TABLE t PERMANENTLY": None,
    "EXCHANGE TABLES a AND b": None,
    "OPTIMIZE TABLE t FINAL": None,
    "ALTER TABLE t DETACH PARTITION 1": None,
    "ALTER TABLE t MOVE PARTITION 1 TO TABLE o": None,
    "ALTER TABLE t REMOVE TTL, MODIFY COLUMN a REMOVE TTL": None,
    "ALTER TABLE t RENAME COLUMN a TO b": None,
    "ALTER TABLE t MODIFY COMMENT 'DROP TABLE t'": None,
    "SELECT 'DROP TABLE t' -- TRUNCATE t": None,
    "EXPLAIN DROP TABLE t": None,
    "CREATE OR REPLACE DICTIONARY d (a UInt8) PRIMARY KEY a": None,
    "DROP DICTIONARY d": None,
    "DROP FUNCTION f": None,
    "ALTER TABLE t DROP INDEX i, DROP CONSTRAINT c, DROP PROJECTION p": None,
    "CREATE OR REPLACE VIEW v AS SELECT 1": None,
    "RENAME TABLE a TO b": None,
    "INSERT INTO t SELECT 1": None,
}


@pytest.mark.parametrize(("text", "expected"), STATEMENTS.items(), ids=STATEMENTS)
def test_parse_statement_is_read(text: str, expected: tuple[str, str, tuple[str, ...], str]) -> None:
    found = parse(text)
    assert (found.verb, found.summary, found.touches, " ".join(found.effects)) == expected


@pytest.mark.parametrize(("text", "expected"), LOSSES.items(), ids=LOSSES)
def test_parse_what_can_be_lost_is_said(text: str, expected: str | None) -> None:
    assert parse(text).destructive == expected


def test_parse_comments_and_strings_hold_no_words() -> None:
    found = parse("-- DROP TABLE a;\nCREATE /* TEMPORARY */ TABLE t (x String DEFAULT 'AS SELECT; --') ENGINE = Log")
    assert (found.summary, found.destructive, [*found.effects]) == ("create table t", None, ["definition"])


def test_parse_mentions_every_name_and_name_like_string() -> None:
    text = "CREATE VIEW v AS SELECT dictGet('db.d', 'x', id) FROM `a b`.t AS l JOIN \"u\" USING (id)"
    assert {"v", "db.d", "`a b`.t", "u", "x", "id"} <= set(parse(text).mentions)


def test_split_script_follows_clickhouse_migrations() -> None:
    assert split("-- a; b\nSELECT ';' ;\n\n/* ; */ SELECT 2;\n-- the end;\n") == [
        "-- a; b\nSELECT ';'",
        "/* ; */ SELECT 2",
    ]


@pytest.mark.parametrize("script", ["", "\n", "-- only a comment", "/* none */ ;;\n"])
def test_split_script_without_statements_is_empty(script: str) -> None:
    assert split(script) == []


def test_picture_sql_without_objects_is_empty_and_quotes_names() -> None:
    assert picture_sql(parse("OPTIMIZE TABLE t"), "db") == "SELECT '{}'"
    sql = picture_sql(parse("DROP TABLE `it's`"), "db")
    assert "database = 'db' AND name = 'it\\'s'" in sql


@pytest.mark.parametrize("text", ["", "[]", "{", '{"t": {}}', '{"t": null}'])
def test_loads_text_that_is_no_picture_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (
            "CREATE TABLE a.t UUID '2f0c1d2e-0000-4000-8000-000000000001' (`x` UInt8) ENGINE = Log",
            "CREATE TABLE a.t (`x` UInt8) ENGINE = Log",
        ),
        ("ENGINE = ReplicatedMergeTree('/p/{shard}', '{replica}') ORDER BY x", "ENGINE = MergeTree ORDER BY x"),
        ("ENGINE = ReplicatedReplacingMergeTree('/p', 'r', ver)", "ENGINE = ReplacingMergeTree(ver)"),
        ("ENGINE = ReplicatedReplacingMergeTree(ver)", "ENGINE = ReplacingMergeTree(ver)"),
        ("ENGINE = SharedMergeTree", "ENGINE = MergeTree"),
    ],
)
def test_normal_leaves_out_uuids_and_replicas(definition: str, expected: str) -> None:
    assert normal(definition) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP TABLE a.t ON CLUSTER 'c'", "DROP TABLE s.t "),
        (
            "CREATE TABLE a.w ENGINE = Log AS SELECT x FROM a.t",
            "CREATE TABLE s.w ENGINE = Log EMPTY AS SELECT x FROM s.t",
        ),
        (
            "CREATE MATERIALIZED VIEW m ENGINE = Log POPULATE AS SELECT 'a.t', a FROM b.t",
            "CREATE MATERIALIZED VIEW m ENGINE = Log  AS SELECT 'a.t', a FROM b.t",
        ),
        (
            "CREATE MATERIALIZED VIEW m REFRESH EVERY 1 HOUR TO a.t AS SELECT 1",
            "CREATE MATERIALIZED VIEW m REFRESH EVERY 1 HOUR TO s.t EMPTY AS SELECT 1",
        ),
    ],
)
def test_retargeted_statement_stays_in_scratch_and_copies_nothing(text: str, expected: str) -> None:
    assert retargeted(text, {"a": "s"}, "table", ()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE t (x UInt8) ENGINE = Kafka('h', 't', 'g', 'CSV')", "Kafka"),
        ("CREATE TABLE t (x UInt8) ENGINE S3Queue('u', CSV)", "S3Queue"),
        ("CREATE TABLE t (x UInt8) ENGINE = ReplicatedReplacingMergeTree('/p', 'r') ORDER BY x", None),
        ("CREATE TABLE t (engine String) ENGINE = MergeTree ORDER BY engine", None),
    ],
)
def test_engine_outside_names_what_a_trial_must_not_make(text: str, expected: str | None) -> None:
    assert engine_outside(text, "table") == expected

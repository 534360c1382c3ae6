"""Pairs of small branches over six stores, and what is true of each. `@` stands for a name of the pair's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Op = Mapping[str, Any]


class Pair(NamedTuple):
    """What was there before, and what each branch adds: statements, or operations. `unknown`: it cannot be read."""

    store: str
    title: str
    base: Sequence[Any]
    left: Sequence[Any]
    right: Sequence[Any]
    commutes: bool
    unknown: bool = False


def _family(name: str, pattern: str) -> Op:
    return {
        "key_family": {
            "name": name, "pattern": pattern, "type": "string", "ttl": "1h", "owner": "o", "description": "d",
        }
    }  # fmt: skip


def _stream(name: str) -> Op:
    return {"create_stream": {"name": name, "maxlen": 10, "description": "d"}}


def _class(name: str) -> Op:
    return {"create_collection": {"class": name, "properties": [{"name": "a", "dataType": ["text"]}]}}


def _property(name: str, of: str = "@Thing") -> Op:
    return {"add_property": {"class": of, "property": {"name": name, "dataType": ["text"]}}}


def _policy(name: str, **more: Any) -> Op:
    return {"create_retention_policy": {"database": "@db", "name": name, "duration": "24h", **more}}


def _index(name: str, field: str, **more: Any) -> Op:
    return {"create_index": {"collection": "@a", "name": name, "type": "persistent", "fields": [field], **more}}


TABLE = "CREATE TABLE @t (id int PRIMARY KEY, a int, b int)"
EVENTS = "CREATE TABLE @t (id UInt64, a UInt64, b UInt64, at DateTime) ENGINE = MergeTree ORDER BY id"
VIEW = "CREATE MATERIALIZED VIEW @v ENGINE = SummingMergeTree ORDER BY a AS SELECT a, count() AS n FROM @t GROUP BY a"
DATABASE: Op = {"create_database": {"name": "@db"}}
COLLECTION: Op = {"create_collection": {"name": "@a"}}

POSTGRES = [
    Pair("postgres", "two tables", [], ["CREATE TABLE @x (id int)"], ["CREATE TABLE @y (id int)"], True),
    Pair("postgres", "a column and an index of others", [TABLE],
         ["ALTER TABLE @t ADD COLUMN c text"], ["CREATE INDEX @i ON @t (a)"], True),
    Pair("postgres", "indexes on two columns", [TABLE],
         ["CREATE INDEX @i ON @t (a)"], ["CREATE INDEX @j ON @t (b)"], True),
    Pair("postgres", "two columns dropped", [TABLE],
         ["ALTER TABLE @t DROP COLUMN a"], ["ALTER TABLE @t DROP COLUMN b"], True),
    Pair("postgres", "a column dropped and one added", [TABLE],
         ["ALTER TABLE @t DROP COLUMN a"], ["ALTER TABLE @t ADD COLUMN c int"], True),
    Pair("postgres", "a check and a comment", [TABLE],
         ["ALTER TABLE @t ADD CONSTRAINT @k CHECK (a > 0)"], ["COMMENT ON COLUMN @t.a IS 'x'"], True),
    Pair("postgres", "a view and a column that it does not name", [TABLE],
         ["CREATE VIEW @v AS SELECT id, a FROM @t"], ["ALTER TABLE @t ADD COLUMN c int"], True),
    Pair("postgres", "a foreign key and another column's default",
         [TABLE, "CREATE TABLE @u (id int PRIMARY KEY, t int)"],
         ["ALTER TABLE @u ADD CONSTRAINT @f FOREIGN KEY (t) REFERENCES @t (id)"],
         ["ALTER TABLE @t ALTER COLUMN b SET DEFAULT 1"], True),
    Pair("postgres", "rows of one column and the type of another", [TABLE],
         ["UPDATE @t SET a = 1"], ["CREATE TYPE @e AS ENUM ('x')"], True),
    Pair("postgres", "two columns added", [TABLE],
         ["ALTER TABLE @t ADD COLUMN c int"], ["ALTER TABLE @t ADD COLUMN d int"], False),
    Pair("postgres", "a column dropped and indexed", [TABLE],
         ["ALTER TABLE @t DROP COLUMN a"], ["CREATE INDEX @i ON @t (a)"], False),
    Pair("postgres", "a column renamed and read by a view", [TABLE],
         ["ALTER TABLE @t RENAME COLUMN a TO z"], ["CREATE VIEW @v AS SELECT a FROM @t"], False),
    Pair("postgres", "a table dropped and altered", [TABLE],
         ["DROP TABLE @t"], ["ALTER TABLE @t ADD COLUMN c int"], False),
    Pair("postgres", "two values of an enum", ["CREATE TYPE @e AS ENUM ('x')"],
         ["ALTER TYPE @e ADD VALUE 'y'"], ["ALTER TYPE @e ADD VALUE 'z'"], False),
    Pair("postgres", "one name for a table and a view", [TABLE],
         ["CREATE TABLE @x (id int)"], ["CREATE VIEW @x AS SELECT 1 AS id"], False),
    Pair("postgres", "all columns and one more", [TABLE],
         ["CREATE VIEW @v AS SELECT * FROM @t"], ["ALTER TABLE @t ADD COLUMN c int"], False),
    Pair("postgres", "rows that a check would refuse", [TABLE],
         ["INSERT INTO @t (id, a) VALUES (1, -1)"], ["ALTER TABLE @t ADD CONSTRAINT @k CHECK (a > 0)"], False),
    Pair("postgres", "two functions of one name and type", [],
         ["CREATE FUNCTION @f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
         ["CREATE OR REPLACE FUNCTION @f() RETURNS int LANGUAGE sql AS 'SELECT 2'"], False),
    Pair("postgres", "a block of code", [TABLE],
         ["DO $$ BEGIN EXECUTE 'ALTER TABLE @t ADD COLUMN c int'; END $$"], ["CREATE TABLE @x (id int)"], False, True),
    Pair("postgres", "what goes with CASCADE", [TABLE],
         ["DROP TABLE @t CASCADE"], ["CREATE TABLE @x (id int)"], False, True),
]  # fmt: skip
CLICKHOUSE = [
    Pair("clickhouse", "two tables", [], [EVENTS], [EVENTS.replace("@t", "@u")], True),
    Pair("clickhouse", "a column and a time to live", [EVENTS],
         ["ALTER TABLE @t ADD COLUMN c UInt8"], ["ALTER TABLE @t MODIFY TTL at + INTERVAL 30 DAY"], True),
    Pair("clickhouse", "comments on two columns", [EVENTS],
         ["ALTER TABLE @t COMMENT COLUMN a 'x'"], ["ALTER TABLE @t COMMENT COLUMN b 'y'"], True),
    Pair("clickhouse", "a view of one table, a column of another", [EVENTS, EVENTS.replace("@t", "@u")],
         [VIEW], ["ALTER TABLE @u ADD COLUMN c UInt8"], True),
    Pair("clickhouse", "two columns added", [EVENTS],
         ["ALTER TABLE @t ADD COLUMN c UInt8"], ["ALTER TABLE @t ADD COLUMN d UInt8"], False),
    Pair("clickhouse", "a view and rows of its table", [EVENTS],
         [VIEW], ["INSERT INTO @t (id, a, b, at) SELECT 1, 1, 1, now()"], False),
    Pair("clickhouse", "a table dropped and altered", [EVENTS],
         ["DROP TABLE @t"], ["ALTER TABLE @t ADD COLUMN c UInt8"], False),
    Pair("clickhouse", "a partition attached", [EVENTS],
         ["ALTER TABLE @t ATTACH PARTITION tuple()"], [EVENTS.replace("@t", "@u")], False, True),
]  # fmt: skip
INFLUX = [
    Pair("influx", "two tiers", [DATABASE], [_policy("x")], [_policy("y")], True),
    Pair("influx", "two databases", [],
         [{"create_database": {"name": "@x"}}], [{"create_database": {"name": "@y"}}], True),
    Pair("influx", "two defaults", [DATABASE], [_policy("x", default=True)], [_policy("y", default=True)], False),
    Pair("influx", "one tier made twice", [DATABASE], [_policy("x")], [_policy("x", shard_duration="2h")], False),
    Pair("influx", "a statement of its own", [DATABASE],
         [{"influxql": {"statement": "DROP SERIES FROM m", "down": "DROP SERIES FROM n",
                        "probe": {"query": "SHOW SERIES", "equals": []}}}],
         [_policy("x")], False, True),
]  # fmt: skip
WEAVIATE = [
    Pair("weaviate", "two collections", [], [_class("@Some")], [_class("@Other")], True),
    Pair("weaviate", "a property and an alias", [_class("@Thing")],
         [_property("b")], [{"create_alias": {"alias": "@Name", "class": "@Thing"}}], True),
    Pair("weaviate", "two properties", [_class("@Thing")], [_property("b")], [_property("c")], False),
    Pair("weaviate", "a collection dropped and altered", [_class("@Thing")],
         [{"delete_collection": {"class": "@Thing"}}], [_property("b")], False),
]  # fmt: skip
ARANGO = [
    Pair("arango", "two collections", [],
         [{"create_collection": {"name": "@x"}}], [{"create_collection": {"name": "@y"}}], True),
    Pair("arango", "two indexes", [COLLECTION], [_index("@i", "a")], [_index("@j", "b")], True),
    Pair("arango", "two documents", [COLLECTION],
         [{"insert_documents": {"collection": "@a", "documents": [{"_key": "1"}]}}],
         [{"insert_documents": {"collection": "@a", "documents": [{"_key": "2"}]}}], True),
    Pair("arango", "a unique index and documents", [COLLECTION], [_index("@i", "a", unique=True)],
         [{"insert_documents": {"collection": "@a", "documents": [{"_key": "1", "a": 1}]}}], False),
    Pair("arango", "a collection dropped and indexed", [COLLECTION],
         [{"drop_collection": {"name": "@a"}}], [_index("@i", "a")], False),
]  # fmt: skip
REDIS = [
    Pair("redis", "two families", [], [_family("@x", "@x:{id}")], [_family("@y", "@y:{id}")], True),
    Pair("redis", "two groups of a stream", [_stream("@s")],
         [{"create_group": {"stream": "@s", "name": "x"}}], [{"create_group": {"stream": "@s", "name": "y"}}], True),
    Pair("redis", "two families of one key", [], [_family("@x", "@x:{id}")], [_family("@y", "@x:{id}:all")], False),
    Pair("redis", "a stream dropped and read", [_stream("@s")],
         [{"drop_stream": {"name": "@s"}}], [{"create_group": {"stream": "@s", "name": "y"}}], False),
    Pair("redis", "keys deleted and given a time to live", [],
         [{"delete_keys": {"pattern": "@k:*"}}], [{"set_ttl": {"pattern": "@k:sub:*", "ttl": "1h"}}], False),
]  # fmt: skip
PAIRS = [*POSTGRES, *CLICKHOUSE, *INFLUX, *WEAVIATE, *ARANGO, *REDIS]


def named(part: Sequence[Any], name: str) -> list[Any]:
    """Statements or operations with the names of one pair in one project."""
    made: list[Any] = json.loads(json.dumps(list(part)).replace("@", name))
    return made

"""Texts that are hard to cut, to place or to judge: which rules, on which line and column."""

from __future__ import annotations

import pytest

from tests.lint import pages

INDEX = "index-not-concurrent"
TABLE = "CREATE TABLE t (a int); "
CASES = {
    "comments around each word": (
        "/* a */ -- b\n  CREATE /* x */ INDEX /* INDEX */ i -- y\n ON t(a);",
        [(INDEX, 2, 3)],
    ),
    "a comment in a comment": ("/* a /* b */ c */ CREATE INDEX i ON t(a);", [(INDEX, 1, 19)]),
    "a statement in dollar quotes": (
        "DO $x$ BEGIN EXECUTE 'CREATE INDEX i ON t(a);'; END $x$;\nDROP INDEX j;",
        [("drop-index-not-concurrent", 2, 1)],
    ),
    "a quote behind a backslash": (
        "SELECT E'it\\'s; CREATE INDEX i ON t(a)';\nCREATE INDEX i ON t(a);",
        [(INDEX, 2, 1)],
    ),
    "dots in quoted names": ('CREATE TABLE "a.b" ("c.d" int);\nCREATE INDEX "i.j" ON "a.b" ("c.d");', []),
    "several on a line": (f"{TABLE}CREATE INDEX i ON t (a); CREATE INDEX j ON u (a);", [(INDEX, 1, 50)]),
    "a table of SELECT INTO": ("SELECT 1 AS a INTO t; CREATE INDEX i ON t (a);", []),
    "a table of CREATE TABLE AS": ("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX i ON t (a);", []),
    "a temporary table": ("CREATE TEMP TABLE t (a int); CREATE INDEX i ON t (a); UPDATE t SET a = 2;", []),
    "a table under a new name": (f"{TABLE}ALTER TABLE t RENAME TO u; CREATE INDEX i ON u (a);", []),
    "a partitioned parent": (
        "CREATE TABLE p (a int) PARTITION BY RANGE (a);\nCREATE INDEX i ON p (a);",
        [],
    ),
    "a condition that always holds": (
        "UPDATE t SET a = 1 WHERE true;\nUPDATE t SET a = 1 WHERE 1 = 1;\nUPDATE t SET a = 1 WHERE id = 1;",
        [("update-whole-table", 1, 1), ("update-whole-table", 2, 1)],
    ),
    "rows below COPY": ("COPY t FROM stdin;\n1;\t2\n\\.\nCREATE INDEX i ON t(a);", [(INDEX, 4, 1)]),
    "lines of psql": ("\\set ON_ERROR_STOP on\n\\i other.sql\nCREATE INDEX i ON t(a);", [(INDEX, 3, 1)]),
    "variables of psql": (
        "CREATE INDEX i ON :schema.t (a);\nDROP INDEX :\"name\";\nSELECT :'value'::text;",
        [(INDEX, 1, 1), ("drop-index-not-concurrent", 2, 1)],
    ),
    "a mistake in the middle": (
        "CREATE INDEX i ON t(a);\nCREATE TABL x (a int);\nDROP INDEX j;",
        [(INDEX, 1, 1), ("syntax", 2, 8), ("drop-index-not-concurrent", 3, 1)],
    ),
    "a NUL": (
        "SELECT 1;\0CREATE INDEX i ON t(a);\nDROP INDEX j;",
        [("syntax", 1, 10), ("drop-index-not-concurrent", 2, 1)],
    ),
    "no line end, no semicolon": ("CREATE INDEX i ON t(a)", [(INDEX, 1, 1)]),
    "characters of several bytes": ("SELECT '🦆🦆'; CREATE INDEX i ON t (a);", [(INDEX, 1, 14)]),
    "a body that is no text": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;\nCREATE INDEX i ON t (a);",
        [(INDEX, 2, 1)],
    ),
    "a transaction that ends": (
        "BEGIN;\nCREATE INDEX CONCURRENTLY i ON t(a);\nCOMMIT;\nCREATE INDEX CONCURRENTLY j ON t(b);",
        [("concurrently-in-transaction", 2, 1)],
    ),
    "partitions that pg_partman finds, with and without `_p` in the name of their table": (
        "CREATE TABLE a_b (at timestamptz NOT NULL) PARTITION BY RANGE (at);\n"
        "CREATE TABLE a_b_2026 PARTITION OF a_b FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z');\n"
        "CREATE TABLE a_pb (at timestamptz NOT NULL) PARTITION BY RANGE (at);\n"
        "CREATE TABLE a_pb_2026 PARTITION OF a_pb FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z');\n"
        "CREATE EXTENSION pg_partman; SELECT partman.create_parent('public.a_b', 'at', 'native', '1 year');\n"
        "SELECT partman.create_parent('public.a_pb', 'at', 'native', '1 year');",
        [("partman-partition-name", 4, 1)],
    ),
    "a comment that allows, inside of its statement": (
        "CREATE INDEX i\n -- lint: allow index-not-concurrent: small\n ON t(a);\nCREATE INDEX j\n ON t(b);\n"
        "CREATE INDEX k\n ON t(c); -- lint: allow index-not-concurrent: small",
        [(INDEX, 4, 1)],
    ),
    "a comment that allows one of two columns": (
        "CREATE TABLE p (id int PRIMARY KEY, first_score numeric(4,3),\n"
        " second_score numeric(4,3), -- lint: allow decimal-rounds: three digits are sent\n third_score numeric(4,3));",
        [("decimal-rounds", 1, 37), ("decimal-rounds", 3, 2)],
    ),
    "a comment that allows, lines above": (
        "-- lint: allow index-not-concurrent: small\n-- b\n\nCREATE INDEX i\n ON t(a);",
        [],
    ),
}
OF_OTHERS = {
    "ClickHouse: cluster, codec, TTL, projection": (
        "clickhouse",
        "CREATE TABLE IF NOT EXISTS db.t ON CLUSTER '{cluster}' (a UInt32 CODEC(Delta, LZ4), ts DateTime, s String TTL "
        "ts + INTERVAL 1 DAY, PROJECTION p (SELECT a ORDER BY a)) ENGINE = ReplicatedMergeTree('/c/{shard}/t', "
        "'{replica}') ORDER BY a TTL ts + INTERVAL 1 MONTH DELETE WHERE a > 3, ts + INTERVAL 1 WEEK TO DISK 'x';",
        [],
    ),
    "ClickHouse: quotes, then a mistake": (
        "clickhouse",
        "/* ; */ SELECT `t;x`, 'it''s; \\' x' FROM t;\nCREATE TABEL u;\nSELECT 1 FROM t WHERE a = [];",
        [("clickhouse-syntax", 2, 8), ("equals-empty-array", 3, 23)],
    ),
    "Redis: quotes in quotes": (
        "redis",
        'SET "a key" "v; x" EX 60\nset k \'it"s\' ex 5\n# comment\nkeys *\n',
        [("keys-blocks-server", 4, 1)],
    ),
    "Redis: scripts": (
        "redis",
        "eval \"return redis.call('keys', ARGV[1])\" 0 cache:*\n"
        'EVAL \'local call = redis.call; local all = call("KEYS", "a*")\' 0\n'
        'EVAL \'local r = redis.pcall; for _, k in ipairs(r("KEYS", "a*")) do r("DEL", k) end\' 0\n'
        'SCRIPT LOAD \'repeat local s = redis.call("SCAN", s[1]) until s[1] == "0"\'\n'
        'FUNCTION LOAD REPLACE \'#!lua name=a\\n redis.call("KEYS", "*")\'\n'
        "EVAL \"return redis.call('SMEMBERS', KEYS[1])\" 1 s\n"
        "EVAL \"return redis.call('LRANGE', KEYS[1], 0, -1)\" 1 l\n"
        "EVAL \"--[[ redis.call('KEYS', '*') ]] return 'call(KEYS)'\" 0\n"
        "EVAL \"local s = 'while' return redis.call('SCAN', ARGV[1])\" 0 0\n"
        "EVAL \"return redis.call('LRANGE', KEYS[1], 0, 9)\" 1 l\n"
        'EVAL "return KEYS[1]" 1 k\n',
        [("keys-blocks-server", line, 1) for line in range(1, 8)],
    ),
    "Weaviate: named vectors": (
        "weaviate",
        '{"class": "A", "vectorConfig": {"t": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}}, '
        '"properties": [{"name": "t", "dataType": ["text"]}]}',
        [],
    ),
    "InfluxDB: a policy with its shards": (
        "influx",
        'CREATE DATABASE d;\nCREATE RETENTION POLICY "a b" ON "d" DURATION 1w2d REPLICATION 1 SHARD DURATION 1d '
        "DEFAULT\n",
        [],
    ),
    "ArangoDB: three ways to name a collection": (
        "arango",
        '// db.x.ensureIndex({type: "hash", fields: ["a"]})\ndb.x.ensureIndex({type: "hash", fields: ["a"]});\n'
        'db["y-z"].ensureIndex({type: "hash", fields: ["a"]});\ndb._collection("w").ensureIndex('
        '{type:"hash",fields:["b"]});',
        [("hash-index", 2, 26), ("hash-index", 3, 31), ("hash-index", 4, 40)],
    ),
    "ArangoDB: a document of JSON": (
        "arango",
        '{"parameters": {"name": "x", "type": 2},\n "indexes": [\n  {"type": "hash", "fields": ["a"]},\n'
        '  {"type": "persistent", "fields": ["b"]}]}',
        [("hash-index", 3, 13)],
    ),
}


def texts() -> list[str]:
    return [text for kind, text, _ in OF_OTHERS.values() if kind == "clickhouse"]


def places(kind: str, text: str) -> list[tuple[str, int, int]]:
    return [(each.rule, each.line, each.column) for each in pages.found(kind, [text], complete=False)]


@pytest.mark.parametrize("name", CASES)
def test_sql_of_postgres(name: str) -> None:
    text, expected = CASES[name]
    assert places("postgres", text) == expected


@pytest.mark.parametrize("name", OF_OTHERS)
def test_files_of_other_kinds(name: str) -> None:
    kind, text, expected = OF_OTHERS[name]
    assert places(kind, text) == expected

"""What looks like a defect and is none: each of these was thought about when its rule was written."""

from __future__ import annotations

import pytest

from tests.lint.pages import found

QUIET = {
    "index on a table of the same file": "CREATE TABLE t (a int); CREATE INDEX i ON t (a);",
    "index of a temporary table": "CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE INDEX i ON t (a);",
    "index on the parent alone": "CREATE INDEX i ON ONLY t (a);",
    "constraint of a table of the same file": "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);",
    "constant default": "ALTER TABLE t ADD COLUMN a timestamptz NOT NULL DEFAULT now();",
    "longer text": "CREATE TABLE t (a varchar(9)); ALTER TABLE t ALTER COLUMN a TYPE varchar(20);",
    "fill of the table just made": "CREATE TABLE t (a int); UPDATE t SET a = 1;",
    "update of some rows": "UPDATE t SET a = 1 WHERE b = 2;",
    "table that is rebuilt": "INSERT INTO kept SELECT * FROM t; DROP TABLE t; CREATE TABLE t (a int);",
    "function that is replaced": "SELECT f(); CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "name of a common table expression": "WITH t AS (SELECT 1) SELECT * FROM t; CREATE TABLE t (a int);",
    "text that speaks of it": "COMMENT ON TABLE t IS 'CREATE INDEX i ON t (a); now()';",
    "function of words": "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN 'VACUUM'; END$$;",
    "column called index": 'CREATE TABLE t ("index" int, key text, PRIMARY KEY ("index"));',
    "column called key": "CREATE TABLE t (key VARCHAR(250), price NUMERIC(8, 2), PRIMARY KEY (key));",
    "two indexes of two schemas": "CREATE INDEX CONCURRENTLY i ON a.t (x); CREATE INDEX CONCURRENTLY i ON b.t (x);",
    "unique prefix": "CREATE TABLE t (a int); CREATE UNIQUE INDEX u ON t (a); CREATE INDEX i ON t (a, b);",
    "bounds with a zone": (
        "CREATE TABLE t (at timestamptz) PARTITION BY RANGE (at);"
        "CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2026-01-01T00:00Z') TO ('2026-02-01 00:00:00+00');"
    ),
    "bounds of dates": (
        "CREATE TABLE t (day date) PARTITION BY RANGE (day);"
        "CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
    ),
    "body that is no text": "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;",
    "what psql takes for itself": '\\echo Use "CREATE EXTENSION"; \\quit\n\\set a 1\nSELECT 1;',
    "data behind COPY": "COPY t (a) FROM stdin;\nit's ; not SQL\n\\.\nSELECT 1;",
}
_MERGE = "ENGINE = MergeTree ORDER BY d"
QUIET_CLICKHOUSE = {
    "partition by a kind of event": f"t (d Date, kind LowCardinality(String)) {_MERGE} PARTITION BY kind;",
    "sum in a summing table": "t (d Date, total_latency Float64) ENGINE = SummingMergeTree ORDER BY d;",
    "enum whose zero means nothing": f"t (d Date, e Enum8('b' = 1, 'none' = 0)) {_MERGE};",
    "enum with a default": f"t (d Date, e Enum8('b' = 1) DEFAULT 'b') {_MERGE};",
    "nullable column": f"t (d Date, n Nullable(Int8)) {_MERGE}; SELECT d FROM t WHERE n IS NULL;",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in QUIET.items()])
def test_sound_sql_has_no_finding(text: str) -> None:
    assert [(each.rule, each.message) for each in found("postgres", [text], complete=False)] == []


def test_sound_statements_of_clickhouse_have_no_finding() -> None:
    texts = [f"CREATE TABLE IF NOT EXISTS {each}" for each in QUIET_CLICKHOUSE.values()]
    assert [(each.file, each.rule) for each in found("clickhouse", texts, complete=False)] == []


LATER = {
    "same type again": "ALTER TABLE t ALTER COLUMN a TYPE int;",
    "NOT NULL again": "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
    "NOT NULL again, renamed": "ALTER TABLE t RENAME a TO x; ALTER TABLE t ALTER COLUMN x SET NOT NULL;",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in LATER.items()])
def test_what_an_earlier_file_said_is_not_done_again(text: str) -> None:
    made = "CREATE TABLE t (a int NOT NULL);"
    assert [each.rule for each in found("postgres", [made, text]) if each.rule != "rename-in-use"] == []


def test_type_that_was_changed_is_the_one_that_counts() -> None:
    made, changed = "CREATE TABLE t (a int);", "ALTER TABLE t ALTER COLUMN a TYPE bigint;"
    assert [each.file for each in found("postgres", [made, changed, changed])] == ["2.txt"]


_VIEW = (
    "CREATE TABLE IF NOT EXISTS d.k (a String) ENGINE = MergeTree ORDER BY a;"
    "CREATE MATERIALIZED VIEW IF NOT EXISTS d.mv TO d.k AS SELECT a FROM d.source;"
)


def test_view_that_was_dropped_is_in_nobodys_way() -> None:
    drop, rename = "DROP VIEW IF EXISTS d.mv;", "RENAME TABLE IF EXISTS d.k TO d.l ON CLUSTER c;"
    found_first, found_last = (found("clickhouse", [_VIEW, text]) for text in (rename + drop, drop + rename))
    assert [(each.rule, each.object) for each in found_first] == [("rename-of-view-table", "k")]
    assert [each.rule for each in found_last] == []


def test_constraint_beside_a_column_is_found() -> None:
    text = "ALTER TABLE t ADD COLUMN a int, ADD CONSTRAINT c CHECK (a > 0);"
    assert [each.rule for each in found("postgres", [text], complete=False)] == ["constraint-without-not-valid"]


@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_long_expression_is_read(kind: str) -> None:
    text = f"SELECT {' + '.join(['a'] * 300)} FROM t;"
    assert {each.rule for each in found(kind, [text], complete=False)} == set()

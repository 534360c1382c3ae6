"""What a text of SQL loses when it is run, form by form."""

from __future__ import annotations

import pytest

from provision.stores.postgres.migrate.losses.loss import as_before
from provision.stores.postgres.migrate.losses.statement import read

T, C, R = "drops table {} and its rows", "drops column {} of {} and its values", "deletes rows of {}"
LOSES = {
    "DROP TABLE t": [T.format("t")],
    "drop table if exists T": [T.format("t")],
    'DROP TABLE "T"': [T.format('"T"')],
    'DROP TABLE IF EXISTS a, s.b, "S x"."B" CASCADE': [T.format("a"), T.format("s.b"), T.format('"S x"."B"')],
    "DROP TABLE db.s.t RESTRICT": [T.format("s.t")],
    "/* a /* nested */ comment */ DROP -- a table\n TABLE t": [T.format("t")],
    "SELECT 1; DROP TABLE t;": [T.format("t")],
    "SELECT ';', $q$ ; $q$, E'\\';' ; DROP TABLE t": [T.format("t")],
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; DROP TABLE t": [
        T.format("t")
    ],
    "DROP TABLE %s": [T.format("…")],
    "ALTER TABLE t DROP COLUMN c": [C.format("c", "t")],
    "ALTER TABLE t DROP c": [C.format("c", "t")],
    "ALTER TABLE t DROP IF EXISTS c": [C.format("c", "t")],
    "ALTER TABLE IF EXISTS ONLY s.t * DROP COLUMN IF EXISTS c CASCADE": [C.format("c", "s.t")],
    'ALTER TABLE t ADD COLUMN a numeric(4, 2), DROP COLUMN b, DROP "C d", DROP CONSTRAINT x': [
        C.format("b", "t"),
        C.format('"C d"', "t"),
    ],
    "ALTER TABLE t ALTER a DROP NOT NULL, DROP b": [C.format("b", "t")],
    "TRUNCATE t": ["empties table t"],
    "TRUNCATE TABLE ONLY a, s.b * RESTART IDENTITY CASCADE": ["empties table a", "empties table s.b"],
    "DELETE FROM t": [R.format("t")],
    "DELETE FROM ONLY s.t AS x USING o WHERE x.id = o.id RETURNING *": [R.format("s.t")],
    "WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d": [R.format("a")],
    "WITH d AS MATERIALIZED (DELETE FROM a RETURNING 1), e AS (DELETE FROM b RETURNING 1) SELECT 1": [
        R.format("a"),
        R.format("b"),
    ],
    "WITH d AS (SELECT 1) DELETE FROM a USING d": [R.format("a")],
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.gone THEN DELETE": [R.format("t")],
    "WITH n AS (SELECT 1) MERGE INTO ONLY t USING n ON true WHEN NOT MATCHED BY SOURCE THEN DELETE": [R.format("t")],
    "COPY (DELETE FROM t RETURNING *) TO STDOUT": [R.format("t")],
    "EXPLAIN ANALYZE DELETE FROM t": [R.format("t")],
    "EXPLAIN (COSTS false, ANALYZE) DELETE FROM t": [R.format("t")],
    "PREPARE p (int) AS DELETE FROM t WHERE id = $1": [R.format("t")],
    "DROP SCHEMA IF EXISTS a, b CASCADE": ["drops schema a and what is in it", "drops schema b and what is in it"],
    "DROP DATABASE d WITH (FORCE)": ["drops database d and everything in it"],
    "DROP OWNED BY r CASCADE": ["drops everything that role r owns"],
    "DROP SEQUENCE q": ["drops sequence q and its value"],
    "DROP TYPE mood CASCADE": ["drops type mood and the columns and tables that need it"],
    "DROP DOMAIN IF EXISTS d CASCADE": ["drops type d and the columns and tables that need it"],
    "DROP EXTENSION postgis CASCADE": ["drops extension postgis and the columns and tables that need it"],
    "DROP COLLATION c CASCADE": ["drops collation c and the columns and tables that need it"],
    "DROP ACCESS METHOD m CASCADE": ["drops access method m and the columns and tables that need it"],
    "ALTER TYPE pair DROP ATTRIBUTE a CASCADE": ["drops type pair and the columns and tables that need it"],
    "SELECT lo_unlink(oid) FROM pg_largeobject_metadata": ["deletes large objects"],
    "DO $$ BEGIN DROP TABLE t; END $$": [T.format("t")],
    "DO LANGUAGE plpgsql 'BEGIN IF true THEN DELETE FROM t; END IF; END'": [R.format("t")],
    "DO $a$ BEGIN LOOP ALTER TABLE t DROP c; EXIT; END LOOP; END $a$": [C.format("c", "t")],
    "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$": [T.format("t")],
    "DO $$ BEGIN EXECUTE $q$DROP TABLE t$q$; END $$": [T.format("t")],
    "DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident(name) || ' CASCADE'; END $$": [T.format("…")],
    "DO $$ BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN %I', 'T', n); END $$": [C.format("…", '"T"')],
    "DO $$ DECLARE q text := 'TRUNCATE t'; BEGIN EXECUTE q; END $$": ["empties table t"],
    "DO $$ BEGIN FOR q IN SELECT 'DROP TABLE ' || relname FROM pg_class LOOP EXECUTE q; END LOOP; END $$": [
        T.format("…")
    ],
    "DO $$ BEGIN MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE; END $$": [R.format("t")],
    "DO $$ BEGIN PERFORM lo_unlink(1); EXCEPTION WHEN others THEN TRUNCATE t; END $$": [
        "deletes large objects",
        "empties table t",
    ],
    "DO $$ BEGIN EXECUTE 'DO $b$ BEGIN DROP TABLE t; END $b$'; END $$": [T.format("t")],
}
LOSES_NOTHING = (
    "",
    "SELECT 1",
    "SELECT 'DROP TABLE t'",
    "-- DROP TABLE t\nSELECT 1",
    "/* DROP TABLE t; */ SELECT 1",
    "COMMENT ON TABLE t IS 'x; DROP TABLE t; --'",
    "CREATE TABLE t (id int REFERENCES o ON DELETE CASCADE)",
    "CREATE TABLE t (\"drop table x\" int, a text DEFAULT '; DELETE FROM t')",
    "ALTER TABLE t DROP CONSTRAINT c, DROP CONSTRAINT IF EXISTS d CASCADE",
    "ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER b DROP NOT NULL, ALTER c DROP IDENTITY, ALTER d DROP EXPRESSION",
    "ALTER TABLE t ALTER a TYPE bigint USING NULL",
    "ALTER TABLE p DETACH PARTITION t CONCURRENTLY",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER PUBLICATION p DROP TABLE t",
    "ALTER EXTENSION e DROP TABLE t",
    "DROP INDEX CONCURRENTLY IF EXISTS i",
    "DROP VIEW v CASCADE",
    "DROP MATERIALIZED VIEW m CASCADE",
    "DROP FUNCTION f(int) CASCADE",
    "DROP TRIGGER g ON t",
    "DROP POLICY p ON t",
    "DROP FOREIGN TABLE f",
    "DROP TYPE mood",
    "DROP EXTENSION postgis",
    "DROP ROLE r",
    "UPDATE t SET a = NULL",
    "INSERT INTO t SELECT * FROM o ON CONFLICT DO NOTHING",
    "COPY t FROM STDIN",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN (ANALYZE false) DELETE FROM t",
    "GRANT DELETE, TRUNCATE ON t TO r",
    "REVOKE DELETE ON t FROM r",
    "CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE RULE r AS ON DELETE TO v DO INSTEAD DELETE FROM t",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$",
    "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM t; END",
    "SELECT delete FROM t",
    "REFRESH MATERIALIZED VIEW m",
    "DO $$ BEGIN RAISE NOTICE 'drop table t'; ALTER TABLE t DROP CONSTRAINT c; END $$",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE t DROP CONSTRAINT ' || quote_ident(c); END $$",
)


@pytest.mark.parametrize(("text", "expected"), LOSES.items(), ids=LOSES)
def test_statement_that_loses_says_what(text: str, expected: list[str]) -> None:
    assert [str(each) for each in read(text).losses] == expected


@pytest.mark.parametrize("text", LOSES_NOTHING)
def test_statement_that_keeps_everything_loses_nothing(text: str) -> None:
    assert read(text).losses == ()


@pytest.mark.parametrize(
    ("text", "opaque", "calls"),
    [
        ("SELECT drop_old()", False, {"drop_old"}),
        ("SELECT pg_catalog.lo_close(1), s.f(x)", False, {"s.f"}),
        ("INSERT INTO t (a) SELECT g(a) FROM o AS p (a)", False, {"g"}),
        ("CREATE TABLE n AS SELECT h(1)", False, {"h"}),
        ("CREATE TABLE n (a numeric(3), CHECK (f(a)))", False, set()),
        ("SELECT count(*), max(a) FROM t WHERE a IN (1, 2)", False, set()),
        ("CALL p()", True, set()),
        ("EXECUTE p", True, set()),
        ("DO $$ BEGIN NULL; END $$", True, set()),
        ("SET search_path TO o; DROP TABLE t", True, set()),
        ("CREATE TABLE n (); CREATE TABLE m ()", False, set()),
    ],
)
def test_text_that_runs_what_it_does_not_show(text: str, opaque: bool, calls: set[str]) -> None:
    found = read(text)
    assert (found.opaque, set(found.calls)) == (opaque, calls)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE a RENAME TO b; DROP TABLE b", [("a", "")]),
        ("ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO c; TRUNCATE c", [("a", "")]),
        ("ALTER TABLE s.a RENAME x TO y; ALTER TABLE s.a DROP y", [("a", "x")]),
        ("ALTER TABLE a SET SCHEMA s; DROP TABLE s.a", [("a", "")]),
        ("DROP TABLE b; ALTER TABLE a RENAME TO b", [("b", "")]),
        ("DO $$ BEGIN ALTER TABLE a RENAME TO b; DROP TABLE b; END $$", [("a", "")]),
    ],
)
def test_what_was_renamed_before_is_lost_under_its_first_name(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(each.name[-1], each.column) for each in as_before(read(text).effects)] == expected

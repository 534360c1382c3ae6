"""What loses data of ClickHouse and was not allowed is stopped before it is sent; what the run made is no loss."""

from __future__ import annotations

import pytest

from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
from tests.stores.postgres.test_clickhouse import Clickhouse, clickhouse

__all__ = ["clickhouse"]

MADE = """\
CREATE TABLE t (id Int32, c Int32, d Date DEFAULT '2026-01-01') ENGINE = MergeTree ORDER BY id PARTITION BY id;
INSERT INTO t (id, c) VALUES (1, 2);
CREATE MATERIALIZED VIEW kept ENGINE = MergeTree ORDER BY id AS SELECT id FROM t;
CREATE MATERIALIZED VIEW passed TO t AS SELECT id FROM t WHERE 0;
CREATE VIEW v AS SELECT id FROM t;
"""
LOSES = {
    "drop": "DROP TABLE t",
    "drop_view_with_rows": "DROP VIEW kept",
    "truncate": "TRUNCATE TABLE t",
    "truncate_all": "TRUNCATE ALL TABLES FROM {db}",
    "delete": "DELETE FROM t WHERE id = 1",
    "alter_delete": "ALTER TABLE t DELETE WHERE id = 1",
    "column": "ALTER TABLE t ADD COLUMN n Int8, DROP COLUMN c",
    "clear": "ALTER TABLE t CLEAR COLUMN c IN PARTITION 1",
    "partition": "ALTER TABLE t DROP PARTITION 1",
    "ttl": "ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY",
    "replace": "CREATE OR REPLACE TABLE t (id Int8) ENGINE = Log",
    "renamed": "RENAME TABLE t TO u;\nDROP TABLE u",
    "exchanged": "CREATE TABLE n AS t;\nEXCHANGE TABLES t AND n;\nDROP TABLE n",
    "renamed_column": "ALTER TABLE t RENAME COLUMN c TO e;\nALTER TABLE t DROP COLUMN e",
    "database": "DROP DATABASE {db}",
    "variable": "DROP ${KIND} t",
}
KEEPS = {
    "same_run": "CREATE TABLE n (a Int8) ENGINE = Log;\nDROP TABLE n",
    "same_run_rows": "CREATE TABLE n (a Int8) ENGINE = MergeTree ORDER BY a;\nINSERT INTO n VALUES (1);\n"
    "TRUNCATE TABLE n;\nALTER TABLE n DELETE WHERE a = 1;\nDROP TABLE n",
    "same_run_column": "ALTER TABLE t ADD COLUMN n Int8;\nALTER TABLE t DROP COLUMN n",
    "absent": "DROP TABLE IF EXISTS nowhere",
    "replaced": "RENAME TABLE t TO u;\nCREATE TABLE t (a Int8) ENGINE = Log;\nDROP TABLE t;\nRENAME TABLE u TO t",
    "exchanged": "CREATE TABLE n AS t;\nINSERT INTO n (id, c) VALUES (5, 5);\nEXCHANGE TABLES t AND n;\n"
    "EXCHANGE TABLES t AND n;\nDROP TABLE n",
    "view": "DROP VIEW v",
    "view_to_a_table": "DROP VIEW passed",
    "temporary": "CREATE OR REPLACE VIEW v AS SELECT 2 AS id",
    "text": "ALTER TABLE t MODIFY COMMENT 'DROP TABLE t'",
}


@pytest.fixture
def content(clickhouse: Clickhouse) -> Clickhouse:
    clickhouse.configure('variables = {KIND = "TABLE"}')
    clickhouse.write(1, MADE)
    clickhouse.up()
    return clickhouse


def rows(content: Clickhouse) -> list[tuple[object, ...]]:
    return content.rows("SELECT id, c FROM {db}.t")


@pytest.mark.parametrize("text", LOSES.values(), ids=LOSES)
def test_loss_is_foretold(content: Clickhouse, text: str) -> None:
    content.write(2, text.replace("{db}", content.database) + ";\n")
    before = content.events()

    ran = content.provision("up", "--no-lock")

    assert (ran.code, "error[destructive]: 1 of 1 steps would lose data" in ran.err) == (3, True), ran.err
    assert (rows(content), content.events()) == ([(1, 2)], before)
    assert "       loses data: " in content.provision("plan").out
    assert "    loses data: " in content.provision("up", "--dry-run").out


@pytest.mark.parametrize("text", LOSES.values(), ids=LOSES)
def test_loss_is_stopped_when_it_is_sent(content: Clickhouse, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as blind:
        blind.setattr(ClickhouseStatements, "losses_of", lambda *_: {})
        content.write(2, "CREATE TABLE before_it (a Int8) ENGINE = Log;\n")
        content.write(3, "SELECT 1;\n" + text.replace("{db}", content.database) + ";\n")
        ran = content.provision("up", "--no-lock")

    assert ran.code == 3, ran.out + ran.err
    assert "error[destructive]: clickhouse/003_step would lose data: " in ran.err
    assert "; committed before it in this run: clickhouse/002\n" in ran.err
    tables = {name for (name,) in content.rows("SELECT name FROM system.tables WHERE database = '{db}'")}
    old = "u" if "TO u" in text else "n" if "EXCHANGE" in text else "t"
    column = "e" if "TO e" in text else "c"
    assert content.rows(f"SELECT id, {column} FROM {{db}}.{old}") == [(1, 2)]
    assert {"kept", "before_it"} <= tables
    assert content.events()[-1] == ("clickhouse/003", "failed")
    if "DROP DATABASE" not in text:
        content.up("--allow-destructive")
        assert content.events()[-1] == ("clickhouse/003", "applied")


@pytest.mark.parametrize("text", KEEPS.values(), ids=KEEPS)
def test_what_keeps_everything_needs_no_flag(content: Clickhouse, text: str) -> None:
    content.write(2, text + ";\n")
    content.up()
    assert rows(content) == [(1, 2)]


def test_empty_database_needs_no_flag(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, MADE)
    clickhouse.write(2, "ALTER TABLE t DROP COLUMN c;\nTRUNCATE TABLE t;\nDROP VIEW kept;\n")
    clickhouse.write(3, "DROP VIEW passed;\nRENAME TABLE t TO u;\nDROP TABLE u;\n")
    assert "loses data" not in clickhouse.provision("plan").out
    clickhouse.up()


def test_what_an_earlier_run_made_is_a_loss(content: Clickhouse) -> None:
    content.write(2, "CREATE TABLE n (a Int8) ENGINE = Log;\n", "DROP TABLE n;\n")
    content.up()
    shown = content.provision("down", "--steps", "1", "--no-lock", "--dry-run").out
    assert "    loses data: drops table n and its rows\n" in shown
    assert content.provision("down", "--steps", "1", "--no-lock").code == 3


def test_down_that_was_stopped_is_not_finished_by_the_next_up(
    clickhouse: Clickhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clickhouse.write(
        1, "CREATE TABLE t (id Int32, c Int32) ENGINE = MergeTree ORDER BY id;\n", "SELECT 1;\nDROP TABLE t;\n"
    )
    clickhouse.up()
    with monkeypatch.context() as blind:
        blind.setattr(ClickhouseStatements, "losses_of", lambda *_: {})
        assert clickhouse.provision("down", "--all", "--no-lock").code == 3
    ran = clickhouse.provision("up", "--no-lock")
    assert ran.code == 3, ran.out + ran.err
    assert clickhouse.rows("SELECT count() FROM {db}.t") == [(0,)]

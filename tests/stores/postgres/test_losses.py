"""What loses data and was not allowed is stopped before it is sent, however the revision puts it together."""

from __future__ import annotations

import json
import re

import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

MADE = """op.execute("create table t (id int, c int, d int)")
    op.execute("insert into t values (1, 2, 3)")
    op.execute("create table o (id int)")
    op.execute("create function drop_old() returns void language plpgsql as $$ begin drop table t; end $$")
    op.execute("create function drop_c() returns int language plpgsql as "
               "$$ begin execute 'alter table t drop ' || 'c'; return 1; end $$")
    op.execute("create function purge() returns void language sql as $$ delete from t $$")
    op.execute("create procedure drop_all() language plpgsql as $$ begin drop table t, o; end $$")"""
RAW = "op.get_bind().connection"
# How the same table or column is dropped; those the file does not show are stopped when the run comes to them.
SHOWN = {
    "operation": 'op.drop_table("t")',
    "keyword": 'op.drop_table(table_name="t")',
    "constant": 'NAME = "t"\n    op.drop_table(NAME)',
    "loop": 'for name in ("t", "o"):\n        op.drop_table(name)',
    "column": 'op.drop_column("t", "c")',
    "column_keywords": 'op.drop_column(table_name="t", column_name="c")',
    "batch": 'with op.batch_alter_table("t") as batch_op:\n        batch_op.drop_column("c")',
    "helper": 'def go(table):\n        op.drop_table(table)\n    go("t")',
    "execute": 'op.execute("DROP TABLE t")',
    "text": 'op.execute(sa.text("""drop\n    table if exists t"""))',
    "without_column": 'op.execute("ALTER TABLE t DROP c")',
    "several": 'op.execute("SELECT 1; ALTER TABLE o RENAME TO p; DROP TABLE t")',
    "list": 'STATEMENTS = ["SELECT 1", "TRUNCATE t"]\n    for each in STATEMENTS:\n        op.execute(each)',
    "bind": 'op.get_bind().execute(sa.text("DELETE FROM t"))',
    "driver_sql": 'op.get_bind().exec_driver_sql("DELETE FROM t")',
    "fstring": 'name = "t"\n    op.execute(f"DROP TABLE {name}")',
    "format": 'op.execute("DROP TABLE {}".format("t"))',
    "percent": 'op.execute("DROP TABLE %s" % "t")',
    "joined": 'op.execute("DROP " + "TABLE " + "t")',
    "cte": 'op.execute("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d")',
    "table_object": 'sa.Table("t", sa.MetaData()).drop(op.get_bind())',
    "delete": 'old = sa.table("t", sa.column("id"))\n    op.execute(old.delete().where(old.c.id == 1))',
    "sa_delete": 'old = sa.table("t")\n    op.execute(sa.delete(old))',
    "do_block": "op.execute(\"DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident('t'); END $$\")",
    "cursor": f'{RAW}.cursor().execute("DROP TABLE t")',
    "driver": f'{RAW}.driver_connection.execute("DROP TABLE t")',
}
UNSHOWN = {
    "built": 'op.execute(" ".join(["DROP", "TA" + "BLE", chr(116)]))',
    "decoded": 'op.execute(bytes.fromhex("44524f50205441424c452074").decode())',
    "inspected": "for name in sa.inspect(op.get_bind()).get_table_names():\n        "
    'if name in "to":\n            getattr(op, "drop_" + "table")(name)',
    "attribute": 'getattr(op, "drop_" + "column")("t", "c")',
    "metadata": 'm = sa.MetaData()\n    m.reflect(op.get_bind(), only=["t", "o"])\n    '
    'getattr(m, "drop_" + "all")(op.get_bind())',
    "raw_cursor": f'{RAW}.cursor().execute("DR" "OP TABLE " + chr(116))',
    "bytes": f'{RAW}.cursor().execute(bytes.fromhex("44524f50205441424c452074"))',
    "composable": f'from psycopg import sql\n    word = sql.SQL("".join(("DR", "OP")))\n    '
    f'{RAW}.driver_connection.execute(sql.SQL("{{}} TABLE {{}}").format(word, sql.Identifier("t")))',
    "many": f'{RAW}.cursor().executemany(" ".join(["DELETE", "FROM", "t"]) + " where id = %s", [(1,), (2,)])',
    "other_connection": "with op.get_bind().engine.begin() as other:\n        "
    'other.exec_driver_sql(" ".join(["DROP", "TABLE", "t"]))',
    "swallowed": 'try:\n        op.execute(" ".join(["DROP", "TABLE", "t"]))\n    except Exception:\n        pass',
    "function": 'op.execute("SELECT drop_old()")',
    "column_function": 'op.execute("SELECT drop_c()")',
    "rows_function": 'op.execute("SELECT purge()")',
    "procedure": 'op.execute("CALL drop_all()")',
    "dynamic_do": "op.execute(\"DO $$ BEGIN EXECUTE 'DR' || 'OP TABLE t'; END $$\")",
    "prepared": f'{RAW}.cursor().execute("PREPARE p AS SELECT drop_old()")\n    {RAW}.cursor().execute("EXECUTE p")',
    "after_rename": 'op.execute("ALTER TABLE t RENAME TO q" + chr(120))\n    '
    'op.execute(" ".join(["DROP", "TABLE", "qx"]))',
    "new_parent": 'op.execute("create table n (id int, c int, d int) partition by list (id)")\n    '
    'op.execute("alter table n attach partition t for values in (1)")\n    '
    'op.execute(" ".join(["DROP", "TABLE", "n"]))',
    "view": 'op.execute("create view w as select * from t")\n    op.execute(" ".join(["DELETE", "FROM", "w"]))',
    "old_schema": 'op.execute("create schema s")\n    op.execute("alter table t set schema s")\n    '
    'op.execute(" ".join(["DROP", "SCHEMA", "s", "CASCADE"]))',
}
KEEPS = {
    "same_run": 'op.create_table("n", sa.Column("a", sa.Integer))\n    op.drop_table("n")',
    "same_run_column": 'op.add_column("t", sa.Column("n", sa.Integer))\n    op.drop_column("t", "n")',
    "same_run_rows": 'op.execute("create table n as select 1 as a")\n    op.execute("delete from n")',
    "same_run_truncate": 'op.execute("create table n as select 1 as a")\n    op.execute("truncate n")',
    "same_run_schema": 'op.execute("create schema s")\n    op.execute("create table s.n ()")\n    '
    'op.execute("drop schema s cascade")',
    "absent": 'op.execute("DROP TABLE IF EXISTS nowhere")',
    "temporary": 'op.execute("create temporary table m as select * from t")\n    op.execute("drop table m")',
    "renamed_new": 'op.execute("create table n ()")\n    op.rename_table("n", "m")\n    op.drop_table("m")',
    "replaced": 'op.rename_table("t", "keep")\n    op.execute("create table t (id int)")\n    op.drop_table("t")',
    "index": 'op.execute("create index i on t (c)")\n    op.drop_index("i", "t")',
    "constraint": 'op.create_unique_constraint("u", "t", ["c"])\n    op.drop_constraint("u", "t")',
    "not_null": 'op.alter_column("t", "c", nullable=True)',
    "harmless_do": 'op.execute("DO $$ BEGIN PERFORM count(*) FROM t; END $$")',
    "harmless_function": "op.execute(\"create function f() returns int language sql as 'select 1'; select f()\")",
    "view": 'op.execute("create view w as select * from t")\n    op.execute("drop view w")',
    "enum": 'op.execute("create type e as enum (\'a\')")\n    sa.Enum(name="e").drop(op.get_bind())',
    "text": "op.execute(\"comment on table t is 'DROP TABLE t; --'\")",
}


@pytest.fixture
def content(project: Project) -> Project:
    """A database with a table and its row, and the functions that some revisions call."""
    environments.written(project.root, environments.PLAIN)
    project.write("0001", MADE, "pass")
    project.up()
    return project


def picture(project: Project) -> tuple[object, ...]:
    return project.rows("select * from t"), project.schema()


@pytest.mark.parametrize("body", SHOWN.values(), ids=SHOWN)
def test_loss_that_the_file_shows_is_refused_before_anything_runs(content: Project, body: str) -> None:
    before = picture(content), content.events()
    content.write("0002", body)

    ran = content.provision("up")

    assert (ran.code, "error[destructive]: 1 of 1 steps would lose data" in ran.err) == (3, True), ran.err
    assert (picture(content), content.events()) == before
    shown = content.done("up", "--dry-run")
    assert "    loses data: " in shown.out
    content.up("--allow-destructive")
    assert content.events()[-1] == ("postgres/0002", "applied")


@pytest.mark.parametrize("body", {**SHOWN, **UNSHOWN}.values(), ids={**SHOWN, **UNSHOWN})
def test_loss_is_stopped_when_it_is_sent(content: Project, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "provision.stores.postgres.migrate.losses.forecast.effects", lambda *_: []
    )  # nothing is foretold
    before = picture(content)
    content.write("0002", 'op.execute("create table made_before (id int)")')
    content.write("0003", body)

    ran = content.provision("up")

    assert ran.code == 3, ran.out + ran.err
    assert "error[destructive]: postgres/0003_step would lose data: " in ran.err
    assert "alembic/versions/0003_step.py" in ran.err
    assert "; committed before it in this run: postgres/0002\n" in ran.err
    assert picture(content)[0] == before[0]
    assert [row for row in content.schema() if row[0] != "made_before"] == before[1]
    assert content.events()[1:] == [("postgres/0002", "applied"), ("postgres/0003", "failed")]
    content.up("--allow-destructive")
    assert content.events()[-1] == ("postgres/0003", "applied")


@pytest.mark.parametrize("body", KEEPS.values(), ids=KEEPS)
def test_what_keeps_everything_needs_no_flag(content: Project, body: str) -> None:
    before = content.rows("select relname, oid from pg_class where relname in ('t', 'keep') and relkind = 'r'")
    content.write("0002", body)

    content.up()

    after = content.rows("select relname, oid from pg_class where relname in ('t', 'keep') and relkind = 'r'")
    assert before[0][1] in {oid for _, oid in after}


def test_same_run_over_several_revisions_loses_nothing(content: Project) -> None:
    content.write("0002", 'op.create_table("n", sa.Column("a", sa.Integer), sa.Column("b", sa.Integer))')
    content.write("0003", 'op.drop_column("n", "b")')
    content.write("0004", 'op.rename_table("n", "m")')
    content.write("0005", 'op.execute("delete from m")')
    content.write("0006", 'op.drop_table("m")')
    assert "loses data" not in content.done("plan").out
    content.up()


def test_what_an_earlier_run_made_is_a_loss(content: Project) -> None:
    content.write("0002", 'op.create_table("n", sa.Column("a", sa.Integer))')
    content.up()
    content.write("0003", 'op.drop_table("n")')
    assert content.provision("up").code == 3


def test_renamed_and_dropped_over_two_revisions_is_a_loss(content: Project) -> None:
    content.write("0002", 'op.rename_table("t", "gone")')
    content.write("0003", 'op.drop_table("gone")')
    assert "drops table gone and its rows" in content.provision("plan").out
    assert content.provision("up").code == 3
    assert content.events() == [("postgres/0001", "applied")]


def test_empty_database_needs_no_flag(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", MADE)
    project.write(
        "0002", 'op.execute("delete from t")\n    op.drop_column("t", "d")\n    op.execute("select drop_old()")'
    )
    project.write("0003", 'op.execute(" ".join(["DROP", "TABLE", "o"]))', destructive=True)
    assert "loses data" not in project.done("plan").out
    assert "loses data" not in project.done("up", "--dry-run").out
    project.up()


def test_down_is_foretold_and_stopped(content: Project) -> None:
    content.write("0002", 'op.create_table("n", sa.Column("a", sa.Integer))', 'op.drop_table("n")')
    content.up()
    shown = content.done("down", "--steps", "1", "--dry-run")
    assert "    loses data: drops table n and its rows\n" in shown.out
    assert "1 to revert, 1 of them can lose data (--allow-destructive)" in shown.out
    listed = json.loads(content.done("down", "--steps", "1", "--dry-run", "-o", "json").out)
    assert listed["destructive"] == [{"id": "postgres/0002", "loses": ["drops table n and its rows"]}]
    assert content.provision("down", "--steps", "1").code == 3
    content.down("--steps", "1")


def test_plan_ends_with_the_command_that_works(content: Project) -> None:
    content.write("0002", 'op.drop_table("t")')
    plan = content.done("plan").out
    command = plan.splitlines()[-1].rpartition("run it: provision ")[2].split()
    assert content.provision(*command).code == 0
    assert content.events()[-1] == ("postgres/0002", "applied")


def test_autocommit_block_is_stopped(content: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provision.stores.postgres.migrate.losses.forecast.effects", lambda *_: [])
    content.write("0002", 'op.execute("create table n ()")')
    block = """with op.get_context().autocommit_block():
        op.execute("create index concurrently i on t (c)")
        op.execute("drop table t")"""
    content.write("0003", block)
    ran = content.provision("up")
    assert ran.code == 3
    assert "statement 2; statements before it are committed" in ran.err
    assert content.rows("select id from t") == [(1,)]
    content.up("--allow-destructive")
    assert content.events()[-1] == ("postgres/0003", "applied")


def test_repeatable_is_stopped(content: Project) -> None:
    folder = content.root / "alembic" / "repeatable"
    folder.mkdir()
    (folder / "r.sql").write_text("select 1; select drop_old();")
    ran = content.provision("up")
    assert (ran.code, "error[destructive]" in ran.err) == (3, True), ran.err
    assert content.rows("select id from t") == [(1,)]
    content.up("--allow-destructive")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("name", ["built", "decoded", "raw_cursor", "function", "dynamic_do", "swallowed", "view"])
def test_loss_is_stopped_under_asyncio_too(
    project: Project, name: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments.initialised(project.root, "async")
    ini = project.root / "alembic.ini"
    url = f"sqlalchemy.url = postgresql+{driver}://"
    ini.write_text(re.sub("^sqlalchemy.url.*$", url, ini.read_text(), flags=re.MULTILINE))
    project.write("0001", MADE)
    project.up()
    monkeypatch.setattr("provision.stores.postgres.migrate.losses.forecast.effects", lambda *_: [])
    project.write("0002", UNSHOWN[name])

    ran = project.provision("up")

    assert (ran.code, "error[destructive]" in ran.err) == (3, True), ran.out + ran.err
    assert project.rows("select * from t") == [(1, 2, 3)]
    project.up("--allow-destructive")


def test_agreed_at_the_prompt_is_allowed_for_that_step_alone(content: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    content.write("0002", 'op.drop_table("o")')
    content.write("0003", UNSHOWN["decoded"])
    monkeypatch.setattr("provision.cli.move._confirm", lambda losses: [*losses] == ["postgres/0002"])

    ran = content.provision("up")

    assert ran.code == 3
    assert "postgres/0003_step would lose data: drops table t and its rows" in ran.err
    assert content.events()[1:] == [("postgres/0002", "applied"), ("postgres/0003", "failed")]


def test_version_table_is_no_content(project: Project) -> None:
    environments.written(
        project.root, environments.PLAIN.replace("connection=connection", 'connection=connection, version_table="seen"')
    )
    project.write("0001", "pass", "pass")
    project.up()
    project.done("down", "--all")
    project.write("0002", 'op.execute(f"create table n (id int)")\n    op.execute("drop table n")')
    project.up()
    assert project.rows("select version_num from seen") == [("0002",)]

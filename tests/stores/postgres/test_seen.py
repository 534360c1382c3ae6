"""What is called applied or rolled back was looked at: whatever env.py and revisions do to the transaction."""

from __future__ import annotations

from pathlib import Path

import clickhouse_connect
import psycopg
import pytest

from tests.expected import Expected
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project, at, rows
from tests.stores.postgres.test_environments import BESIDE

ASKS = {
    "a select": "connection.exec_driver_sql('select 1')",
    "an advisory lock": "connection.exec_driver_sql('select pg_advisory_lock(1)')",
    "a setting": "connection.exec_driver_sql('set search_path to public')",
    "its own begin": "connection.begin()",
}
TABLE = 'op.execute("create table t (x int)")'
HALF = f"{TABLE}\n    {{}}\n    op.execute('select no_such_column')"


def env_that(asks: str) -> str:
    return environments.PLAIN.replace("    context.configure", f"    {asks}\n    context.configure", 1)


@pytest.mark.parametrize("asks", ASKS)
def test_up_env_that_begins_a_transaction_and_commits_none_is_a_failure(
    expected: Expected, project: Project, asks: str, clickhouse_embedded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = project.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[environments.test]", BESIDE))
    folder = project.root / "clickhouse"
    folder.mkdir()
    create = "-- requires: postgres/0001\nCREATE TABLE t (x Int32) ENGINE = MergeTree ORDER BY x;\n"
    (folder / "001_t.sql").write_text(create)
    monkeypatch.setenv("PEERS_CLICKHOUSE", at(clickhouse_embedded, "seen"))
    environments.written(project.root, env_that(ASKS[asks]))
    project.write("0001", TABLE)

    ran = project.provision("up")

    assert ran.code == 5
    expected(ran.err)
    assert "✓" not in ran.out
    assert project.schema() == []
    assert project.events() == [("postgres/0001", "failed")]
    dsn = at(clickhouse_embedded, "default").replace("clickhouse://", "http://")
    with clickhouse_connect.get_client(dsn=dsn) as it:
        assert it.query("SELECT 1 FROM system.tables WHERE database = 'seen' AND name = 't'").result_rows == []
        it.command("DROP DATABASE IF EXISTS seen")


@pytest.mark.parametrize("asks", [each for each in ASKS if each != "its own begin"])
def test_up_env_that_ends_what_it_begins_goes_through(project: Project, asks: str) -> None:
    environments.written(project.root, env_that(f"{ASKS[asks]}; connection.commit()"))
    project.write("0001", TABLE)

    project.up()

    assert project.events() == [("postgres/0001", "applied")]


COMMITS = {
    "in sql": 'op.execute("COMMIT")',
    "in sql, with words around it": 'op.execute("/* now */ commit work ;")',
    "behind another statement": 'op.execute("insert into t values (1); COMMIT")',
    "end": 'op.execute("END")',
    "of the connection": "op.get_bind().commit()",
    "of the driver": "op.get_bind().connection.driver_connection.commit()",
    "of the driver, by a cursor": 'op.get_bind().connection.cursor().execute("COMMIT")',
}


KNOWN = ("of the connection", "of the driver")


@pytest.mark.parametrize("commit", COMMITS)
def test_up_failure_behind_a_commit_says_that_something_was_kept(project: Project, commit: str) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", HALF.format(COMMITS[commit]))

    ran = project.provision("up")

    assert ran.code == 5
    assert "statements before it are committed" in ran.err
    assert "nothing of it was kept" not in ran.err
    assert project.schema() != []
    again = project.provision("up")
    if commit in KNOWN:  # to its end: the entry was in that very transaction
        assert (again.code, again.err) == (5, ran.err)
        assert project.rows("select count(*) from t") == [(0,)]
    else:
        assert (again.code, "error[dirty]" in again.err) == (3, True), again.err
    done = project.done("resolve", "postgres/0001", "--applied")
    assert "is now applied" in done.out
    assert "nothing to do" in project.up().out


@pytest.mark.parametrize("commit", [each for each in COMMITS if each != "of the connection"])
def test_up_revision_that_commits_in_between_and_ends_well_is_applied(project: Project, commit: str) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", f"{TABLE}\n    {COMMITS[commit]}\n    op.execute('create table u (x int)')")
    project.write("0002", 'op.execute("create table v (x int)")')

    project.up()

    assert [row[0] for row in project.schema()] == ["t", "u", "v"]
    assert [kind for _, kind in project.events()][-1] == "applied"


def test_up_revision_that_ends_alembics_transaction_for_good_is_a_failure(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", f"{TABLE}\n    op.get_bind().commit()\n    op.execute('create table u (x int)')")

    ran = project.provision("up")

    assert ran.code == 5
    assert "ran, and its version and its ledger entry are not in the database" in ran.err
    assert "alembic/versions/0001_step.py; statements of it are committed" in ran.err
    assert [row[0] for row in project.schema()] == ["t"]
    place = project.versions / "0001_step.py"
    place.write_text(place.read_text().replace("op.get_bind().commit()", "pass"))
    project.up()  # as the error says
    assert [row[0] for row in project.schema()] == ["t", "u"]


ROLLBACKS = {
    "in sql": 'op.execute("ROLLBACK")',
    "abort": 'op.execute("abort transaction")',
    "of the connection": "op.get_bind().rollback()",
    "of the driver": "op.get_bind().connection.driver_connection.rollback()",
}


@pytest.mark.parametrize("rollback", ROLLBACKS)
@pytest.mark.parametrize("after", ["pass", "op.execute('create table u (x int)')"], ids=["last", "not last"])
def test_up_revision_that_rolls_itself_back_is_never_applied(project: Project, rollback: str, after: str) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", f"{TABLE}\n    {ROLLBACKS[rollback]}\n    {after}")

    ran = project.provision("up")

    assert ran.code == 5
    assert "the revision rolls its own transaction back" in ran.err
    assert "✓" not in ran.out
    assert project.schema() == []
    assert project.rows("select count(*) from provision.ledger where kind = 'applied'") == [(0,)]


def test_up_savepoints_and_the_bodies_of_functions_end_nothing(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    body = "begin perform 1; end; "
    project.write(
        "0001",
        f"{TABLE}\n"
        '    op.execute("savepoint a")\n    op.execute("rollback to savepoint a")\n'
        f'    op.execute("create function f() returns void language plpgsql as $x$ {body} $x$")\n'
        f'    op.execute("do $$ {body} $$")\n'
        "    op.execute(\"comment on table t is '; commit ;'\")\n"
        "    with op.get_bind().begin_nested():\n        op.execute('create table u (x int)')",
    )

    project.up()

    assert project.events() == [("postgres/0001", "applied")]


def test_up_failed_at_commit_is_seen_to_be_rolled_back(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    deferred = "create table t (x int primary key, y int references t deferrable initially deferred)"
    project.write("0001", f'op.execute("{deferred}")\n    op.execute("insert into t values (1, 2)")')

    ran = project.provision("up")

    assert ran.code == 5
    assert "rolled back: nothing of it was kept" in ran.err
    assert project.schema() == []


def test_up_engine_that_commits_each_statement_is_journaled(project: Project) -> None:
    isolated = 'engine.execution_options(isolation_level="AUTOCOMMIT").connect() as'
    environments.written(project.root, environments.PLAIN.replace("engine.connect() as", isolated))
    project.write("0001", f"{TABLE}\n    op.execute('select no_such_column')")

    ran = project.provision("up")

    assert ran.code == 5
    assert "statements before it are committed" in ran.err
    assert project.schema() != []


def test_up_version_table_off_the_search_path_is_named(project: Project) -> None:
    asks = "connection.exec_driver_sql('set search_path to elsewhere'); connection.commit()"
    environments.written(project.root, env_that(asks))
    project.write("0001", TABLE)
    with psycopg.connect(project.url) as connection:
        connection.execute("create schema elsewhere")

    ran = project.provision("up")

    assert ran.code == 5
    seen = "there is no table alembic_version, and one in schema elsewhere, off the search_path"
    assert seen in ran.err


def test_up_repeatable_that_commits_is_refused_before_anything(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", TABLE)
    folder = Path(project.root / "alembic" / "repeatable")
    folder.mkdir()
    (folder / "views.sql").write_text("create view v as select 1;\ncommit;\n")

    ran = project.provision("up")

    assert (ran.code, project.schema()) == (2, [])
    assert ran.err.startswith("error[transaction-in-repeatable]: the file sends COMMIT, and runs in one transaction")


FORGETS = {
    "all prepared statements": 'op.execute("deallocate all")',
    "the whole session": 'with op.get_context().autocommit_block():\n        op.execute("discard all")',
    "nothing": "pass",
}
POOLED = env_that("connection.connection.driver_connection.prepare_threshold = None")


@pytest.mark.parametrize("env", [environments.PLAIN, POOLED], ids=["plain", "pooled"])
@pytest.mark.parametrize("forgets", FORGETS)
def test_up_every_step_is_seen_whatever_the_server_keeps_prepared(project: Project, forgets: str, env: str) -> None:
    environments.written(project.root, env)
    left = "op.execute('insert into kept select name from pg_prepared_statements')"
    project.write("0001", "op.execute('create table kept (name text)')")
    for number in range(2, 7):
        project.write(f"{number:04d}", f"{left}\n    {FORGETS[forgets] if number == 4 else 'pass'}")

    project.up()

    assert project.events()[-1] == ("postgres/0006", "applied")
    assert [kind for _, kind in project.events()].count("applied") == 6
    prepared = {name.rstrip("0123456789") for (name,) in rows(project.url, "select name from kept")}
    assert prepared == (set() if env == POOLED else {"provision_begin_", "provision_append_"})


def test_up_goes_on_when_a_function_lets_the_server_forget_what_is_prepared(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    forgets = "create function forgets() returns void language plpgsql as 'begin execute ''deallocate all''; end'"
    project.write("0001", f'op.execute("create table t (x int)")\n    op.execute("{forgets}")')
    for number in range(2, 6):
        more = "op.execute('select forgets()')" if number == 3 else "pass"
        project.write(f"{number:04d}", f"op.execute('insert into t values ({number})')\n    {more}")

    project.up()

    applied = [("postgres/" + f"{number:04d}", "applied") for number in range(1, 6)]
    assert [event for event in project.events() if event[1] != "started"] == applied
    assert rows(project.url, "select x from t order by x") == [(2,), (3,), (4,), (5,)]

"""What revisions do beside Alembic's own way: raw drivers, other connections, processes of their own, prints."""

from __future__ import annotations

import json
import time

import psycopg
import pytest

from tests.several.conftest import Make
from tests.stores.postgres import environments
from tests.stores.postgres.projects import rows

RAW = "c = op.get_bind().connection.driver_connection"
DIES = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
ONCE = f'{RAW}\nc.execute("insert into l values (1)")\nc.{{commit}}\n{DIES}'


@pytest.mark.parametrize("commit", ["commit()", "execute('commit')"])
def test_rows_that_the_driver_itself_committed_are_not_sent_again(several: Make, commit: str) -> None:
    project = several(2)
    project.revision("a", 1, 'op.execute("create table l (x int)")')
    project.revision("a", 2, ONCE.format(commit=commit))
    project.revision("b", 1)

    killed = project.run("up")
    again = project.run("up")

    assert (killed.code, "error[process-ended]" in killed.err) == (5, True)
    assert (again.code, "error[dirty]" in again.err) == (3, True)
    assert rows(project.urls["a"], "select count(*) from l") == [(1,)]


CHILDREN = {
    "of a shell": "import os; os.system('sleep 20 >/dev/null 2>&1 </dev/null &'); os._exit(7)",
    "of a fork": "import os, time\nif os.fork() == 0:\n    os.close(1); os.close(2); time.sleep(20)\nos._exit(7)",
}


@pytest.mark.parametrize("children", CHILDREN)
def test_lane_that_ends_is_noticed_though_a_child_of_it_lives(several: Make, children: str) -> None:
    project = several(2)
    project.revision("a", 1, CHILDREN[children])
    project.revision("b", 1)
    began = time.monotonic()

    ended = project.run("up")

    assert (ended.code, "exit code 7" in ended.err) == (5, True)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("count", [1, 2])
def test_what_revisions_print_is_no_part_of_the_document(several: Make, count: int) -> None:
    project = several(count)
    for store in project.urls:
        project.env(store, f"print('env of {store}')\n{environments.PLAIN}")
        project.revision(store, 1, 'print("revision"); op.execute("select 1")', top="print('import')")

    ended = project.run("up", "-o", "json")

    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["failed"] is None
    assert "revision" in ended.err


def test_revision_that_closes_its_output_is_applied(several: Make) -> None:
    project = several(2)
    project.revision("a", 1, 'op.execute("select 1"); import sys; sys.stdout.close()')
    project.revision("b", 1)

    ended = project.up()

    assert "✗" not in ended.out


ELSEWHERE = {
    "a transaction": "with op.get_bind().engine.begin() as d:\n    d.exec_driver_sql('create table kept (x int)')",
    "autocommit": 'with op.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as d:\n'
    "    d.exec_driver_sql('create table kept (x int)')",
}


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_what_another_connection_committed_is_not_called_rolled_back(several: Make, elsewhere: str) -> None:
    project = several(1)
    project.revision("a", 1, f"{ELSEWHERE[elsewhere]}\nop.execute('select 1/0')")

    failed = project.run("up")

    assert (failed.code, "nothing of it was kept" in failed.err) == (5, False)
    assert project.tables("a") == ["kept"]
    assert "error[dirty]" in project.run("up").err


HIDDEN = {
    "with its commit": 'op.execute("select drop_it(); commit")',
    "in a block with its commit": 'op.execute("do $$ begin perform drop_it(); end $$; commit")',
    "by the driver": f'{RAW}\nc.execute("select drop_it()"); c.commit()',
    "by the driver, in words": f'{RAW}\nc.execute("select drop_it()"); c.execute("commit")',
    "on another connection": 'with op.get_bind().engine.begin() as d:\n    d.exec_driver_sql("select drop_it()")',
    "a schema with a type": 'op.execute("drop schema s cascade")',
    "a function of a column": 'op.execute("drop function gen(int) cascade")',
    "in code points": "op.get_bind().exec_driver_sql('dr' + 'op table U&\"!0074\" UESCAPE ' + \"'!'\")",
}
BEFORE = """
create table t (id int); insert into t values (1);
create schema s; create type s.mood as enum ('x'); create table u (id int, m s.mood); insert into u values (1, 'x');
create function drop_it() returns void language plpgsql as $f$ begin execute 'drop table t'; end $f$;
create function gen(int) returns int language sql immutable as 'select $1 * 2';
create table w (id int, g int generated always as (gen(id)) stored); insert into w values (1)
"""
COLUMNS = "select count(*) from information_schema.columns where table_name in ('t', 'u', 'w')"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_code_that_drops_behind_its_text_is_stopped(several: Make, hidden: str) -> None:
    project = several(1)
    project.revision("a", 1, "op.execute('select 1')")
    project.up()
    execute(project.urls["a"], BEFORE)
    project.revision("a", 2, HIDDEN[hidden])

    refused = project.run("up")

    assert (refused.code, "error[destructive]" in refused.err) == (3, True), refused.err
    assert rows(project.urls["a"], COLUMNS) == [(5,)]


@pytest.mark.parametrize("text", ["create table a1 (x int); rollback; create table a2 (x int)"])
def test_rollback_among_the_statements_of_one_text_is_refused(several: Make, text: str) -> None:
    project = several(1)
    project.revision("a", 1, f"op.execute({text!r})")

    assert "error[rolled-back-inside]: the revision rolls its own transaction back" in project.run("up").err
    assert project.tables("a") == []


def execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())

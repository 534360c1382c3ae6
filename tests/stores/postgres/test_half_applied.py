"""A revision that stopped behind something committed: what the server answered is known, and `up` goes on behind it."""

from __future__ import annotations

import psycopg
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

BLOCK = 'with op.get_context().autocommit_block():\n        op.execute("{}")\n    '
UP = (
    'op.execute("create table t (x int)")\n    op.execute("insert into t values (1)")\n    '
    + BLOCK.format("create index concurrently i on t (x)")
    + 'op.execute("insert into t values (2)")\n    op.execute("insert into {} values (3)")'
)
BAD, GOOD = UP.format("nowhere"), UP.format("t")
CALL = BLOCK.format("call p()")
PROCEDURE = "create table c (x int); create procedure p() language sql as 'insert into c values (1)'"


@pytest.fixture
def plain(project: Project) -> Project:
    environments.written(project.root, environments.PLAIN)
    return project


def corrected(project: Project, name: str = "0001_step.py") -> None:
    place = project.versions / name
    place.write_text(place.read_text().replace("nowhere", "t"))


def values(project: Project) -> list[int]:
    return [x for (x,) in project.rows("select x from t order by x")]


def test_failure_behind_a_block_is_gone_on_with_where_it_failed(plain: Project) -> None:
    plain.write("0001", BAD)
    ran = plain.provision("up")
    assert (ran.code, values(plain)) == (5, [1])
    assert "statement 5: insert into nowhere values (3); statements 1 to 3 are committed" in ran.err

    again = plain.provision("up")
    assert (again.code, values(plain)) == (5, [1])
    corrected(plain)
    plain.up()

    assert values(plain) == [1, 2, 3]
    assert plain.rows("select indisvalid from pg_index where indexrelid = to_regclass('i')") == [(True,)]
    assert plain.events("kind, statement")[:5] == [
        ("started", 3),  # in the transaction that is committed before the block
        ("at", 3),
        ("at", 4),
        ("failed", 5),
        ("failed", 5),
    ]


def test_statement_that_the_server_answered_is_not_asked_about(plain: Project) -> None:
    plain.write("0001", f'op.execute("{PROCEDURE}; create table t (x int)")')
    plain.write("0002", f"{CALL}op.execute('insert into nowhere values (3)')")
    assert plain.provision("up").code == 5
    corrected(plain, "0002_step.py")

    plain.up()

    assert plain.rows("select count(*) from c") == [(1,)]


def test_down_goes_on_where_it_failed(plain: Project) -> None:
    plain.write("0001", GOOD, BLOCK.format("drop index concurrently i") + 'op.execute("drop table nowhere")')
    plain.up()
    ran = plain.provision("down", "--all", "--allow-destructive")
    assert ran.code == 5, ran.err
    corrected(plain)

    plain.down("--all")

    assert plain.schema() == []


@pytest.mark.parametrize(
    ("was", "becomes"), [("values (1)", "values (7)"), ('op.execute("insert into t values (1)")', "pass")]
)
def test_edited_before_what_failed_is_refused(plain: Project, was: str, becomes: str) -> None:
    plain.write("0001", BAD)
    plain.provision("up")
    corrected(plain)
    place = plain.versions / "0001_step.py"
    place.write_text(place.read_text().replace(was, becomes))

    ran = plain.provision("up")

    assert (ran.code, values(plain)) == (3, [1])
    assert ran.err.startswith("error[changed-half-way]: postgres/0001_step was edited after statements of it")


def test_reading_that_writes_is_not_sent_again(plain: Project) -> None:
    plain.write("0001", 'op.execute("create table t (x int); create sequence s")')
    text = "op.execute(\"select nextval('s')\")\n    " + BLOCK.format("create index concurrently i on t (x)")
    plain.write("0002", f'{text}op.execute("insert into nowhere values (3)")')
    assert plain.provision("up").code == 5
    corrected(plain, "0002_step.py")

    ran = plain.provision("up")

    assert (ran.code, ran.err.splitlines()[0][:30]) == (3, "error[dirty]: postgres/0002_st"), ran.err
    assert plain.rows("select last_value from s") == [(1,)]


def test_rows_that_python_read_are_not_made_up(plain: Project) -> None:
    plain.write("0001", 'op.execute("create table t (x int)")')
    text = 'op.get_bind().exec_driver_sql("insert into t values (1) returning x").scalar()\n    '
    plain.write("0002", text + BLOCK.format("create index concurrently i on t (x)") + 'op.execute("select nothing")')
    assert plain.provision("up").code == 5

    ran = plain.provision("up")

    assert (ran.code, values(plain)) == (3, [1])
    assert ran.err.startswith("error[dirty]")


def test_killed_behind_an_answered_block_goes_on_behind_it(plain: Project) -> None:
    plain.write("0001", f'op.execute("{PROCEDURE}; create table t (x int)")')
    plain.write("0002", f"{CALL}op.execute('insert into nowhere values (3)')")
    assert plain.provision("up").code == 5
    with psycopg.connect(plain.url, autocommit=True) as connection:
        connection.execute("delete from provision.ledger where kind = 'failed'")  # as a killed client leaves it
    corrected(plain, "0002_step.py")

    plain.up()

    assert (plain.rows("select count(*) from c"), values(plain)) == ([(1,)], [3])


def test_commit_that_failed_leaves_nothing(plain: Project) -> None:
    unique = 'op.execute("create table t (x int unique deferrable initially deferred)")\n    '
    twice = 'op.execute("insert into t values (1), (1)")\n    '
    plain.write("0001", unique + twice + BLOCK.format("create index concurrently i on t (x)") + "pass")
    assert plain.provision("up").code == 5
    place = plain.versions / "0001_step.py"
    place.write_text(place.read_text().replace("(1), (1)", "(1), (2)"))

    plain.up()

    assert values(plain) == [1, 2]


def test_id_of_a_file_that_is_named_after_it_reads_the_same_everywhere(plain: Project) -> None:
    plain.write("a2", BAD)
    (plain.versions / "a2_step.py").rename(plain.versions / "a2.py")
    plain.provision("up")
    ran = plain.provision("resolve", "postgres/a2", "--pending")
    assert ran.code == 0
    with psycopg.connect(plain.url, autocommit=True) as connection:
        connection.execute(b"delete from provision.ledger where kind in ('resolved', 'failed')")
    place = plain.versions / "a2.py"
    place.write_text(place.read_text().replace("values (1)", "values (8)"))

    ran = plain.provision("up")

    assert ran.err.startswith("error[changed-half-way]: postgres/a2 was edited after")


def test_what_cannot_be_held_back_is_never_sent_twice(plain: Project) -> None:
    plain.write("0001", 'op.execute("create table t (x int)")')
    raw = 'c = op.get_bind().connection.driver_connection\n    c.execute("insert into t values (1)")\n    c.commit()'
    plain.write("0002", f'{raw}\n    op.execute("select nothing")')
    assert plain.provision("up").code == 5
    dirty = plain.provision("up")
    assert (dirty.code, "stopped half-way" in dirty.err) == (3, True), dirty.err
    plain.done("resolve", "postgres/0002", "--done-to", "1")

    ran = plain.provision("up")

    assert (ran.code, "cannot be carried out again" in ran.err, values(plain)) == (3, True, [1]), ran.err
    plain.done("resolve", "postgres/0002", "--applied")
    plain.up()


def test_done_to_by_hand_goes_on_behind_it(plain: Project) -> None:
    plain.write("0001", BAD)
    assert plain.provision("up").code == 5
    with psycopg.connect(plain.url, autocommit=True) as connection:
        connection.execute("insert into t values (2), (3)")

    said = plain.done("resolve", "postgres/0001", "--done-to", "5")

    assert said.out.endswith("statements 1 to 5 are done: the next `up` goes on with statement 6\n")
    plain.up()
    assert values(plain) == [1, 2, 3]


def test_done_to_more_than_there_is_is_refused(plain: Project) -> None:
    plain.write("0001", BAD)
    assert plain.provision("up").code == 5
    assert plain.provision("resolve", "postgres/0001", "--done-to", "0").code == 2
    plain.done("resolve", "postgres/0001", "--done-to", "6")

    ran = plain.provision("up")

    assert (ran.code, "it has 5 statements now, and 6 are done" in ran.err) == (3, True), ran.err

"""What to do about an error that the server has no hint for; each fix is followed to its end."""

from __future__ import annotations

import psycopg
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

MADE_BY_HAND = (
    "if it was made by hand or by another tool, `provision baseline postgres/0001` marks what is there without"
    " running it; else correct the revision"
)


@pytest.fixture
def plain(project: Project) -> Project:
    environments.written(project.root, environments.PLAIN)
    return project


def send(project: Project, sql: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(sql.encode())


@pytest.mark.parametrize(
    ("there", "up"),
    [
        ("create table t (id int)", "create table t (id int)"),
        ("create table t (id int, v int)", "alter table t add v int"),
        ("create schema s", "create schema s"),
        ("create type kind as enum ()", "create type kind as enum ()"),
        (
            "create function one() returns int language sql return 1",
            "create function one() returns int language sql return 1",
        ),
        ("create table t (id int); create index i on t (id)", "create index i on t (id)"),
    ],
    ids=["table", "column", "schema", "type", "function", "index"],
)
def test_what_is_there_without_a_version_table_is_marked_with_baseline(plain: Project, there: str, up: str) -> None:
    plain.write("0001", f"op.execute({up!r})")
    plain.write("0002", "op.execute('create table next (id int)')")
    send(plain, there)

    ran = plain.provision("up")
    assert (ran.code, MADE_BY_HAND in ran.err) == (5, True), ran.err

    plain.done("baseline", "postgres/0001")
    plain.up()
    assert plain.rows("select to_regclass('next') is not null") == [(True,)]


@pytest.mark.parametrize(
    ("set_on", "source"),
    [
        ("database {name}", "the database (ALTER DATABASE … SET)"),
        ("role postgres in database {name}", "the role in this database (ALTER ROLE … IN DATABASE … SET)"),
    ],
)
def test_limit_of_a_statement_says_who_set_it_and_where_to_set_another(
    plain: Project, set_on: str, source: str
) -> None:
    plain.write("0001", "op.execute('select pg_sleep(1.5)')")
    name = plain.rows("select current_database()")[0][0]
    send(plain, f"alter {set_on.format(name=name)} set statement_timeout = '500ms'")

    ran = plain.provision("up")
    assert ran.code == 5
    assert f"the limit of 500ms is that of {source}" in ran.err
    assert 'write statement_timeout = "…" in [stores.postgres]' in ran.err

    toml = plain.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.postgres]", '[stores.postgres]\nstatement_timeout = "1m"'))
    plain.up()


def test_limit_that_the_revision_sets_is_its_own(plain: Project) -> None:
    plain.write("0001", "op.execute(\"set local statement_timeout = '200ms'\"); op.execute('select pg_sleep(1)')")

    assert "the revision or env.py sets the limit" in plain.provision("up").err


def test_transaction_that_idles_too_long_says_who_limits_it(plain: Project) -> None:
    plain.write("0001", "op.execute('select 1'); __import__('time').sleep(1); op.execute('select 1')")
    name = plain.rows("select current_database()")[0][0]
    send(plain, f"alter database {name} set idle_in_transaction_session_timeout = '300ms'")

    ran = plain.provision("up")

    assert ran.code == 5
    assert "the limit of 300ms is that of the database (ALTER DATABASE … SET): raise it there" in ran.err

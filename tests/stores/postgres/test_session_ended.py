"""A session that the server ends is one error, without tracebacks of the pool, and the next run goes on behind it."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy

from provision.errors import UnreachableError
from provision.stores.postgres.migrate import wire
from provision.stores.postgres.migrate.failures import answers
from provision.stores.postgres.server import Connection, broke, connect
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project, rows

WHERE = {
    "begin": (wire, "begin"),
    "begin that asks for more": (wire.Ahead, "begin"),
    "entry": (wire, "append"),
    "entry, prepared": (wire.Ahead, "append"),
    "commit": (psycopg.Connection, "commit"),
    "commit that begins": (wire.Ahead, "commit"),
    "statement": (psycopg.Cursor, "execute"),
}
TURNS = {"begin that asks for more": 3, "entry, prepared": 3, "commit": 5, "commit that begins": 2, "statement": 12}


def terminated(session: psycopg.Connection[Any], url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", (session.info.backend_pid,))


def cut(session: psycopg.Connection[Any], _: str) -> None:
    """As when the server is killed: it says no last word."""
    with socket.socket(fileno=os.dup(session.fileno())) as shared:
        shared.shutdown(socket.SHUT_RDWR)


def of_env(first: Any) -> psycopg.Connection[Any] | None:
    """The connection of env.py behind what a function of WHERE is given; None where that is one of provision's own."""
    if isinstance(first, sqlalchemy.Connection):
        return first.connection.driver_connection
    if isinstance(first, psycopg.Connection):
        return first if type(first) is psycopg.Connection else None
    return of_env(first.driver if isinstance(first, wire.Ahead) else first.connection)


@pytest.mark.parametrize("end", [terminated, cut])
@pytest.mark.parametrize(
    ("where", "turn"),
    [(where, turn) for where in WHERE for turn in range(1, TURNS.get(where, 2) + 1)],
)
def test_up_session_that_is_ended_is_one_error_and_is_resumed(
    project: Project,
    where: str,
    turn: int,
    end: Callable[[psycopg.Connection[Any], str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    environments.written(project.root, environments.PLAIN)
    for number in range(1, 6):
        project.write(f"{number:04d}", f"op.execute('create table t{number} (x int)')")
    owner, name = WHERE[where]
    real, calls = getattr(owner, name), itertools.count(1)

    def ended(first: Any, *arguments: Any, **named: Any) -> Any:
        session = of_env(first)
        if session is not None and next(calls) == turn:
            end(session, project.url)
        return real(first, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, ended)
        ran = project.provision("up")

    assert ran.code == 5, ran.out + ran.err
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []
    assert "Traceback" not in ran.out + ran.err
    project.up()
    assert len(rows(project.url, "select from pg_tables where schemaname = 'public' and tablename like 't_'")) == 5
    assert [kind for _, kind in project.events()].count("applied") == 5


ASKS: dict[str, Callable[[Connection], object]] = {
    "execute": lambda connection: connection.execute("select 1"),
    "ask": lambda connection: connection.ask(b"select $1::text", ["1"]),
    "transaction": lambda connection: connection.transaction().__enter__(),
}


@pytest.mark.parametrize("asks", ASKS)
@pytest.mark.parametrize("end", [terminated, cut])
def test_connection_that_is_ended_is_unreachable_however_it_is_asked(
    project: Project, asks: str, end: Callable[[psycopg.Connection[Any], str], None]
) -> None:
    with connect(project.url, "postgres") as connection:
        end(connection, project.url)
        with pytest.raises(UnreachableError, match="postgres does not answer"):
            ASKS[asks](connection)


def test_an_error_of_no_class_says_that_the_connection_broke() -> None:
    """libpq's, when the server is gone while the answer is read."""
    assert broke(psycopg.DatabaseError("server closed the connection unexpectedly"))
    assert not broke(psycopg.errors.UniqueViolation("of the server"))
    assert not broke(psycopg.ProgrammingError("of psycopg, before anything is sent"))
    lost = psycopg.DatabaseError("server closed the connection unexpectedly")
    assert not answers(lost)
    assert not answers(sqlalchemy.exc.DatabaseError("select 1", {}, lost))
    assert answers(sqlalchemy.exc.ProgrammingError("select 1", {}, psycopg.errors.UndefinedTable("no table")))

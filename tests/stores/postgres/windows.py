"""A partitioned table for tests, its document, and a run that is killed at a statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provision.stores.postgres.server import Connection
from tests.stores.postgres.projects import Project

EVENTS = """
create table models (id int primary key);
create table events (
    at timestamptz not null, id int, model int references models, v text generated always as ('v') stored,
    primary key (id, at)
) partition by range (at);
create index on events (at);
insert into models values (1);
"""
DOCUMENT = """
store: postgres
table: {table}
column: at
interval: {interval}
ahead: 3
behind: 1
{more}
"""
NOW = ("--as-of", "2026-11-30")
on_both = pytest.mark.parametrize("server", ["15", "18"], indirect=True)
"""Marks a test whose project is made on PostgreSQL 15 and on the embedded 18."""


def execute(project: Project, sql: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(sql.encode())


def describe(
    project: Project, name: str = "events", table: str = "events", interval: str = "1 month", more: str = ""
) -> Path:
    folder = project.root / "partitions"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(DOCUMENT.format(table=table, interval=interval, more=more))
    return path


def windows(project: Project, *arguments: str) -> list[tuple[str, str]]:
    ran = project.provision("partitions", "list", "-o", "json", *arguments)
    [table] = json.loads(ran.out)
    return [(each["name"], each["state"]) for each in table["windows"]]


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@contextmanager
def killed_at(place: int | str) -> Iterator[list[str]]:
    """While the block runs, one statement is not sent any more and its session is gone: that of the number, from 0, or
    the first that holds the text.

    Yields every statement that was sent; beyond the last, nothing is killed.
    """
    sent: list[str] = []
    execute = Connection.execute

    def counted(self: Connection, query: Any, *given: Any, **named: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        if "killed" in sent[-1:] or len(sent) == place or (isinstance(place, str) and place in text):
            sent.extend(["killed"] if sent[-1:] != ["killed"] else [])
            self.close()
            raise Killed
        sent.append(text)
        return execute(self, query, *given, **named)

    Connection.execute = counted  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        Connection.execute = execute  # type: ignore[method-assign]

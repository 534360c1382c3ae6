"""The ledger in schema `provision`: append-only, fenced so that a late writer's transaction rolls back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from provision.errors import ConfigError, LeaseLost
from provision.model import Event
from provision.model.schema import UnknownForm, not_ours
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

# In `public` Alembic's autogenerate would want to drop them.
TABLES = """
create schema if not exists provision;
create table if not exists provision.ledger (
    project text not null, store text not null, token bigint not null, n bigint not null,
    revision text not null, kind text not null, checksum text not null, at timestamptz not null, actor text not null,
    duration_ms bigint not null, statement integer, detail jsonb not null,
    primary key (project, store, token, n)
);
create table if not exists provision.fence (
    project text not null, store text not null, token bigint not null, primary key (project, store)
);
comment on schema provision is 'What provision did to this database; append-only, keep it in backups';
"""
# `for share` makes a new holder's raise of the fence wait for this transaction, or this one see the raised fence.
INSERT = """
insert into provision.ledger
    (project, store, token, n, revision, kind, checksum, at, actor, duration_ms, statement, detail)
select %(project)s, %(store)s, %(token)s::bigint, %(n)s::bigint, %(revision)s, %(kind)s, %(checksum)s,
       %(at)s::timestamptz, %(actor)s, %(duration_ms)s::bigint, %(statement)s::integer, %(detail)s::jsonb
from provision.fence where project = %(project)s and store = %(store)s and token <= %(token)s::bigint for share
"""
_FIELDS = (
    *("project", "token", "n", "revision", "kind", "checksum", "at"),
    *("actor", "duration_ms", "statement", "detail"),
)
# All columns: a later release may have more, and one that is gone is named.
_READ = "select * from provision.ledger where project = %s and store = %s order by token, n"
_RIGHTS = "SELECT, INSERT, UPDATE"
_RAISE = """
insert into provision.fence as f (project, store, token) values (%s, %s, %s)
on conflict (project, store) do update set token = greatest(f.token, excluded.token)
"""


class PostgresLedger:
    """`provision.ports.Ledger` on a connection of its own."""

    def __init__(self, connection: Connection, project: str, store: str) -> None:
        self._connection, self._project, self._store = connection, project, store

    def read(self) -> Sequence[Event]:
        try:
            with own_tables.permitted(self._connection, "provision.ledger", "SELECT"):
                cursor = self._connection.execute(_READ, (self._project, self._store))
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []
        except psycopg.errors.UndefinedColumn as error:
            raise self._unreadable("table provision.ledger", UnknownForm(error.diag.message_primary)) from None
        names = [each.name for each in cursor.description or ()]
        if lacking := [each for each in _FIELDS if each not in names]:
            raise self._unreadable("table provision.ledger", KeyError(f"column {', '.join(lacking)}"))
        return [self._event(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def _event(self, row: Mapping[str, Any]) -> Event:
        try:
            return Event.of(row)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"row {row['token']}/{row['n']} of provision.ledger", error) from None

    def _unreadable(self, what: str, error: Exception) -> ConfigError:
        fix = "bring back what is missing, or set another project name"
        return ConfigError("ledger-unreadable", not_ours(what, error), where=self._connection.store, fix=fix)

    def create(self) -> None:
        own_tables.make(self._connection, "fence", TABLES)
        self.raise_fence(0)

    def append(self, event: Event) -> None:
        try:
            with own_tables.permitted(self._connection, "provision.ledger", _RIGHTS):
                cursor = self._connection.execute(INSERT, values(event, self._store))
        except psycopg.errors.UniqueViolation:
            raise LeaseLost(f"a run with the same token {event.token}") from None
        if cursor.rowcount == 0:
            raise LeaseLost(f"a run with a token above {event.token}")

    def raise_fence(self, token: int) -> None:
        with own_tables.permitted(self._connection, "provision.fence", _RIGHTS):
            self._connection.execute(_RAISE, (self._project, self._store, token))


def values(event: Event, store: str) -> dict[str, object]:
    """The parameters of INSERT."""
    return {**event.record(), "store": store, "at": event.at}

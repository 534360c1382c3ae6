"""The run lock as a row with an expiry by the server's clock; no session locks, so that poolers are safe."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC
from typing import Any

import psycopg

from provision.errors import UnreachableError
from provision.model import Holding, Owner
from provision.stores.postgres import own
from provision.stores.postgres.connection import Connection

_TABLE = """
create schema if not exists provision;
create table if not exists provision.lease (
    project text not null, name text not null, owner jsonb, token bigint not null,
    taken_at timestamptz not null, expires_at timestamptz not null, primary key (project, name)
);
"""
_SHOWN = "name, owner, token, taken_at, extract(epoch from expires_at - clock_timestamp())::float8"
_TAKE = f"""
insert into provision.lease as l (project, name, owner, token, taken_at, expires_at)
values (%(project)s, %(name)s, %(owner)s, %(floor)s::bigint + 1, clock_timestamp(),
        clock_timestamp() + make_interval(secs => %(seconds)s))
on conflict (project, name) do update set
    owner = excluded.owner, token = greatest(l.token, %(floor)s::bigint) + 1,
    taken_at = excluded.taken_at, expires_at = excluded.expires_at
where l.owner is null or l.expires_at <= clock_timestamp()
returning {_SHOWN}
"""
_EXTEND = """
update provision.lease set expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
where project = %(project)s and name = %(name)s and token = %(token)s and owner is not null
"""
_RELEASE = """
update provision.lease set owner = null, expires_at = clock_timestamp()
where project = %(project)s and name = %(name)s and token = %(token)s and owner is not null
"""
_READ = f"select {_SHOWN} from provision.lease where project = %(project)s and name = %(name)s and owner is not null"


class PostgresLeases:
    """`provision.ports.Leases` on a connection of its own; safe to use from several threads."""

    def __init__(self, connection: Connection, project: str, again: Callable[[], Connection] | None = None) -> None:
        self.connection, self._project, self._turn = connection, project, threading.Lock()
        self._again = again  # opens another one after the server, or what lies between, has cut this one

    def create(self) -> None:
        with self._turn:
            own.make(self.connection, "lease", _TABLE)

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> Holding:
        fields = {"name": name, "owner": json.dumps(asdict(owner)), "seconds": seconds, "floor": floor}
        while True:
            rows = self._run(_TAKE, fields) or self._run(_READ, fields)
            if rows:
                return _holding(rows[0])
            # Released between the two statements: try again.

    def extend(self, name: str, token: int, seconds: float) -> bool:
        return self._changed(_EXTEND, {"name": name, "token": token, "seconds": seconds})

    def release(self, name: str, token: int) -> bool:
        return self._changed(_RELEASE, {"name": name, "token": token})

    def read(self, name: str) -> Holding | None:
        try:
            rows = self._run(_READ, {"name": name})
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
        return _holding(rows[0]) if rows else None

    def _open(self) -> Connection:
        if self.connection.closed and self._again is not None:
            self.connection = self._again()
        return self.connection

    def _run(self, sql: str, fields: dict[str, object]) -> list[tuple[Any, ...]]:
        with self._turn:
            try:
                return self._open().execute(sql, {"project": self._project, **fields}).fetchall()
            except psycopg.OperationalError as error:
                raise UnreachableError("unreachable", f"the home store does not answer: {error}".strip()) from None

    def _changed(self, sql: str, fields: dict[str, object]) -> bool:
        with self._turn:
            try:
                return self._open().execute(sql, {"project": self._project, **fields}).rowcount == 1
            except psycopg.OperationalError as error:
                raise UnreachableError("unreachable", f"the home store does not answer: {error}".strip()) from None


def _holding(row: tuple[Any, ...]) -> Holding:
    name, owner, token, taken_at, expires_in = row
    return Holding(name, Owner(**owner), token, taken_at.astimezone(UTC), expires_in)

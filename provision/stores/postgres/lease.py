"""The run lock as a row with an expiry by the server's clock; no session locks, so that poolers are safe.

The mark of a lock that is asked back is a field of its owner, so that a table that was made before has room for it.
The highest token is a row of the fence too, which outlives a row of the lock that somebody deletes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC
from typing import Any

import psycopg

from provision.errors import UnreachableError
from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.model.schema import UnknownForm
from provision.model.stores import lock_unreadable
from provision.stores.postgres import ledger, own_tables
from provision.stores.postgres.server import Connection

_TABLE = """
create schema if not exists provision;
create table if not exists provision.lease (
    project text not null, name text not null, owner jsonb, token bigint not null,
    taken_at timestamptz not null, expires_at timestamptz not null, primary key (project, name)
);
"""
_SHOWN = "name, owner, token, taken_at, extract(epoch from expires_at - clock_timestamp())::float8"
_TAKE = f"""
with given as (select token from provision.fence where project = %(project)s and store = %(memory)s),
lost as (
    select token from given
    where not exists (select from provision.lease where project = %(project)s and name = %(name)s)
),
taken as (
    insert into provision.lease as l (project, name, owner, token, taken_at, expires_at)
    values (%(project)s, %(name)s,
            case when exists (select from lost) then %(unknown)s::jsonb else %(owner)s::jsonb end,
            coalesce((select token from lost), %(floor)s::bigint + 1), clock_timestamp(),
            clock_timestamp() + make_interval(secs => %(seconds)s))
    on conflict (project, name) do update set
        owner = %(owner)s::jsonb,
        token = greatest(l.token, %(floor)s::bigint, coalesce((select token from given), 0)) + 1,
        taken_at = excluded.taken_at, expires_at = excluded.expires_at
    where l.owner is null or l.expires_at <= clock_timestamp()
    returning {_SHOWN}
),
remembered as (
    insert into provision.fence as f (project, store, token) select %(project)s, %(memory)s, token from taken
    on conflict (project, store) do update set token = greatest(f.token, excluded.token)
)
select * from taken
"""
_HELD = """
project = %(project)s and name = %(name)s and token = %(token)s and owner @> %(owner)s::jsonb
"""
_EXTEND = f"""
update provision.lease set expires_at = case when owner ? 'asked_back_by' then expires_at
    else clock_timestamp() + make_interval(secs => %(seconds)s) end
where {_HELD} returning owner ? 'asked_back_by'
"""
_ASK_BACK = f"""
update provision.lease set owner = owner || jsonb_build_object('asked_back_by', %(by)s::text)
where {_HELD} returning token
"""
_RELEASE = f"""
update provision.lease set owner = null, expires_at = clock_timestamp() where {_HELD} returning token
"""
_READ = f"select {_SHOWN} from provision.lease where project = %(project)s and name = %(name)s and owner is not null"

# What a look comes to where nobody has taken the lock yet.
_ABSENT = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


class PostgresLeases:
    """`provision.ports.Leases` on a connection of its own; safe to use from several threads."""

    def __init__(self, connection: Connection, project: str, again: Callable[[], Connection] | None = None) -> None:
        self.connection, self._project, self._turn = connection, project, threading.Lock()
        self._again = again  # opens another one after the server, or what lies between, has cut this one

    def create(self) -> None:
        with self._turn:
            own_tables.make(self.connection, "lease", _TABLE)
            own_tables.make(self.connection, "fence", ledger.TABLES)

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        fields = {"name": name, "owner": _owner_json(owner), "seconds": seconds, "floor": floor}
        fields |= {"memory": f"lock/{name}", "unknown": _owner_json(UNKNOWN_HOLDER)}  # no store has a slash in its name
        while True:
            rows = self._run(_TAKE, fields) or self._run(_READ, fields)
            if rows:
                return _holding(rows[0])
            # Released between the two statements: try again.

    def extend(self, name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        rows = self._of_holder(_EXTEND, name, owner, token, {"seconds": seconds})
        if not rows:
            return Heartbeat.LOST
        return Heartbeat.ASKED_BACK if rows[0][0] else Heartbeat.KEPT

    def ask_back(self, name: str, owner: Owner, token: int, by: str) -> bool:
        return bool(self._of_holder(_ASK_BACK, name, owner, token, {"by": by}))

    def release(self, name: str, owner: Owner, token: int) -> bool:
        return bool(self._of_holder(_RELEASE, name, owner, token, {}))

    def read(self, name: str) -> LeaseRecord | None:
        rows = self._there(_READ, {"name": name})
        return _holding(rows[0]) if rows else None

    def _open(self) -> Connection:
        if self.connection.closed and self._again is not None:
            self.connection = self._again()
        return self.connection

    def _run(self, sql: str, fields: dict[str, object]) -> list[tuple[Any, ...]]:
        with self._turn:
            try:
                connection = self._open()
                with own_tables.permitted(connection, "provision.lease", "SELECT, INSERT, UPDATE"):
                    return connection.execute(sql, {"project": self._project, **fields}).fetchall()
            except psycopg.errors.UndefinedColumn as error:
                raise lock_unreadable(UnknownForm(error.diag.message_primary)) from None
            except _ABSENT:
                raise
            except psycopg.Error as error:  # a server whose files are gone says it in classes of all kinds
                raise UnreachableError("unreachable", f"the home store does not answer: {error}".strip()) from None

    def _of_holder(
        self, sql: str, name: str, owner: Owner, token: int, fields: dict[str, object]
    ) -> list[tuple[Any, ...]]:
        return self._there(sql, {"name": name, "owner": json.dumps(owner.told()), "token": token, **fields})

    def _there(self, sql: str, fields: dict[str, object]) -> list[tuple[Any, ...]]:
        """The rows; none where there is no table, or none any more."""
        try:
            return self._run(sql, fields)
        except _ABSENT:
            return []


def _owner_json(owner: Owner) -> str:
    return json.dumps(owner.kept())


def _holding(row: tuple[Any, ...]) -> LeaseRecord:
    name, owner, token, taken_at, expires_in = row
    asked_back_by = owner.get("asked_back_by", "")
    return LeaseRecord(name, Owner.of(owner), token, taken_at.astimezone(UTC), expires_in, asked_back_by)

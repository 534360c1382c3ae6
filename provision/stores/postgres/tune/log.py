"""Settings that were changed: a row in `provision.tune_log` for each, with what was there before."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from provision.model.schema import IN_COMMENT
from provision.model.tune import Tuned
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.tune_log (
    id bigint generated always as identity primary key, name text not null, before text, after text not null,
    actor text not null, at timestamptz not null default clock_timestamp(), reset_at timestamptz
);
comment on table provision.tune_log is 'Settings of the server that provision changed, and what they were{IN_COMMENT}';
"""


class TuneLog:
    """The log of a server; settings are its own, whatever projects it serves."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, name: str, before: str | None, after: str, actor: str) -> None:
        """Say what is about to be changed. Raises ConfigError (not-allowed, read-only, …)."""
        own_tables.make(self._connection, "tune_log", _TABLE)
        self._connection.execute(
            "insert into provision.tune_log (name, before, after, actor) values (%s, %s, %s, %s)",
            (name, before, after, actor),
        )

    def open(self) -> Sequence[Tuned]:
        """What was changed and not put back: the first value before, the last one after, by name."""
        try:
            rows = self._connection.execute(
                "select name, (array_agg(before order by id))[1], (array_agg(after order by id desc))[1]"
                " from provision.tune_log where reset_at is null group by name order by min(id)"
            ).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []
        return [Tuned(*row) for row in rows]

    def done(self, name: str) -> None:
        """It was put back."""
        self._connection.execute(
            "update provision.tune_log set reset_at = clock_timestamp() where name = %s and reset_at is null", (name,)
        )

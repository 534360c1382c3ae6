"""Backfill runs in schema `provision`: one row a run, one row a part of its keys, one row for each row passed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from provision.backfill.log import unreadable
from provision.errors import FailedError
from provision.model.backfills import BackfillRun, Part, RunState
from provision.model.schema import IN_COMMENT, refuse_newer_comment
from provision.stores.postgres import own_tables
from provision.stores.postgres.backfill.errors import ErrorSubject, refusal
from provision.stores.postgres.server import Connection

_TABLES = f"""
create schema if not exists provision;
create table if not exists provision.backfill_run (
    project text not null, store text not null, run text not null, backfill text not null, state text not null,
    checksum text not null, owner text not null, started_at timestamptz not null, touched_at timestamptz not null,
    rows_total bigint, asked jsonb not null, error text not null, version bigint not null,
    primary key (project, store, run)
);
create table if not exists provision.backfill_part (
    project text not null, store text not null, run text not null, n integer not null, cursor jsonb not null,
    done boolean not null default false, rows_done bigint not null default 0, rows_skipped bigint not null default 0,
    batch bigint not null default 0, longest_wait_ms bigint not null default 0, throttled_by text not null default '',
    rate double precision not null default 0, worker text, touched_at timestamptz not null default clock_timestamp(),
    primary key (project, store, run, n)
) with (fillfactor = 50);
create table if not exists provision.backfill_skipped (
    project text not null, store text not null, run text not null, key jsonb not null, error text not null,
    at timestamptz not null default clock_timestamp(), primary key (project, store, run, key)
);
comment on table provision.backfill_run
    is 'Backfills of this database; keep it in backups with what they filled{IN_COMMENT}';
"""
_RUN = "backfill, run, state, checksum, owner, started_at, touched_at, rows_total, asked, error, version"
_PART = "n, cursor, done, rows_done, rows_skipped, batch, longest_wait_ms, throttled_by, rate, touched_at, worker"
_READ = f"""
select {_RUN}, obj_description('provision.backfill_run'::regclass, 'pg_class') from provision.backfill_run
where project = %(project)s and store = %(store)s and (%(backfill)s::text is null or backfill = %(backfill)s)
order by started_at desc, run desc
"""
_PARTS = f"""
select run, {_PART} from provision.backfill_part
where project = %(project)s and store = %(store)s and run = any(%(runs)s) order by run, n
"""
_PEEK = f"""
select {_RUN} from provision.backfill_run where project = %(project)s and store = %(store)s and run = %(run)s
"""
_ADD = f"""
insert into provision.backfill_run (project, store, {_RUN})
values (%(project)s, %(store)s, %(backfill)s, %(run)s, %(state)s, %(checksum)s, %(owner)s, %(started_at)s,
        %(touched_at)s, %(rows_total)s, %(asked)s, %(error)s, 0)
on conflict do nothing
"""
_CHANGE = """
update provision.backfill_run set state = %(state)s, owner = %(owner)s, touched_at = %(touched_at)s,
    rows_total = %(rows_total)s, asked = %(asked)s, error = %(error)s, version = %(version)s
where project = %(project)s and store = %(store)s and run = %(run)s and version = %(version)s - 1
"""
_CUT = """
insert into provision.backfill_part (project, store, run, n, cursor)
select %(project)s, %(store)s, %(run)s, coalesce(max(n), 0) + 1, %(cursor)s::jsonb
from provision.backfill_part where project = %(project)s and store = %(store)s and run = %(run)s
"""
_NOTE = """
update provision.backfill_part set throttled_by = %(why)s, rate = 0, touched_at = clock_timestamp()
where project = %(project)s and store = %(store)s and run = %(run)s and not done
    and n in (select n from provision.backfill_part where project = %(project)s and store = %(store)s
              and run = %(run)s and not done for update skip locked)
"""
_SKIPPED = """
select key, error from provision.backfill_skipped
where project = %(project)s and store = %(store)s and run = %(run)s order by at, key limit 100
"""
_RETRY = (
    "delete from provision.backfill_skipped where project = %(project)s and store = %(store)s and run = %(run)s",
    "update provision.backfill_part set rows_skipped = 0"
    " where project = %(project)s and store = %(store)s and run = %(run)s",
)
_NOT_THERE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


class PostgresRuns:
    """`provision.ports.backfill.Runs`."""

    def __init__(self, lend: Callable[[], Connection], project: str, store: str) -> None:
        self._lend, self._key = lend, {"project": project, "store": store}

    def create(self) -> None:
        with self._connected() as connection:
            own_tables.make(connection, "backfill_skipped", _TABLES)

    def read(self, backfill: str | None = None) -> Sequence[BackfillRun]:
        with self._connected() as connection:
            try:
                rows = connection.execute(_READ, {**self._key, "backfill": backfill}).fetchall()
                runs = {**self._key, "runs": [row[1] for row in rows]}
                parts = connection.execute(_PARTS, runs).fetchall() if rows else []
            except _NOT_THERE:
                return []
        for *_, comment in rows:
            refuse_newer_comment(comment, "table provision.backfill_run")
        by_run: dict[str, list[Part]] = {}
        for run, *fields in parts:
            by_run.setdefault(run, []).append(_part(fields))
        return [_run(row[:-1], tuple(by_run.get(row[1], ()))) for row in rows]

    def peek(self, run: str) -> BackfillRun:
        with self._connected() as connection:
            try:
                row = connection.execute(_PEEK, {**self._key, "run": run}).fetchone()
            except _NOT_THERE:
                row = None
        if row is None:
            fix = "a backup may have been restored: `provision backfill run NAME` begins anew"
            raise FailedError("run-gone", f"run {run} is not in the log any more", where=self._key["store"], fix=fix)
        return _run(row, ())

    def write(self, run: BackfillRun) -> bool:
        fields = {
            "backfill": run.backfill,
            "run": run.run,
            "state": str(run.state),
            "checksum": run.checksum,
            "owner": run.owner,
            "started_at": run.started_at,
            "touched_at": run.touched_at,
            "rows_total": run.rows_total,
            "asked": json.dumps(run.asked),
            "error": run.error,
            "version": run.version,
        }
        statement = _CHANGE if run.version else _ADD
        with self._connected() as connection:
            return connection.execute(statement, {**self._key, **fields}).rowcount == 1

    def skipped(self, run: str) -> Sequence[tuple[str, str]]:
        with self._connected() as connection:
            rows = connection.execute(_SKIPPED, {**self._key, "run": run}).fetchall()
        return [(", ".join(key), error) for key, error in rows]

    def retry_skipped(self, run: str) -> None:
        with self._connected() as connection, connection.transaction():
            for statement in _RETRY:
                connection.execute(statement, {**self._key, "run": run})

    def note(self, run: str, throttled_by: str) -> None:
        with self._connected() as connection:
            connection.execute(_NOTE, {**self._key, "run": run, "why": throttled_by})

    def cut(self, run: str, cursors: Sequence[object]) -> None:
        with self._connected() as connection, connection.transaction():
            for cursor in cursors:
                connection.execute(_CUT, {**self._key, "run": run, "cursor": json.dumps(cursor)})

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """The connection, its server's refusals in our words."""
        connection = self._lend()
        try:
            yield connection
        except psycopg.Error as error:
            raise refusal(error, ErrorSubject(self._key["store"]), connection) from None


def _run(row: Sequence[Any], parts: tuple[Part, ...]) -> BackfillRun:
    backfill, run, state, checksum, owner, started_at, touched_at, rows_total, asked, error, version = row
    return BackfillRun(
        backfill,
        run,
        _state(run, state),
        checksum,
        owner,
        _utc(started_at),
        _utc(touched_at),
        rows_total,
        asked,
        error,
        version,
        parts,
    )


def _state(run: str, word: str) -> RunState:
    try:
        return RunState(word)
    except ValueError as error:
        raise unreadable(run, error) from None


def _part(fields: Sequence[Any]) -> Part:
    n, cursor, done, rows_done, rows_skipped, batch, wait, throttled_by, rate, touched_at, worker = fields
    at, who = _utc(touched_at), worker or ""
    return Part(n, cursor, done, rows_done, rows_skipped, batch, wait, throttled_by, rate, at, who)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)

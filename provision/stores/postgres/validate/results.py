"""Results of data checks in table `provision.validation`; append-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from provision.errors import FailedError
from provision.model.checks import CheckSeverity, Result, Status, StoredResult, ValidationRun
from provision.model.schema import IN_COMMENT, refuse_newer_comment
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.validation (
    project text not null, run text not null, n integer not null, at timestamptz not null, environment text not null,
    scope text not null, actor text not null, suite text not null, name text not null, kind text not null,
    store text not null, "table" text not null, severity text not null, status text not null, bad bigint not null,
    total bigint not null, message text not null, duration_ms bigint not null, primary key (project, run, n)
);
create index if not exists validation_name on provision.validation (project, suite, name, at desc);
comment on table provision.validation is 'What each check found, passes too; rows can be deleted when old{IN_COMMENT}';
"""
# A table of an earlier release has no such column; reading works without it.
_FIGURES = "alter table provision.validation add column if not exists figures jsonb"
_HAS_FIGURES = """
select from pg_attribute where attrelid = 'provision.validation'::regclass and attname = 'figures' and not attisdropped
"""
_INSERT = """
insert into provision.validation (project, run, n, at, environment, scope, actor, suite, name, kind, store, "table",
    severity, status, bad, total, message, duration_ms, figures)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_READ = """
select run, at, environment, scope, actor, suite, name, kind, store, "table", severity, status, bad, total, message,
    duration_ms, to_jsonb(validation) -> 'figures', obj_description('provision.validation'::regclass, 'pg_class')
from provision.validation
where project = %(project)s and (%(suite)s::text is null or suite = %(suite)s)
    and (%(name)s::text is null or name = %(name)s) and (%(since)s::timestamptz is null or at >= %(since)s)
order by at desc, run desc, n limit %(limit)s
"""


@contextmanager
def _refusals_worded() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        what = str(error.diag.message_primary or error)
        raise FailedError("history-lost", what, fix="grant it to the user of the url, or --no-history") from None


class PostgresHistory:
    """`provision.ports.validate.History` on a connection of its own."""

    def __init__(self, connect: Callable[[], Connection], project: str) -> None:
        self._connect, self._project = connect, project
        self._connection: Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def create(self) -> None:
        with _refusals_worded():
            own_tables.make(self._open(), "validation", _TABLE)
            if self._open().execute(_HAS_FIGURES).fetchone() is None:
                self._open().execute(_FIGURES)

    def add(self, run: ValidationRun, results: Sequence[Result]) -> None:
        rows = [
            (self._project, run.id, n, run.at, run.environment, run.scope, run.actor, *_fields(result))
            for n, result in enumerate(results)
        ]
        with _refusals_worded(), self._open().transaction() as transaction:
            transaction.connection.cursor().executemany(_INSERT, rows)

    def read(
        self, suite: str | None = None, check: str | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Sequence[StoredResult]:
        asked = {"project": self._project, "suite": suite, "name": check, "since": since, "limit": limit}
        with _refusals_worded():
            try:
                rows = self._open().execute(_READ, asked).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return []
        return [_stored_result(row) for row in rows]

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection


def _fields(result: Result) -> tuple[object, ...]:
    return (
        result.suite,
        result.check,
        result.kind,
        result.store,
        result.table,
        str(result.severity),
        str(result.status),
        result.bad,
        result.total,
        result.message,
        result.duration_ms,
        Jsonb(dict(result.figures)) if result.figures else None,
    )


def _stored_result(row: Sequence[object]) -> StoredResult:
    run, at, environment, scope, actor, suite, name, kind, store, table, severity, status, *rest = row
    bad, total, message, duration_ms, figures, comment = rest
    refuse_newer_comment(str(comment or ""), "table provision.validation")
    assert isinstance(at, datetime)
    made = ValidationRun(str(run), at.astimezone(UTC), str(environment), str(scope), str(actor))
    return StoredResult(
        made,
        Result(
            suite=str(suite),
            check=str(name),
            kind=str(kind),
            store=str(store),
            table=str(table),
            severity=CheckSeverity(str(severity)),
            status=Status(str(status)),
            bad=int(str(bad)),
            total=int(str(total)),
            message=str(message),
            duration_ms=int(str(duration_ms)),
            figures=figures if isinstance(figures, dict) else {},
        ),
    )

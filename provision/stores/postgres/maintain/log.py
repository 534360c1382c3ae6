"""What became of jobs: a row in `provision.maintain_log` for each run, begun before, ended after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from provision import process
from provision.model import Owner
from provision.model.maintain import JobRun, RunState
from provision.model.schema import IN_COMMENT
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.maintain_log (
    id bigint generated always as identity primary key, project text not null, store text not null,
    job text not null, actor text not null, pid int not null, process text not null,
    began_at timestamptz not null default clock_timestamp(), ended_at timestamptz, error text
);
create index if not exists maintain_log_job on provision.maintain_log (project, store, job, id);
comment on table provision.maintain_log is 'Runs of jobs of maintain.yaml, by provision{IN_COMMENT}';
"""
_RUNS = """
select job, actor, pid, process, began_at, ended_at, error from (
    select *, row_number() over (partition by job order by id desc) as place from provision.maintain_log
    where project = %s and store = %s
) runs where place <= %s order by id desc
"""


class JobLog:
    """The log of one project's store."""

    def __init__(self, connection: Connection, project: str, store: str) -> None:
        self._connection, self._key = connection, (project, store)

    def begin(self, job: str, owner: Owner) -> str:
        """Raises ConfigError (not-allowed, read-only, …)."""
        own_tables.make(self._connection, "maintain_log", _TABLE)
        row = self._connection.execute(
            "insert into provision.maintain_log (project, store, job, actor, pid, process)"
            " values (%s, %s, %s, %s, %s, %s) returning id",
            (*self._key, job, owner.actor, owner.pid, owner.process),
        ).fetchone()
        assert row is not None
        return str(row[0])

    def end(self, key: str, error: str) -> None:
        self._connection.execute(
            "update provision.maintain_log set ended_at = clock_timestamp(), error = %s where id = %s",
            (error.replace("\0", ""), int(key)),
        )

    def runs(self, limit: int) -> Sequence[JobRun]:
        try:
            rows = self._connection.execute(_RUNS, (*self._key, limit)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
            return []
        return [_run(*row) for row in rows]


def _run(
    job: str, actor: str, pid: int, proc: str, began: datetime, ended: datetime | None, error: str | None
) -> JobRun:
    state = RunState.FAILED if error else RunState.DONE
    if ended is None:
        state = RunState.CUT_SHORT if process.dead(Owner(actor, pid, proc)) else RunState.RUNNING
    return JobRun(job, actor, began.astimezone(UTC), ended.astimezone(UTC) if ended else None, state, error or "")

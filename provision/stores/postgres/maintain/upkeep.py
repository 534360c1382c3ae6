"""`provision.ports.maintain.Upkeep` of PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import psycopg

from provision import process
from provision.errors import FailedError
from provision.model import StoreOptions
from provision.model.maintain import Job, JobRun, Task
from provision.ports.maintain import Say
from provision.stores.postgres.maintain.calls import calls
from provision.stores.postgres.maintain.cron import PgCron
from provision.stores.postgres.maintain.indexes import rebuilds, size_of
from provision.stores.postgres.maintain.log import JobLog
from provision.stores.postgres.maintain.progress import told
from provision.stores.postgres.maintain.tables import analyses
from provision.stores.postgres.maintain.views import refreshes
from provision.stores.postgres.reading import patience
from provision.stores.postgres.server import Connection

_TURN = "select pg_try_advisory_lock(hashtext('provision maintain'), hashtext(%s))"
# 0 would be no limit at all.
_AT_ONCE = 0.001
# By another process, or by a statement that one left behind.
_WHO = """
select format('pid %%s (%%s) since %%s UTC', a.pid, concat_ws(', ', a.usename, nullif(a.application_name, '')),
    to_char(coalesce(a.xact_start, a.query_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid::int8 =
    hashtext('provision maintain')::int8 & 4294967295 and l.objid::int8 = hashtext(%(name)s)::int8 & 4294967295
limit 1
"""
_OVER = "select pg_advisory_unlock(hashtext('provision maintain'), hashtext(%s))"


class PostgresUpkeep:
    """On a connection of its own: a REINDEX may take hours."""

    def __init__(self, connect: Callable[[], Connection], options: StoreOptions) -> None:
        self._connect, self._options = connect, options
        self._made: Connection | None = None

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    @cached_property
    def scheduler(self) -> PgCron:
        return PgCron(self._open(), self._options.project, self._options.name)

    def tasks(self, job: Job) -> Sequence[Task]:
        by_kind = {"refresh": refreshes, "analyze": analyses, "reindex": rebuilds, "call": calls}
        with patience(self._open()):
            return by_kind[job.kind](self._open(), job)

    def carry_out(self, job: Job, task: Task, say: Say, wait: float) -> str:
        connection = self._open()
        before = size_of(connection, task)
        try:
            with told(self._connect, connection.info.backend_pid, say), patience(connection, max(wait, _AT_ONCE)):
                connection.execute((task.now or task.statement).encode())
        except FailedError as error:  # table-locked: what a rebuild has left behind the next run drops
            raise FailedError(error.code, f"{task.what}: {error.what}", where=job.shown, fix=error.fix) from None
        except psycopg.Error as error:
            if connection.closed:
                raise
            raise _refused(error, job, task) from None
        return f"{before} → {size_of(connection, task)}" if before else ""

    @contextmanager
    def turn(self, job: Job) -> Iterator[None]:
        connection, name = self._open(), f"{self._options.project}/{self._options.name}/{job.name}"
        if connection.execute(_TURN, (name,)).fetchone() != (True,):
            [(who,)] = connection.execute(_WHO, {"name": name}).fetchall() or [("a session that has just ended",)]
            what = f"{job.name} is run already, by {who}"
            fix = "let that one end: `provision maintain status` shows since when"
            raise FailedError("job-runs-already", what, where=job.shown, fix=fix)
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute(_OVER, (name,))

    def begin(self, job: Job) -> str:
        return self._log.begin(job.name, process.owner(os.environ))

    def end(self, key: str, error: str) -> None:
        self._log.end(key, error)

    def runs(self, limit: int) -> Sequence[JobRun]:
        return self._log.runs(limit)

    @property
    def _log(self) -> JobLog:
        return JobLog(self._open(), self._options.project, self._options.name)

    def _open(self) -> Connection:
        if self._made is None:
            self._made = self._connect()
        return self._made


def _refused(error: psycopg.Error, job: Job, task: Task) -> FailedError:
    said = error.diag.message_primary or str(error)
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        fix = "somebody holds the table: run the job again when it is free"
    else:
        fix = f"see to the cause, then `provision maintain run {job.name}`"
    return FailedError("job-failed", f"{task.what}: {said}{detail}", where=job.shown, fix=fix)

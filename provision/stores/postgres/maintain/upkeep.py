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
from provision.stores.postgres.server import Connection

_TURN = "select pg_try_advisory_lock(hashtext('provision maintain'), hashtext(%s))"
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
        return by_kind[job.kind](self._open(), job)

    def carry_out(self, job: Job, task: Task, say: Say) -> str:
        connection = self._open()
        before = size_of(connection, task)
        try:
            with told(self._connect, connection.info.backend_pid, say):
                connection.execute((task.now or task.statement).encode())
        except psycopg.Error as error:
            if connection.closed:
                raise
            raise _refused(error, job, task) from None
        return f"{before} → {size_of(connection, task)}" if before else ""

    @contextmanager
    def turn(self, job: Job) -> Iterator[None]:
        connection, name = self._open(), f"{self._options.project}/{self._options.name}/{job.name}"
        if connection.execute(_TURN, (name,)).fetchone() != (True,):
            what = f"{job.name} is run already, by another process or a statement that one left behind"
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

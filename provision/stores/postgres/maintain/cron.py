"""pg_cron: the server runs a statement by its own clock, in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from provision.errors import ConfigError
from provision.model.maintain import Installed, JobRun, RunState
from provision.stores.postgres.server import Connection

# Its settings are told only to those who may read all of them; others believe what is made.
_THERE = """
select exists (select from pg_extension where extname = 'pg_cron'),
    (select setting from pg_settings where name = 'cron.database_name'),
    exists (select from pg_available_extensions where name = 'pg_cron'),
    pg_has_role('pg_read_all_settings', 'USAGE')
"""
_READABLE = "select has_schema_privilege(oid, 'USAGE') from pg_namespace where nspname = 'cron'"
# A pattern would take the _ of a name for any letter.
_OURS = "starts_with(jobname, %s)"
_RUNS = f"""
select jobname, username, start_time, end_time, status, return_message, alive from (
    select j.jobname, d.username, d.start_time, d.end_time, d.status, d.return_message,
        exists (select from pg_stat_activity a where a.pid = d.job_pid) as alive,
        row_number() over (partition by j.jobid order by d.runid desc) as place
    from cron.job_run_details d join cron.job j using (jobid) where {_OURS} and d.start_time is not null
) runs where place <= %s order by start_time desc
"""


class PgCron:
    """`provision.ports.maintain.Scheduler`. Its jobs are called `provision/<project>/<store>/<job>/<number>`."""

    def __init__(self, connection: Connection, project: str, store: str) -> None:
        self._connection, self._store = connection, store
        self._prefix = f"provision/{project}/{store}/"

    def missing(self) -> str:
        made, database, available, told = self._connection.execute(_THERE).fetchone() or (False, None, False, False)
        here = self._connection.info.dbname
        if made and database is None and told:
            return "pg_cron is made in this database and not loaded: add it to shared_preload_libraries and restart"
        if made:
            return ""
        if database is not None and database != here:
            return f"pg_cron belongs to database {database} (cron.database_name), and not to {here}"
        if database is not None:
            return "pg_cron is loaded and not made: CREATE EXTENSION pg_cron"
        if available and not told:
            return "pg_cron is not made in this database: CREATE EXTENSION pg_cron"
        return "pg_cron is installed and not loaded" if available else "the server has no pg_cron"

    def installed(self) -> Sequence[Installed]:
        if not self._readable():
            return []
        query = f"select jobname, schedule, command, active from cron.job where {_OURS} order by jobname"
        rows = self._allowed(query, (self._prefix,))
        return [Installed(name.removeprefix(self._prefix), *rest) for name, *rest in rows]

    def put(self, job: Installed) -> None:
        self._allowed("select cron.schedule(%s, %s, %s)", (self._prefix + job.name, job.cron, job.statement))

    def remove(self, name: str) -> None:
        self._allowed("select cron.unschedule(jobid) from cron.job where jobname = %s", (self._prefix + name,))

    def runs(self, limit: int) -> Sequence[JobRun]:
        if not self._readable():
            return []
        return [self._run(*row) for row in self._allowed(_RUNS, (self._prefix, limit))]

    def _readable(self) -> bool:
        """Whether there is something to be seen by this user, who may have no job there otherwise."""
        return not self.missing() and self._connection.execute(_READABLE).fetchone() == (True,)

    def _run(
        self, name: str, by: str, began: datetime, ended: datetime | None, status: str, said: str | None, alive: bool
    ) -> JobRun:
        state = {"succeeded": RunState.DONE, "failed": RunState.FAILED}.get(status)
        if state is None:  # starting, connecting, sending, running; what a restart cut short stays so for ever
            state = RunState.RUNNING if alive else RunState.CUT_SHORT
        error = (said or "").strip() if state is RunState.FAILED else ""
        utc = ended.astimezone(UTC) if ended is not None else None
        return JobRun(name.removeprefix(self._prefix), f"pg_cron as {by}", began.astimezone(UTC), utc, state, error)

    def _allowed(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Raises ConfigError (not-allowed)."""
        try:
            return self._connection.execute(query.encode(), values).fetchall()
        except psycopg.errors.InsufficientPrivilege as error:
            said = error.diag.message_primary or str(error)
            user = self._connection.info.user
            fix = f"GRANT USAGE ON SCHEMA cron TO {user}"
            raise ConfigError("not-allowed", f"pg_cron: {said}", where=self._store, fix=fix) from None

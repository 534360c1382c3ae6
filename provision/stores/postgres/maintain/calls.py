"""`call`: functions of the database that keep something up, such as a table made of others."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from provision.errors import ConfigError, raise_all
from provision.model.maintain import Job, Task
from provision.stores.postgres.server import Connection

_FUNCTION = """
select format('%%I.%%I', n.nspname, p.proname), has_function_privilege(p.oid, 'EXECUTE'), current_user::text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = to_regprocedure(%s) and p.prokind = 'f'
"""


def calls(connection: Connection, job: Job) -> Sequence[Task]:
    """A statement a function. Raises ConfigError (unknown-function, not-allowed), or Several."""
    tasks, wrong = [], []
    for name in job.body:
        found = _found(connection, name)
        if found is None:
            what = f"{job.store} has no function {name} without arguments"
            fix = "let a migration CREATE FUNCTION it, or correct the name"
            wrong.append(ConfigError("unknown-function", what, where=job.shown, fix=fix))
            continue
        place, allowed, user = found
        if not allowed:
            fix = f"GRANT EXECUTE ON FUNCTION {place}() TO {user}"
            wrong.append(ConfigError("not-allowed", f"{user} may not call {name}", where=job.shown, fix=fix))
        tasks.append(Task(f"call {name}", f"SELECT {place}()"))
    raise_all(wrong)
    return tasks


def _found(connection: Connection, name: str) -> tuple[str, bool, str] | None:
    """None also where it is no name at all."""
    try:
        row = connection.execute(_FUNCTION, (f"{name}()",)).fetchone()
    except psycopg.Error:
        if connection.closed:
            raise
        return None
    return (str(row[0]), bool(row[1]), str(row[2])) if row is not None else None

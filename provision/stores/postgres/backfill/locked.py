"""Who holds the rows that a batch left to others."""

from __future__ import annotations

from collections.abc import Sequence

from provision.model.backfills import LockHolder
from provision.stores.postgres.backfill.sql import Shape
from provision.stores.postgres.migrate.blockers import blocker
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.sql import table_name

MOST = 1000  # rows looked at
# A row that a transaction has locked or changed carries its number.
_HOLDERS = """
select a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''),
    coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int, left(coalesce(a.query, ''), 500),
    count(*) over ()
from ({rows}) held
join pg_locks l on l.locktype = 'transactionid' and l.granted and l.transactionid = held.provision_by
join pg_stat_activity a on a.pid = l.pid and a.pid <> pg_backend_pid() order by a.xact_start
limit 1
"""

# Those whose lock keeps a batch out.
_OF_TABLE = """
select a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''),
    coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int, left(coalesce(a.query, ''), 500)
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.relation = to_regclass(%s) and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
order by a.xact_start limit 1
"""


def of_table(connection: Connection, table: str) -> str:
    """The oldest transaction that keeps others from writing to the table, in words; empty for none."""
    found = connection.execute(_OF_TABLE, (table_name(table),)).fetchone()
    return str(blocker(*found)) if found is not None else ""


def holder(connection: Connection, shape: Shape, conditions: Sequence[str]) -> tuple[LockHolder | None, int]:
    """The oldest transaction that holds some of these rows, and how many are held: 1 where nobody can be seen any more.

    Several that share a lock on a row are not told apart.
    """
    rows = shape.select(conditions, "xmax as provision_by", f" limit {MOST}")
    found = connection.execute(_HOLDERS.format(rows=rows).encode()).fetchone()
    if found is None:
        return None, 1
    *session, count = found
    seen = blocker(*session)
    return LockHolder(seen.pid, seen.application or seen.user, seen.age, seen.query), count

"""Sees, before a run, transactions that have held a table of its plan for long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.model import Step, StoreOptions
from provision.stores.postgres.migrate.blockers import Blocker, blocker
from provision.stores.postgres.server import Connection
from provision.text import durations

LONGEST = "5m"  # longer than ordinary transactions take, and than all attempts at a revision
# With the tables that each holds; of other users' transactions only those see the age who may read statistics.
_OLD = """
select a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''),
       extract(epoch from clock_timestamp() - a.xact_start)::int, left(coalesce(a.query, ''), 500),
       array_agg(distinct quote_ident(n.nspname) || '.' || quote_ident(c.relname))
from pg_stat_activity a join pg_locks l using (pid) join pg_class c on c.oid = l.relation
join pg_namespace n on n.oid = c.relnamespace
where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
  and a.xact_start < clock_timestamp() - make_interval(secs => %s)
  and l.granted and l.locktype = 'relation' and c.relkind in ('r', 'p')
  and n.nspname <> 'information_schema' and left(n.nspname, 3) <> 'pg_'
group by a.pid, a.usename, a.application_name, a.xact_start, a.query order by a.xact_start
"""


def hindrances(options: StoreOptions, steps: Sequence[Step], connection: Connection) -> Mapping[str, str]:
    """Key of each old transaction → its session and the tables of the steps that it holds, in words.

    Nothing is rendered while there is no old transaction. Steps whose SQL needs a database are passed by.
    """
    longest = durations.typed(str(options.extra.get("longest_transaction", LONGEST)))
    rows = connection.execute(_OLD, (longest,)).fetchall()
    if not rows:
        return {}
    wanted = _tables(options, steps, connection)
    found: dict[str, str] = {}
    for *columns, tables in rows:
        who: Blocker = blocker(*columns)
        if held := sorted(wanted.intersection(tables)):
            found[str(who.pid)] = f"{', '.join(held)} by {who}"
    return found


def _tables(options: StoreOptions, steps: Sequence[Step], connection: Connection) -> set[str]:
    """The tables that the steps lock."""
    from provision.stores.postgres.migrate import repeatable
    from provision.stores.postgres.migrate.describe import plain
    from provision.stores.postgres.migrate.table_locks import needs, question
    from provision.stores.postgres.migrate.version_table import DEFAULTS, version_table

    table = str(version_table(options).get("version_table") or DEFAULTS["version_table"])
    texts = [repeatable.sql(options, step) for step in steps if step.revision.repeatable]
    texts += plain(options, [step for step in steps if not step.revision.repeatable])
    listed = dict.fromkeys(need for text in texts for need in needs(text, table, whole=True))
    if not listed:
        return set()
    return {name for name, _ in connection.execute(question(list(listed)).encode()).fetchall()}

"""How much the tables of a PostgreSQL database hold, from its catalogue and its counters: no table is read."""

from __future__ import annotations

import time

from provision.model import StoreOptions
from provision.model.stats import StoreStats, TableStats
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.server import Connection, connect

# Partitions count for the table that they are of. Rows as the planner has them: those of a page, when it was looked at
# last, by the pages of now; of a table that nobody looked at its counters know better.
_TABLES = """
select format('%%I.%%I', n.nspname, root.relname),
    sum(case when c.reltuples > 0 and c.relpages > 0
        then c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::int)
        else coalesce(s.n_live_tup, 0) end)::bigint,
    sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint,
    sum(coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0))
        / greatest(extract(epoch from now() - (select coalesce(stats_reset, pg_postmaster_start_time())
            from pg_stat_database where datname = current_database())), 1)
from pg_class c
join pg_class root on root.oid = coalesce(pg_partition_root(c.oid), c.oid)
join pg_namespace n on n.oid = root.relnamespace
left join pg_stat_all_tables s on s.relid = c.oid
where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'provision') and c.oid is distinct from to_regclass(%s)
group by 1 order by 1
"""
_FIXED = "select count(distinct md5(i::text)) from generate_series(1, 20000) made(i)"
_TIMES = 3


def measured(options: StoreOptions, url: str) -> StoreStats:
    """Rows, sizes and writes of each table. Reads only. Raises UnreachableError, ConfigError."""
    stated = version_table(options)
    own = f"{stated.get('version_table_schema', 'public')}.{stated.get('version_table', 'alembic_version')}"
    with connect(url, options.name) as connection:
        connection.execute("set search_path = pg_catalog")
        found = connection.execute(_TABLES.encode(), (own,)).fetchall()
        tables = {
            str(name): TableStats(int(rows), int(size), int(index_size), round(float(writes), 3))
            for name, rows, size, index_size, writes in found
        }
        return StoreStats(tables, fixed_ms(connection))


def fixed_ms(connection: Connection) -> float:
    """The least time of a few that the server takes for a computation without any table."""
    took = []
    for _ in range(_TIMES):
        began = time.monotonic()
        connection.execute(_FIXED).fetchall()
        took.append((time.monotonic() - began) * 1000)
    return round(min(took), 2)

"""`reindex`: the indexes that have much room in them are built anew, beside readers and writers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from provision.model.maintain import Job, Task
from provision.stores.postgres.maintain.names import relations
from provision.stores.postgres.server import Connection

BLOAT, LARGER_THAN = 40, "10 MB"
_BYTES = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
# What an entry of a B-tree takes: a line pointer, a header, the keys as the planner's statistics have them, aligned. A
# page has 8 % of its own and is filled to its fillfactor when it is built. Equal keys that are stored once (PostgreSQL
# 13) make an index smaller than that: it is passed by too often, never rebuilt too often. Without statistics: unknown.
_BLOATED = """
with wanted as (
    select t.relid as oid from unnest(%s::oid[]) p(oid), lateral (
        select relid from pg_partition_tree(p.oid) where isleaf union select p.oid
    ) t
), index as (
    select i.indexrelid, c.reltuples, c.relpages, pg_relation_size(c.oid) as bytes,
        coalesce((select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 90)
            as fill, i.indrelid, c.relname
    from wanted w join pg_index i on i.indrelid = w.oid join pg_class c on c.oid = i.indexrelid
    join pg_am a on a.oid = c.relam
    where a.amname = 'btree' and c.relkind = 'i' and i.indisvalid and i.indisready
), wide as (
    select x.*, sum((1 - coalesce(s.null_frac, 0)) * s.avg_width) as width, count(*) as keys,
        count(s.avg_width) as known
    from index x join pg_attribute a on a.attrelid = x.indexrelid and a.attnum > 0
    join pg_index i on i.indexrelid = x.indexrelid join pg_class t on t.oid = x.indrelid
    join pg_namespace n on n.oid = t.relnamespace
    left join pg_attribute o on o.attrelid = x.indrelid and o.attnum = i.indkey[a.attnum - 1] and o.attnum > 0
    left join lateral (
        select null_frac, avg_width from pg_stats where schemaname = n.nspname
        and tablename = case when o.attname is null then x.relname else t.relname end
        and attname = coalesce(o.attname, a.attname) order by inherited limit 1
    ) s on true
    group by x.indexrelid, x.reltuples, x.relpages, x.bytes, x.fill, x.indrelid, x.relname
)
select w.indexrelid, format('%%I.%%I', n.nspname, w.relname), w.relname,
    1 - (w.reltuples * (8 * ceil((8 + width) / 8) + 4) / (8192 * 0.92 * fill / 100.0) * 8192) / bytes as empty
from wide w join pg_class c on c.oid = w.indexrelid join pg_namespace n on n.oid = c.relnamespace
where known = keys and w.reltuples >= 0 and bytes >= %s order by bytes
"""
# What a rebuild that was cut short leaves behind is named so by the server, and is never valid.
_LEFT = """
select format('%%I.%%I', n.nspname, c.relname), c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where i.indrelid in (select t.relid from unnest(%s::oid[]) p(oid), lateral (
    select relid from pg_partition_tree(p.oid) union select p.oid) t)
and not i.indisvalid and c.relkind = 'i' and c.relname ~ '_cc(new|old)[0-9]*$'
and not exists (select from pg_stat_progress_create_index b where b.relid = i.indrelid)
"""


def rebuilds(connection: Connection, job: Job) -> Sequence[Task]:
    """First what earlier runs left behind goes; then the bloated indexes, the smallest first.

    Raises ConfigError: see `relations`.
    """
    tables = relations(connection, job, job.body["tables"], "rpm")
    oids = [each.oid for each in tables]
    left = connection.execute(_LEFT.encode(), (oids,)).fetchall()
    tasks = [
        Task(f"drop {name}, left by a rebuild that was cut short", f"DROP INDEX CONCURRENTLY {place}", fixed=False)
        for place, name in left
    ]
    least, most = _bytes(job.body.get("larger_than", LARGER_THAN)), job.body.get("bloat", BLOAT)
    for _, place, name, empty in connection.execute(_BLOATED.encode(), (oids, least)).fetchall():
        if float(empty) * 100 >= most:
            what = f"rebuild {name}, of which about {float(empty):.0%} is empty"
            tasks.append(Task(what, f"REINDEX INDEX CONCURRENTLY {place}", fixed=False))
    return tasks


def size_of(connection: Connection, task: Task) -> str:
    """How large the index of a rebuild is; empty for other pieces."""
    match = re.fullmatch(r"REINDEX INDEX CONCURRENTLY (.+)", task.statement)
    if match is None:
        return ""
    row = connection.execute("select pg_size_pretty(pg_relation_size(to_regclass(%s)))", (match[1],)).fetchone()
    return str(row[0]) if row else ""


def _bytes(text: str) -> int:
    number, unit = text.split(" ")
    return int(number) * _BYTES[unit]

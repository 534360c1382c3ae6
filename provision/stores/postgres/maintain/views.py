"""`refresh`: materialized views, beside their readers, each after those that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from provision.errors import ConfigError, raise_all
from provision.model.maintain import Job, Task
from provision.stores.postgres.maintain.names import Relation, relations
from provision.stores.postgres.server import Connection

# A view reads another one also through ordinary views between them.
_READS = """
with recursive reads(view, read) as (
    select r.ev_class, d.refobjid from pg_rewrite r join pg_depend d
        on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where r.ev_class = any(%s) and d.refobjid <> r.ev_class
    union
    select reads.view, d.refobjid from reads join pg_rewrite r on r.ev_class = reads.read join pg_depend d
        on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where d.refobjid <> r.ev_class
)
select distinct view, read from reads where read = any(%s)
"""
_FIT = """
select distinct indrelid from pg_index
where indrelid = any(%s) and indisunique and indisvalid and indimmediate and indpred is null and indexprs is null
"""


def refreshes(connection: Connection, job: Job) -> Sequence[Task]:
    """In the order of what they read.

    Raises ConfigError (no-unique-index; else see `relations`), or Several.
    """
    found = relations(connection, job, job.body, "m")
    oids = [each.oid for each in found]
    fit = {oid for (oid,) in connection.execute(_FIT, (oids,)).fetchall()}
    raise_all([_no_index(job, each) for each in found if each.oid not in fit])
    order: TopologicalSorter[int] = TopologicalSorter({oid: set[int]() for oid in oids})
    for view, read in connection.execute(_READS, (oids, oids)).fetchall():
        order.add(view, read)
    by_oid = {each.oid: each for each in found}
    return [_task(by_oid[oid]) for oid in order.static_order()]


def _task(view: Relation) -> Task:
    statement = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.place}"
    # One that was never filled has no rows to compare with.
    return Task(f"refresh {view.name}", statement, "" if view.filled else f"REFRESH MATERIALIZED VIEW {view.place}")


def _no_index(job: Job, view: Relation) -> ConfigError:
    what = f"{view.name} has no unique index on plain columns: it cannot be refreshed beside its readers"
    fix = f"let a migration CREATE UNIQUE INDEX ON {view.place} (…), without WHERE"
    return ConfigError("no-unique-index", what, where=job.shown, fix=fix)

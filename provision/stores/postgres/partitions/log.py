"""What was taken out of tables: a row in `provision.partition_log` for each window, begun before, done after."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from provision.model.partitions import Bounds, PartitionSet, TableWindows, Window, WindowState
from provision.model.schema import IN_COMMENT
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.partition_log (
    id bigint generated always as identity primary key, project text not null, store text not null,
    "table" text not null, name text not null, relation oid not null, low timestamptz, high timestamptz,
    action text not null, rows bigint, bytes bigint not null, actor text not null,
    begun_at timestamptz not null default now(), done_at timestamptz
);
comment on table provision.partition_log is
    'Windows that were taken out of partitioned tables, by provision; append-only{IN_COMMENT}';
"""
_BEGIN = """
insert into provision.partition_log (project, store, "table", name, relation, low, high, action, rows, bytes, actor)
values (%s, %s, %s, %s, %s::regclass, %s, %s, %s, %s, %s, %s)
"""
_LEFT = """
select l.name, format('%%I.%%I', n.nspname, c.relname), l.low, l.high, l.done_at is null,
    coalesce(p.tuples, c.reltuples, -1),
    coalesce(p.bytes, pg_total_relation_size(c.oid)), coalesce(p.indexes, pg_indexes_size(c.oid))
from provision.partition_log l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
left join lateral (  -- the parts of one that is divided
    select sum(greatest(t.reltuples, 0)) as tuples, sum(pg_total_relation_size(t.oid)) as bytes,
        sum(pg_indexes_size(t.oid)) as indexes
    from pg_partition_tree(c.oid) join pg_class t on t.oid = relid where isleaf
) p on c.relkind = 'p'
where l.project = %s and l.store = %s and l."table" = %s and not c.relispartition
    and l.name in (c.relname, format('%%I.%%I', n.nspname, c.relname)) order by l.id  -- numbers of a dump lie
"""


class RetiredLog:
    """The log of one project's store."""

    def __init__(self, connection: Connection, project: str, store: str) -> None:
        self._connection, self._key = connection, (project, store)

    def begin(self, wanted: PartitionSet, window: Window, found: TableWindows, actor: str) -> None:
        """Say what is about to be done. Raises ConfigError (not-allowed, read-only, …)."""
        own_tables.make(self._connection, "partition_log", _TABLE)
        row = (
            *self._key, found.place, window.name, window.place, window.bounds.start, window.bounds.end,
            str(wanted.on_retire), window.rows, window.bytes, actor,
        )  # fmt: skip
        self._connection.execute(_BEGIN, row)

    def done(self, found: TableWindows, window: Window) -> None:
        """It is done."""
        self._connection.execute(
            'update provision.partition_log set done_at = now() where project = %s and store = %s and "table" = %s'
            " and name = %s and done_at is null",
            (*self._key, found.place, window.name),
        )

    def counted(self, found: TableWindows, window: Window) -> int | None:
        """How many rows the window held when its retirement began, which did not end."""
        try:
            row = self._connection.execute(
                'select rows from provision.partition_log where project = %s and store = %s and "table" = %s'
                " and name = %s and done_at is null order by id limit 1",
                (*self._key, found.place, window.name),
            ).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None  # begun by hand
        return row[0] if row is not None else None

    def kept(self, found: TableWindows, window: Window) -> None:
        """It is out of the table, and stays beside it."""
        self._connection.execute(
            "update provision.partition_log set action = 'detach' where project = %s and store = %s"
            ' and "table" = %s and name = %s and done_at is null',
            (*self._key, found.place, window.name),
        )
        self.done(found, window)

    def left(self, place: str) -> list[Window]:
        """The windows that are out of the table and still there, retired or by an earlier run half retired."""
        try:
            rows = self._connection.execute(_LEFT, (*self._key, place)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
            return []
        return [_window(row) for row in rows]


def _window(row: tuple[object, ...]) -> Window:
    name, place, low, high, begun, rows, total, indexes = row
    return Window(
        name=str(name),
        bounds=Bounds(_utc(low), _utc(high)),
        place=str(place),
        rows=int(tuples) if (tuples := float(str(rows))) >= 0 else None,
        bytes=int(str(total)),
        index_bytes=int(str(indexes)),
        state=WindowState.RETIRING if begun else WindowState.RETIRED,
    )


def _utc(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None

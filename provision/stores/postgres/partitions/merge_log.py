"""What a merge of windows keeps while it runs: its row in `provision.partition_merge`, and what changes meanwhile.

Nothing of it outlives the merge but the row. Whoever kills a run leaves the row, the new table beside the others, and
triggers that note the moments of changed rows: the next run goes on from there, or takes it all away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from provision.model.partitions import Bounds, TableWindows, Window
from provision.model.schema import IN_COMMENT
from provision.stores.postgres import own_tables
from provision.stores.postgres.server import Connection

_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.partition_merge (
    id bigint generated always as identity primary key, project text not null, store text not null,
    "table" text not null, name text not null, relation oid not null, low timestamptz not null,
    high timestamptz not null, parts oid[] not null, copied oid[] not null default '{{}}', actor text not null,
    begun_at timestamptz not null default now(), done_at timestamptz
);
comment on table provision.partition_merge is
    'Windows of partitioned tables that were merged into coarser ones, by provision{IN_COMMENT}';
"""
_OPEN = """
select m.id, m.name, m.low, m.high, m.parts, m.copied,
    case when c.oid is not null then format('%%I.%%I', n.nspname, c.relname) end
from provision.partition_merge m
left join pg_class c on c.oid = m.relation and c.relname = m.name and not c.relispartition  -- numbers of a dump lie
left join pg_namespace n on n.oid = c.relnamespace
where m.project = %s and m.store = %s and m."table" = %s and m.done_at is null order by m.id
"""
_INSERT = """
insert into provision.partition_merge (project, store, "table", name, relation, low, high, parts, actor)
values (%s, %s, %s, %s, %s::regclass, %s, %s,
    (select array_agg(part::regclass::oid) from unnest(%s::text[]) as part), %s) returning id
"""


class Merge(NamedTuple):
    """A merge that began and did not end: `place` of the new table, None once somebody dropped it."""

    id: int
    name: str
    bounds: Bounds
    parts: tuple[int, ...]
    copied: tuple[int, ...]
    place: str | None

    @property
    def changes(self) -> str:
        """The table of moments whose rows changed since the copies began."""
        return f"provision.partition_merge_{self.id}"


class MergeLog:
    """The merges of one project's store."""

    def __init__(self, connection: Connection, project: str, store: str) -> None:
        self._connection, self._key = connection, (project, store)

    def open(self, found: TableWindows) -> list[Merge]:
        """The merges of a table that did not end."""
        try:
            rows = self._connection.execute(_OPEN, (*self._key, found.place)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
            return []
        return [Merge(row[0], row[1], Bounds(row[2], row[3]), tuple(row[4]), tuple(row[5]), row[6]) for row in rows]

    def prepare(self) -> None:
        """Make the table. Raises ConfigError (not-allowed, read-only, …)."""
        own_tables.make(self._connection, "partition_merge", _TABLE)

    def begun(
        self, found: TableWindows, name: str, place: str, bounds: Bounds, parts: Sequence[Window], actor: str
    ) -> int:
        """Note it, in the caller's transaction; its number."""
        places = [each.place for each in parts]
        row = (*self._key, found.place, name, place, *bounds, places, actor)
        [made] = self._connection.execute(_INSERT, row).fetchall()
        return int(made[0])


def watching(merge: int, column: str, type_: str, parts: Sequence[str]) -> list[str]:
    """The statements that note which moments of the parts change from now on, whoever changes them.

    A moment of null says that a part was emptied. The function is the owner's: writers need no right of their own.
    """
    changes = f"provision.partition_merge_{merge}"
    noted = f"insert into {changes} (at) values"
    return [
        f"create table {changes} (id bigint generated always as identity primary key, at {type_})",
        f"create function {changes}() returns trigger language plpgsql security definer set search_path = '' as $watch$"
        f" begin if tg_op = 'TRUNCATE' then {noted} (null); return null; end if;"
        f" if tg_op <> 'INSERT' then {noted} (old.{column}); end if;"
        f" if tg_op <> 'DELETE' then {noted} (new.{column}); end if; return null; end $watch$",
        *(each for part in parts for each in _triggers(merge, changes, part)),
    ]


def _triggers(merge: int, changes: str, part: str) -> list[str]:
    """Always: rows that a subscription brings are rows too."""
    name = f"provision_merge_{merge}"
    return [
        f"create trigger {name} after insert or update or delete on {part} for each row execute function {changes}()",
        f"create trigger {name}_all after truncate on {part} for each statement execute function {changes}()",
        f"alter table {part} enable always trigger {name}",
        f"alter table {part} enable always trigger {name}_all",
    ]


def unwatched(merge: Merge) -> list[str]:
    """The statements that take triggers, function and noted moments away."""
    return [f"drop function if exists {merge.changes}() cascade", f"drop table if exists {merge.changes}"]

"""What is in the database, and which of it a statement would take: by oid, so that a rename hides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.stores.postgres.migrate.losses.loss import UNREAD, Loss, Name, Takes
from provision.stores.postgres.migrate.version_table import DEFAULTS
from provision.stores.postgres.server import Connection

# Neither what an extension keeps for itself, nor provision's ledger, nor Alembic's version table is content.
CONTENT = """
select 'r', c.oid::int8, c.relnatts::int4 from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'S') and c.relpersistence <> 't' and left(n.nspname, 3) <> 'pg_'
  and n.nspname not in ('information_schema', 'provision')
  and not (c.relname = %(table)s and n.nspname = coalesce(%(schema)s::text, n.nspname))
  and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
union all select 'd', oid::int8, 0 from pg_database
union all select 'l', 0, 0 where exists (select from pg_largeobject_metadata)
"""
# Partitions, children and what a view shows go with what was named; so does what refers to it, where that cascades.
_TARGETS = """
with recursive item as (
  select (e->>0)::int as i, e->>1 as takes, e->>2 as name, e->>3 as plain, e->>4 as col, (e->>5)::bool as alone,
         (e->>6)::bool as cascades
  from json_array_elements(convert_from(decode('{items}', 'hex'), 'UTF8')::json) as e
), edge(parent, child, how) as (
  select inhparent, inhrelid, 'part' from pg_inherits
  union all select confrelid, conrelid, case confdeltype when 'c' then 'cascade' else 'refer' end
            from pg_constraint where contype = 'f'
  union all select r.ev_class, d.refobjid, 'view' from pg_rewrite r join pg_depend d
            on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
), tree(i, takes, col, alone, cascades, oid) as (
  select i, takes, col, alone, cascades, to_regclass(name)::oid from item
  where takes in ('table', 'column', 'rows', 'every row', 'sequence')
  union
  select t.i, t.takes, t.col, t.alone, t.cascades, e.child from tree t join edge e on e.parent = t.oid
  where case e.how when 'part' then not t.alone
                   when 'view' then t.takes = 'rows'
                   when 'cascade' then t.takes = 'rows' or t.cascades
                   else t.cascades end
), need(i, class, oid, part) as (
  (select i, 'pg_type'::regclass::oid, to_regtype(name)::oid, 0 from item where takes = 'type'
   union all select i, 'pg_collation'::regclass::oid, to_regcollation(name)::oid, 0 from item where takes = 'collation'
   union all select i, 'pg_extension'::regclass::oid, e.oid, 0 from item join pg_extension e on e.extname = plain
             where takes = 'extension'
   union all select i, 'pg_am'::regclass::oid, a.oid, 0 from item join pg_am a on a.amname = plain
             where takes = 'access method')
  union
  select n.i, d.classid, d.objid, d.objsubid from need n join pg_depend d
  on d.refclassid = n.class and d.refobjid = n.oid and n.class <> 'pg_class'::regclass
)
select t.i, 'r', t.oid::int8, coalesce(a.attnum, 0)::int4 from tree t
left join pg_attribute a on t.takes = 'column' and a.attrelid = t.oid and a.attname = t.col and not a.attisdropped
where t.oid is not null and (t.takes <> 'column' or a.attnum is not null)
union all select i, 'r', oid::int8, part from need where class = 'pg_class'::regclass
union all select i, 'r', c.oid::int8, 0 from item join pg_class c on c.relnamespace = to_regnamespace(name)::oid
          where takes = 'schema'
union all select i, 'r', c.oid::int8, 0 from item join pg_roles r
          on r.rolname = case when plain in ('current_user', 'current_role') then current_user
                              when plain = 'session_user' then session_user else plain end
          join pg_class c on c.relowner = r.oid where takes = 'owned'
union all select i, 'd', d.oid::int8, 0 from item join pg_database d on d.datname = plain where takes = 'database'
"""


@dataclass(frozen=True, slots=True)
class DatabaseContent:
    """What a database held at some time: table or sequence → its number of columns, dropped ones counted too."""

    relations: Mapping[int, int] = field(default_factory=dict)
    databases: frozenset[int] = frozenset()
    large_objects: bool = False

    def holds(self, what: str, oid: int, column: int) -> bool:
        """Whether this was there; columns are numbered in the order in which they were made."""
        if what == "d":
            return oid in self.databases
        return oid in self.relations and column <= self.relations[oid]


def found(connection: Connection, version_table: Mapping[str, str]) -> DatabaseContent:
    """What is there now but for the version table, whose name and schema are given as env.py or provision.toml do."""
    name = version_table.get("version_table") or DEFAULTS["version_table"]
    names = {"table": name, "schema": version_table.get("version_table_schema")}
    listed = connection.execute(CONTENT, names).fetchall()
    return DatabaseContent(
        {oid: columns for what, oid, columns in listed if what == "r"},
        frozenset(oid for what, oid, _ in listed if what == "d"),
        any(what == "l" for what, _, _ in listed),
    )


def question(losses: Sequence[Loss]) -> str:
    """The query that finds what each loss would take: place in `losses`, sort, oid, column.

    Names go in as hexadecimal digits, so that no driver and no setting of the server reads them in its own way.
    """
    items = [
        (place, each.takes, _quoted(each.name), each.name[-1], each.column, each.only, each.cascade)
        for place, each in enumerate(losses)
        if each.name and each.readable
    ]
    return _TARGETS.format(items=json.dumps(items).encode().hex())


def taken(losses: Sequence[Loss], rows: Iterable[Sequence[Any]], before: DatabaseContent) -> list[Loss]:
    """The losses that take something which was there before; one whose name cannot be read takes what there was."""
    hit = {place for place, what, oid, column in rows if before.holds(what, oid, column)}
    return [each for place, each in enumerate(losses) if place in hit or _takes_any(each, before)]


def _takes_any(loss: Loss, before: DatabaseContent) -> bool:
    if loss.takes is Takes.LARGE_OBJECTS:
        return before.large_objects
    return not loss.readable and (loss.takes is Takes.DATABASE or bool(before.relations))


def _quoted(name: Name) -> str:
    return ".".join('"{}"'.format(part.replace('"', '""')) for part in name if UNREAD not in part)

"""Why a table cannot be converted: everything that would be lost or refused, before anything happens."""

from __future__ import annotations

from provision.model.partitions import PartitionSet
from provision.stores.postgres.partitions.look import TYPES
from provision.stores.postgres.partitions.parts import refused
from provision.stores.postgres.server import Connection

_TABLE = """
select c.relkind::text, c.relpersistence::text, c.reloftype <> 0, c.relispartition or c.relhassubclass or exists (
    select from pg_inherits where inhrelid = c.oid), a.attnum, format_type(a.atttypid, null), a.attnotnull
from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attname = %(column)s and not a.attisdropped
where c.oid = %(table)s::regclass
"""
_WHY = """
select format('%%s is unique without %%I: a partitioned table needs it in every unique index', i.indexrelid::regclass,
    %(column)s::text) from pg_index i
where i.indrelid = %(table)s::regclass and i.indisunique and not exists (
    select from unnest(i.indkey::int2[]) with ordinality k(number, place) join pg_attribute a
        on a.attrelid = i.indrelid and a.attnum = k.number
    where a.attname = %(column)s and k.place <= i.indnkeyatts)
union all select format('index %%s is not valid: REINDEX or drop it', indexrelid::regclass) from pg_index
where indrelid = %(table)s::regclass and not indisvalid
union all select format('constraint %%I excludes rows, which no partitioned table of this server can', conname)
from pg_constraint where conrelid = %(table)s::regclass and contype = 'x'
union all select format('constraint %%I is NO INHERIT', conname) from pg_constraint
where conrelid = %(table)s::regclass and contype = 'c' and connoinherit
union all select format('constraint %%I is not valid: ALTER TABLE … VALIDATE CONSTRAINT first', conname)
from pg_constraint where not convalidated
    and (conrelid = %(table)s::regclass and contype in ('c', 'f') or confrelid = %(table)s::regclass)
    and conname <> 'provision_convert'
union all select format('%%I is a foreign key of the table to itself', conname) from pg_constraint
where conrelid = %(table)s::regclass and confrelid = conrelid
union all select format('%%s, which is partitioned, names it by the foreign key %%I', conrelid::regclass, conname)
from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.confrelid = %(table)s::regclass and k.contype = 'f' and c.relkind = 'p'
union all select format('trigger %%I has a transition table', tgname) from pg_trigger
where tgrelid = %(table)s::regclass and tgtype & 1 = 1 and (tgnewtable is not null or tgoldtable is not null)
union all select format('rule %%I rewrites what is sent to it', rulename) from pg_rewrite
where ev_class = %(table)s::regclass
union all select format('publication %%I would send rows under the name of their window: '
    'SET (publish_via_partition_root = true) first', p.pubname) from pg_publication p
where not p.pubviaroot and (p.puballtables or exists (
    select from pg_publication_rel where prpubid = p.oid and prrelid = %(table)s::regclass))
union all select format('publication %%I sends only some of its rows or columns', p.pubname)
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = %(table)s::regclass
    and (to_jsonb(r) ->> 'prqual' is not null or to_jsonb(r) ->> 'prattrs' is not null)
union all select distinct format('%%s reads it, and would go on with the old rows alone',
    coalesce('materialized view ' || v.oid::regclass, pg_describe_object(d.classid, d.objid, 0)))
from pg_depend d left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_class v on v.oid = r.ev_class
where d.refclassid = 'pg_class'::regclass and d.refobjid = %(table)s::regclass and d.deptype = 'n'
    and (d.classid in ('pg_proc'::regclass, 'pg_policy'::regclass) or v.relkind = 'm')
    and not exists (select from pg_policy where oid = d.objid and polrelid = %(table)s::regclass)
union all select format('%%s is made of its row type', pg_describe_object(d.classid, d.objid, d.objsubid))
from pg_depend d join pg_class c on c.oid = %(table)s::regclass and d.refobjid = c.reltype
where d.refclassid = 'pg_type'::regclass and d.deptype = 'n'
"""


def hindrances(connection: Connection, wanted: PartitionSet, place: str) -> list[str]:
    """Each in a sentence; empty where the table can be converted."""
    asked = {"table": place, "column": wanted.column}
    [(kind, persistence, typed, inherits, number, type_, _)] = connection.execute(_TABLE, asked).fetchall()
    found = []
    if kind != "r" or persistence != "p" or typed:
        found.append("it is no ordinary table")
    if inherits:
        found.append("it inherits, or is inherited from")
    if number is None:
        return [*found, f"it has no column {wanted.column}"]
    if type_ not in TYPES:
        found.append(f"its column {wanted.column} is of type {type_}, and not timestamptz, timestamp or date")
    [(table,)] = connection.execute("select %s::regclass::oid", (place,)).fetchall()
    if (divided := refused(connection, wanted, table)) is not None:
        found.append(divided.what)
    return [*found, *(row[0] for row in connection.execute(_WHY, asked).fetchall())]

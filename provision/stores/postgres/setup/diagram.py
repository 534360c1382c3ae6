"""The tables of a PostgreSQL database and their foreign keys, for a diagram. Partitions are left out."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.model.diagram import Diagram, DiagramColumn, DiagramReference, DiagramTable
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.server import connect

_SHOWN = """
c.relkind in ('r', 'p', 'f') and not c.relispartition and n.nspname !~ '^pg_'
and n.nspname not in ('information_schema', 'provision') and c.oid is distinct from to_regclass(%(own)s)
and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
"""
_NAME = "case {n}.nspname when 'public' then {c}.relname else {n}.nspname || '.' || {c}.relname end"
_COLUMNS = f"""
select {_NAME.format(n="n", c="c")}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    array(select distinct k.contype::text from pg_constraint k
        where k.conrelid = c.oid and a.attnum = any(k.conkey) and k.contype in ('p', 'u', 'f'))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where {_SHOWN} order by 1, a.attnum
"""
_REFERENCES = f"""
select {_NAME.format(n="n", c="c")}, {_NAME.format(n="pn", c="p")}, k.conname,
    not (select bool_and(a.attnotnull) from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey)),
    exists (select from pg_constraint u where u.conrelid = c.oid and u.contype in ('p', 'u') and u.conkey <@ k.conkey)
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
where k.contype = 'f' and k.conparentid = 0 and {_SHOWN} order by 1, 3
"""
_MARKS = {"p": "PK", "f": "FK", "u": "UK"}


def drawn(options: StoreOptions, url: str) -> Diagram:
    """Every table that a revision can make, and what it refers to. Reads only. Raises UnreachableError, ConfigError."""
    stated = version_table(options)
    own = f"{stated.get('version_table_schema', 'public')}.{stated.get('version_table', 'alembic_version')}"
    with connect(url, options.name) as connection:
        connection.execute("set search_path = pg_catalog")
        rows = connection.execute(_COLUMNS.encode(), {"own": own}).fetchall()
        references = connection.execute(_REFERENCES.encode(), {"own": own}).fetchall()
    tables: dict[str, list[DiagramColumn]] = {}
    for table, name, type, required, kinds in rows:
        columns = tables.setdefault(table, [])
        if name is not None:
            marks = tuple(mark for kind, mark in _MARKS.items() if kind in kinds)
            columns.append(DiagramColumn(name, type, required, marks))
    made = (DiagramTable(name, tuple(columns)) for name, columns in tables.items())
    return Diagram(tuple(made), tuple(DiagramReference(*each) for each in references))

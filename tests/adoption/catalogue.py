"""All that migrations leave in a PostgreSQL database, as texts to compare; provision's own schema is left out."""

from __future__ import annotations

import psycopg
from psycopg import sql

_SCHEMAS = "not in ('pg_catalog', 'information_schema', 'pg_toast', 'provision')"
_ASKED = {
    "columns": f"""
        select concat_ws(' ', table_schema, table_name, ordinal_position, column_name, udt_schema, udt_name, data_type,
            character_maximum_length, numeric_precision, numeric_scale, datetime_precision, is_nullable,
            column_default, is_identity, identity_generation, is_generated, generation_expression, collation_name)
        from information_schema.columns where table_schema {_SCHEMAS}""",
    "constraints": f"""
        select concat_ws(' ', n.nspname, c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
        from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname {_SCHEMAS}""",
    "indexes": f"""
        select concat_ws(' ', i.indrelid::regclass, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname {_SCHEMAS}""",
    "relations": f"""
        select concat_ws(' ', n.nspname, c.relkind, c.relname, obj_description(c.oid, 'pg_class'), c.reloptions)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname {_SCHEMAS}""",
    "enums": f"""
        select concat_ws(' ', n.nspname, t.typname, string_agg(e.enumlabel, ',' order by e.enumsortorder))
        from pg_enum e join pg_type t on t.oid = e.enumtypid join pg_namespace n on n.oid = t.typnamespace
        where n.nspname {_SCHEMAS} group by n.nspname, t.typname""",
    "views": f"select concat_ws(' ', schemaname, viewname, definition) from pg_views where schemaname {_SCHEMAS}",
    "triggers": "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "functions": f"""
        select concat_ws(' ', n.nspname, pg_get_functiondef(p.oid)) from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace where n.nspname {_SCHEMAS} and p.prokind in ('f', 'p')""",
    "extensions": "select extname from pg_extension",
}


def left(url: str) -> dict[str, list[str]]:
    """What is there, by kind: lists of texts, sorted; `rows` has the number of rows of each table."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = {kind: sorted(str(row[0]) for row in connection.execute(asked)) for kind, asked in _ASKED.items()}
        tables = connection.execute(
            f"select schemaname, tablename from pg_tables where schemaname {_SCHEMAS} order by 1, 2"
        ).fetchall()
        counted = sql.SQL("select count(*) from {}")
        found["rows"] = [
            f"{table} {connection.execute(counted.format(sql.Identifier(schema, table))).fetchone()}"
            for schema, table in tables
        ]
    return found


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """What is in one of them alone: `-` in the first, `+` in the second."""
    lines = []
    for kind in one:
        lines += [f"- {kind}: {each}" for each in sorted(set(one[kind]) - set(other[kind]))]
        lines += [f"+ {kind}: {each}" for each in sorted(set(other[kind]) - set(one[kind]))]
    return lines

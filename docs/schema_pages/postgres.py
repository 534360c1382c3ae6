"""Reads the PostgreSQL schema `public`: what the revisions made, leaf partitions and Alembic's own table left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg

from .model import Column, Reference, Relation, Routine

_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view"}
_TITLES = {"p": "Keys", "u": "Keys", "f": "Foreign keys", "c": "Checks", "x": "Keys"}
_RELATIONS = """
SELECT c.oid, c.relname, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''), c.relrowsecurity,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND c.relname <> 'alembic_version'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(col_description(a.attrelid, a.attnum), '')
FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
# Contype n: what PostgreSQL 18 keeps for NOT NULL, which the columns say already.
_CONSTRAINTS = """
SELECT conrelid, conname, contype::text, conkey, pg_get_constraintdef(oid, true), confrelid
FROM pg_constraint WHERE conrelid = ANY (%s) AND contype IN ('p', 'u', 'f', 'c', 'x') AND conparentid = 0
ORDER BY conrelid, strpos('pufcx', contype::text), conname COLLATE "C"
"""
_INDEXES = """
SELECT i.indrelid, c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY (%s) AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname COLLATE "C"
"""
_TRIGGERS = """
SELECT tgrelid, tgname, regexp_replace(pg_get_triggerdef(oid, true), '^CREATE (CONSTRAINT )?TRIGGER \\S+ ', '')
FROM pg_trigger WHERE tgrelid = ANY (%s) AND NOT tgisinternal ORDER BY tgrelid, tgname COLLATE "C"
"""
_POLICIES = """
SELECT polrelid, polname, concat_ws(' ', 'for', CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
       WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'all' END,
       'using ' || pg_get_expr(polqual, polrelid, true), 'with check ' || pg_get_expr(polwithcheck, polrelid, true))
FROM pg_policy WHERE polrelid = ANY (%s) ORDER BY polrelid, polname COLLATE "C"
"""
_ROUTINES = """
SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ')', coalesce(pg_get_function_result(p.oid), ''),
       coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
ORDER BY p.proname COLLATE "C", 1
"""


def read(url: str) -> tuple[Sequence[Relation], Sequence[Routine]]:
    """Every relation and function, by name. Raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = public")
        found = connection.execute(_RELATIONS).fetchall()
        oids = [row[0] for row in found]
        names = {row[0]: row[1] for row in found}
        read_all = {
            each: _by_relation(connection, each, oids)
            for each in (_COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES)
        }
        routines = [Routine(*row) for row in connection.execute(_ROUTINES).fetchall()]
    relations = [_relation(row, {query: rows[row[0]] for query, rows in read_all.items()}, names) for row in found]
    return relations, routines


def _by_relation(connection: psycopg.Connection, query: str, oids: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *rest in connection.execute(query.encode(), [oids]).fetchall():
        grouped[oid].append(tuple(rest))
    return grouped


def _relation(row: tuple[Any, ...], of: dict[str, list[tuple[Any, ...]]], names: dict[int, str]) -> Relation:
    _oid, name, kind, comment, secured, partition_key = row
    marks: dict[int, list[str]] = defaultdict(list)
    titled: dict[str, list[tuple[str, str]]] = defaultdict(list)
    nullable = {number: null for number, _name, _type, null, _default, _comment in of[_COLUMNS]}
    references = []
    for constraint, type_, columns, text, parent in of[_CONSTRAINTS]:
        titled[_TITLES[type_]].append((constraint, text))
        for column in columns or () if type_ in "puf" else ():
            mark = {"p": "PK", "u": "UK", "f": "FK"}[type_]
            if mark not in marks[column]:
                marks[column].append(mark)
        if type_ == "f":
            optional = any(nullable[column] for column in columns)
            references.append(Reference(name, names[parent], constraint, optional))
    titled["Indexes"] = [(index, text.split(" USING ", 1)[1]) for index, text in of[_INDEXES]]
    titled["Triggers"], titled["Row security"] = of[_TRIGGERS], of[_POLICIES]
    facts = [f"Partitioned by {partition_key}, windows left out here."] if partition_key else []
    facts += ["Row security is on: a session sees the rows of its `app.tenant`."] if secured else []
    columns = [
        Column(column, type_, null, default, told, tuple(marks[number]))
        for number, column, type_, null, default, told in of[_COLUMNS]
    ]
    parts = [(title, entries) for title, entries in titled.items() if entries]
    return Relation(name, _KINDS[kind], comment, columns, facts, parts, references)

"""The diagram of the shipped database has every table and every foreign key of it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from provision.cli.render.schema_graph import dot, mermaid
from provision.model import StoreOptions
from provision.stores.postgres.setup.diagram import drawn

from .servers import Server

OPTIONS = StoreOptions("postgres", "postgres", "vfr", Path(), Path())
TABLES = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^(pg_|information_schema|provision)' and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'alembic_version'
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""
KEYS = """
select count(*) from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.contype = 'f' and k.conparentid = 0 and not c.relispartition
"""


def test_every_table_and_foreign_key_of_the_shipped_database_is_drawn(head: psycopg.Connection, server: Server) -> None:
    found = drawn(OPTIONS, server.url("head"))

    counts = [head.execute(query.encode()).fetchone() for query in (TABLES, KEYS)]
    assert counts == [(len(found.tables),), (len(found.references),)]
    assert len(found.references) > 10
    names = {each.name for each in found.tables}
    assert {name for each in found.references for name in (each.child, each.parent)} <= names
    lines = list(mermaid({"postgres": found}))
    assert sum(" : " in line for line in lines) == len(found.references)
    assert sum(line.endswith(" {") for line in lines) == len(names)
    assert sum(" -> " in line for line in dot("vfr", {"postgres": found})) == len(found.references)

"""What a ClickHouse database is made of: its tables and views, and the functions of the server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from clickhouse_migrations.defaults import MIGRATIONS_TABLE

from provision.model import StoreOptions
from provision.ports.kind import Objects
from provision.stores.clickhouse.server import Client

_TABLES = """
SELECT name, engine, create_table_query FROM system.tables
WHERE database = {database:String} AND NOT is_temporary AND name NOT LIKE '.inner%' AND name NOT LIKE 'provision\\_%'
"""
_FUNCTIONS = "SELECT name, create_query FROM system.functions WHERE origin = 'SQLUserDefined'"
_MADE = re.compile(r" UUID '[0-9a-f-]+'| TO INNER UUID '[0-9a-f-]+'")


def taken(options: StoreOptions, url: str) -> Objects:
    """Every object that a revision can make, by kind and name. Raises UnreachableError, ConfigError."""
    parts = urlsplit(url)
    database = parts.path.strip("/") or "default"
    client = Client(parts._replace(path="/default").geturl(), options.name)
    try:
        tables = client.rows(_TABLES, {"database": database})
        functions = client.rows(_FUNCTIONS)
    finally:
        client.close()
    own = str(options.extra.get("version_table", MIGRATIONS_TABLE))
    found = {f"{_kind(engine)} {name}": _MADE.sub("", text) for name, engine, text in tables if name != own}
    found |= {f"function {name}": str(text) for name, text in functions}
    return {name: anywhere(found[name], database) for name in sorted(found)}


def anywhere(text: str, database: str) -> str:
    """The statement without the name of the database, which is another wherever it is made.

    Of texts in quotes only the dictionary of a `dictGet` is an object; others may have that name in them as well.
    """
    name = rf"`?{re.escape(database)}`?\."
    parts = rf"(\bdict\w*\(')(?:{name})?([^'\\]*')|('(?:[^'\\]|\\.)*')|(?<![\w`]){name}"
    return re.sub(parts, lambda found: "".join(each or "" for each in found.groups()), text, flags=re.DOTALL)


def _kind(engine: str) -> str:
    return {"View": "view", "MaterializedView": "materialized view", "Dictionary": "dictionary"}.get(engine, "table")

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
    # The database has another name wherever it is made.
    plain = {name: re.sub(rf"(?<![\w`])`?{re.escape(database)}`?\.", "", text) for name, text in found.items()}
    return dict(sorted(plain.items()))


def _kind(engine: str) -> str:
    return {"View": "view", "MaterializedView": "materialized view", "Dictionary": "dictionary"}.get(engine, "table")

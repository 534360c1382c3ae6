"""Reads the ClickHouse database of the url: what the migrations made, ledgers left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import clickhouse_connect

from .model import Column, Reference, Relation

Rows = Sequence[Sequence[Any]]
_TABLES = """
SELECT name, engine, engine_full, create_table_query, as_select, comment FROM system.tables
WHERE database = currentDatabase() AND name NOT IN ('provision_ledger', 'schema_versions') AND NOT is_temporary
ORDER BY name
"""
_COLUMNS = """
SELECT table, name, type, default_kind, default_expression, comment, is_in_sorting_key FROM system.columns
WHERE database = currentDatabase() ORDER BY table, position
"""
_INDEXES = """
SELECT table, name, expr, type_full, granularity FROM system.data_skipping_indices
WHERE database = currentDatabase() ORDER BY table, name
"""
_FED = re.compile(r"^CREATE MATERIALIZED VIEW \S+ TO \S*?\.?`?(\w+)`?[ (]")


def read(url: str) -> Sequence[Relation]:
    """Every table and view, by name. Raises clickhouse_connect.driver.exceptions.Error."""
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        columns, indexes = client.query(_COLUMNS).result_rows, client.query(_INDEXES).result_rows
        return [_relation(row, columns, indexes) for row in client.query(_TABLES).result_rows]


def _relation(row: Sequence[str], columns: Rows, indexes: Rows) -> Relation:
    name, engine, engine_full, created, selected, comment = row
    listed = [
        Column(
            each[1], each[2], each[2].startswith("Nullable("), _default(each[3], each[4]), each[5], ("PK",) * each[6]
        )
        for each in columns
        if each[0] == name
    ]
    parts = [
        ("Constraints", list(_constraints(created))),
        ("Skip indexes", [(i[1], f"({i[2]}) TYPE {i[3]} GRANULARITY {i[4]}") for i in indexes if i[0] == name]),
    ]
    fed = _FED.match(created)
    source = re.search(r"\bFROM (?:\S+\.)?`?(\w+)`?", selected)
    facts = [f"Engine: `{engine_full}`."] if "View" not in engine else []
    facts += [f"Writes into `{fed[1]}`, for each insert into `{source[1]}`."] if fed and source else []
    reference = [Reference(fed[1], source[1], name)] if fed and source else []
    kind = {"View": "view", "MaterializedView": "materialized view"}.get(engine, "table")
    return Relation(name, kind, comment, listed, facts, [each for each in parts if each[1]], reference)


def _default(kind: str, expression: str) -> str:
    return expression if kind in ("", "DEFAULT") else f"{kind} {expression}"


def _constraints(created: str) -> Iterator[tuple[str, str]]:
    """Name and text of each constraint; a text ends with the comma or bracket outside of its own brackets."""
    for found in re.finditer(r"CONSTRAINT (\w+) CHECK ", created):
        depth, quoted = 0, False
        for place in range(found.end(), len(created)):
            letter = created[place]
            quoted ^= letter == "'"
            depth += 0 if quoted else (letter == "(") - (letter == ")")
            if depth < 0 or (depth == 0 and letter == "," and not quoted):
                yield found[1], created[found.end() : place]
                break

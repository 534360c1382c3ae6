"""Whether an INSERT that carries a deduplication token may be sent again."""

from __future__ import annotations

import re
from typing import NamedTuple

from provision.stores.clickhouse.migrate.parse.tokens import Name, depths, literal, name_at, tokens
from provision.stores.clickhouse.migrate.probe.picture import PictureReader

_LOCAL = re.compile(r"\bENGINE = \w*MergeTree\b")
_REPLICATED = re.compile(r"\bENGINE = (?:Replicated|Shared)\w*MergeTree\b")


class _Table(NamedTuple):
    definition: str
    views: list[Name]


def repeatable(connection: PictureReader, target: Name, text: str) -> tuple[bool, str]:
    """Whether the server drops what an INSERT into `target` would repeat, and why, in words."""
    if not _stable(text):
        # ClickHouse 26.9, 2.8 million rows sent twice with one token: 3.9 million stored without ORDER BY ALL, 2.8
        # with it. The token is per block, and the blocks differ.
        return False, f"the rows for {target} come in no fixed order (ORDER BY ALL), so a second run could double them"
    seen: set[Name] = set()
    waiting = [target]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        table = _table(connection, name)
        if table is None:
            return False, f"{name} does not exist"
        if not _window(connection, table.definition):
            return False, f"{name} keeps no deduplication window, so a second run could double rows"
        waiting += [_fed(connection, view) for view in table.views]
    return True, f"{target} and every table fed from it drop what they have already taken"


def _stable(text: str) -> bool:
    """Whether every run sends the same blocks: VALUES, or a SELECT that ends in ORDER BY ALL."""
    words = tokens(text)
    heads = [token.word() for token, depth in zip(words, depths(words), strict=True) if depth == 0]
    if "SELECT" not in heads and "WITH" not in heads:
        return "VALUES" in heads
    _, found, rest = " ".join(heads).rpartition("ORDER BY ALL")
    return bool(found) and "SELECT" not in rest


def _table(connection: PictureReader, name: Name) -> _Table | None:
    place = f"FROM system.tables WHERE database = {literal(name.database)} AND name = {literal(name.name)}"
    rows = connection.rows(f"SELECT create_table_query {place}")
    if not rows:
        return None
    views = connection.rows(
        "SELECT view.1, view.2 FROM"
        f" (SELECT arrayJoin(arrayZip(dependencies_database, dependencies_table)) AS view {place})"
    )
    return _Table(str(rows[0][0]), [Name(str(database), str(view)) for database, view in views])


def _fed(connection: PictureReader, view: Name) -> Name:
    """The table a materialized view writes to: its TO table, or the view itself, whose definition holds the engine."""
    table = _table(connection, view)
    words = tokens(table.definition) if table else []
    for index, token in enumerate(words[:8]):
        if token.word() == "TO" and (target := name_at(words, index + 1)):
            return target[0]
    return view


def _window(connection: PictureReader, definition: str) -> bool:
    """Whether a table with this definition remembers blocks: its own setting, else the server's default."""
    if not _LOCAL.search(definition):
        return False
    setting = ("" if _REPLICATED.search(definition) else "non_") + "replicated_deduplication_window"
    own = re.search(rf"(?<!\w){setting} = (\d+)", definition)
    if own:
        return int(own.group(1)) > 0
    rows = connection.rows(f"SELECT value FROM system.merge_tree_settings WHERE name = '{setting}'")
    return bool(rows) and int(str(rows[0][0])) > 0

"""Streams of tables: rows with a group key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
# The order in which columns are shown where nothing else decides.
_FIRST = ("_start", "_stop", "_time", "_value", "_field", "_measurement")


@dataclass(slots=True)
class Table:
    """`key` names the columns by which the rows are grouped; each row has the same value there."""

    key: tuple[str, ...]
    rows: list[Row]

    def columns(self) -> list[str]:
        found = {name: None for row in self.rows for name in row}
        first = [name for name in _FIRST if name in found]
        return [*first, *sorted(name for name in found if name not in _FIRST)]

    def group(self) -> Row:
        return {name: self.rows[0].get(name) for name in self.key} if self.rows else {}


Stream = list[Table]


def regrouped(rows: Iterable[tuple[tuple[str, ...], Row]]) -> Stream:
    """Tables of rows, each with the names of its group key; a name that the row lacks does not group."""
    found: dict[str, Table] = {}
    for names, row in rows:
        key = tuple(sorted(name for name in names if name in row))
        place = json.dumps([[name, repr(row[name])] for name in key])
        found.setdefault(place, Table(key, [])).rows.append(row)
    return list(found.values())


def each_row(stream: Stream, change: Callable[[Row], Row]) -> Stream:
    """Every row changed, grouped anew by what is left of its key."""
    return regrouped((table.key, change(row)) for table in stream for row in table.rows)

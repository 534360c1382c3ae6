"""The edge that a row of another store comes to: templates such as `nodes/{name}` filled with its columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provision.model.backfills import Backfill, SourceRow
from provision.stores.arango.migrate.name_rules import illegal_key

_COLUMN = re.compile(r"\{([^{}]+)\}")
ENDS = ("_from", "_to")


class Unfit(Exception):
    """Raised for a row that no edge can be made of; its text says why."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge as it is sent, and the attributes that the vertices at its ends must have."""

    document: Mapping[str, Any]
    ends: Mapping[str, Any]

    @property
    def key(self) -> str:
        return str(self.document["_key"])

    @property
    def vertices(self) -> tuple[str, ...]:
        """The ids of both."""
        return tuple(str(self.document[end]) for end in ENDS)


class Pattern:
    """The templates of a backfill."""

    def __init__(self, backfill: Backfill) -> None:
        body: Mapping[str, Any] = backfill.body
        self.collection = str(body["edges"])
        self._own = {name: str(body[name]) for name in ("_key", *ENDS)}
        self._set, self._ends = dict(body.get("set", {})), dict(body.get("ends", {}))

    @property
    def vertices(self) -> Mapping[str, str]:
        """`_from` and `_to` → the collection that each leads to."""
        return {end: self._own[end].split("/", 1)[0] for end in ENDS}

    def columns(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every column that is used, with the steps to its place in the document."""
        for name, text in self._own.items():
            yield from ((column, (name,)) for column in _COLUMN.findall(text))
        for key, given in (("set", self._set), ("ends", self._ends)):
            for name, value in given.items():
                if isinstance(value, str):
                    yield from ((column, (key, name)) for column in _COLUMN.findall(value))

    def edge(self, row: SourceRow) -> Edge:
        """Raises Unfit."""
        if row.error:
            raise Unfit(row.error)
        own = {name: _text(text, row.values) for name, text in self._own.items()}
        for name, text in own.items():
            key = text.split("/", 1)[1] if name in ENDS else text
            if illegal_key(key):
                raise Unfit(f"{name} would be {text}, and no document may have the _key {key}")
        return Edge({**own, **_attributes(self._set, row)}, _attributes(self._ends, row))


def _attributes(given: Mapping[str, Any], row: SourceRow) -> dict[str, Any]:
    """The attributes of a row; one whose column is NULL is left out."""
    found = {name: _value(value, row.values) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(written: object, values: Mapping[str, object]) -> object:
    """A constant as it is, a column alone as the source has it, columns inside a text as text."""
    if not isinstance(written, str):
        return written
    alone = _COLUMN.fullmatch(written)
    return values[alone[1]] if alone else _text(written, values)


def _text(template: str, values: Mapping[str, object]) -> str:
    def filled(match: re.Match[str]) -> str:
        value = values[match[1]]
        if value is None or isinstance(value, dict | list):
            raise Unfit(f"{match[1]} is {'NULL' if value is None else 'no single value'}, for {template}")
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _COLUMN.sub(filled, template)

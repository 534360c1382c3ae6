"""Migration documents: what a YAML file of a declarative store says, checked against the schema of its kind.

A document has the keys `description`, `requires`, `up` (a list of `operation: body`) and `down` (`auto`, a list, or
`irreversible: "why"`). Reading one connects to nothing and reports every mistake of the file at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.errors import ConfigError, ProvisionError, parts
from provision.model.statements import Found as Found
from provision.text import files

if TYPE_CHECKING:
    from provision.documents.yaml import Place


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of `up` or `down`. `body` holds plain JSON values; `line` and `column` count from 1."""

    name: str
    body: Mapping[str, Any]
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Auto:
    """`down: auto`: the inverse of each operation of `up`, last one first."""


@dataclass(frozen=True, slots=True)
class Irreversible:
    """`down: {irreversible: why}`: there is no way back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A migration file. `shown` is its path as people read it; `places` maps each path inside it to line and column."""

    shown: str
    number: str
    slug: str
    checksum: str
    description: str
    requires: tuple[str, ...]
    up: tuple[Operation, ...]
    down: tuple[Operation, ...] | Auto | Irreversible
    places: Mapping[tuple[str | int, ...], Place]
    draft: str = ""  # what has no operations yet

    def wrong(self, what: str, path: tuple[str | int, ...], fix: str) -> ConfigError:
        """The error (document-invalid) for something at `path` inside the document."""
        line, column = self.places.get(path) or self.places[()]
        return ConfigError("document-invalid", what, where=f"{self.shown}:{line}:{column}", fix=fix)


def read(path: Path, shown: str, schema: Mapping[str, Any]) -> Document:
    """The document in a file called `NNNN_slug.yaml`.

    One whose list of operations is empty is a draft. Raises ConfigError (bad-filename, not-utf8, unreadable-file,
    bad-yaml, empty-migration, document-invalid), or Several of them.
    """
    from provision.documents.check import check
    from provision.documents.yaml import parse

    number, slug = files.number_and_slug(path, shown)
    text = files.read_text(path, shown)
    value, places = parse(text, shown)
    empty = [key for key in ("up", "down") if key in value and value[key] in (None, [])]
    try:
        check(value, places, schema, shown)
    except ProvisionError as error:
        if not empty or not all(each.code == "empty-migration" for each in parts(error)):
            raise
    return Document(
        shown=shown,
        number=number,
        slug=slug,
        checksum=files.checksum(text),
        description=value.get("description") or files.described(slug),
        requires=tuple(value.get("requires", ())),
        up=_operations(value["up"] or [], ("up",), places),
        down=_down(value["down"] or [], places),
        places=places,
        draft=f"`{empty[0]}` of {path.name}" if empty else "",
    )


def document_schema(title: str, operations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind's documents, made from the schema of each operation's body."""
    listed = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/operation"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": ["up", "down"],
        "properties": {
            "description": {"type": "string", "minLength": 1, "description": "what the revision does, for people"},
            "requires": {
                "type": "array",
                "description": "a list of revision ids such as [postgres/0007]",
                "items": {"type": "string", "pattern": "^[^/ ]+/[^ ]+$", "description": "an id such as postgres/0007"},
            },
            "up": {**listed, "description": "a list of operations"},
            "down": _down_schema(listed),
        },
        "$defs": {
            "operation": {
                "type": "object",
                "description": "`operation: {…}`",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {name: dict(body) for name, body in operations.items()},
            }
        },
    }


def _down_schema(listed: Mapping[str, Any]) -> dict[str, Any]:
    """A list, the reason why there is no way back, or `auto`; a mistake is told of the branch that was meant."""
    reason = {"type": "string", "minLength": 1, "description": "the reason why there is no way back"}
    stated = {"required": ["irreversible"], "additionalProperties": False, "properties": {"irreversible": reason}}
    return {
        "description": '`auto`, a list of operations, or `irreversible: "why"`',
        "if": {"type": "array"},
        "then": listed,
        "else": {"if": {"type": "object"}, "then": stated, "else": {"const": "auto"}},
    }


def _operations(
    listed: list[dict[str, Any]], path: tuple[str | int, ...], places: Mapping[tuple[str | int, ...], Place]
) -> tuple[Operation, ...]:
    made = []
    for index, entry in enumerate(listed):
        ((name, body),) = entry.items()
        line, column = places[(*path, index, name)]
        made.append(Operation(name, body, line, column))
    return tuple(made)


def _down(value: Any, places: Mapping[tuple[str | int, ...], Place]) -> tuple[Operation, ...] | Auto | Irreversible:
    if value == "auto":
        return Auto()
    if isinstance(value, list):
        return _operations(value, ("down",), places)
    return Irreversible(value["irreversible"])

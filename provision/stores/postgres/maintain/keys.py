"""The kinds of job that PostgreSQL knows. They stand alone, so that reading a file loads no driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ALL = "all"


_NAME = {"type": "string", "minLength": 1, "description": "a name, schema.name where it is needed"}
_LIST = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _NAME}


def _names(what: str) -> dict[str, Any]:
    return {
        "anyOf": [{"const": ALL}, _LIST],
        "description": f"a list of {what}, or all",
    }


KINDS: Mapping[str, Mapping[str, Any]] = {
    "refresh": _names("materialized views, refreshed beside their readers, each after those that it reads"),
    "analyze": _names("tables whose statistics are made anew; a partitioned one is analysed by nobody else"),
    "call": {**_LIST, "description": "functions without arguments, such as one that refreshes a table by day"},
    "reindex": {
        "type": "object",
        "description": "tables whose bloated indexes are built anew, beside readers and writers",
        "additionalProperties": False,
        "required": ["tables"],
        "properties": {
            "tables": _names("tables"),
            "bloat": {
                "type": "integer", "minimum": 1, "maximum": 99,
                "description": "rebuild an index of which so many percent are empty; 40 without it",
            },
            "larger_than": {
                "type": "string", "pattern": "^[1-9][0-9]{0,5} (?:kB|MB|GB)$",
                "description": "pass by smaller indexes: 10 MB without it",
            },
        },
    },
}  # fmt: skip

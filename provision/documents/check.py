"""Holds a document against the JSON Schema of its kind and says in words what is wrong, with place and nearest key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import jsonschema_rs

from provision.documents.yaml import Path, Place
from provision.errors import ConfigError, raise_all

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def check(value: Any, places: Mapping[Path, Place], schema: Mapping[str, Any], shown: str) -> None:
    """Return when the document follows the schema.

    Raises ConfigError (document-invalid; empty-migration for a list without operations), or Several, in file order.
    """
    found = _validator(json.dumps(schema)).iter_errors(value)
    problems = [(place, what, code, fix) for error in found for place, what, code, fix in _said(error, places, schema)]
    raise_all(
        [
            ConfigError(code, what, where=f"{shown}:{line}:{column}", fix=fix)
            for (line, column), what, code, fix in sorted(problems)
        ]
    )


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    # Making one costs as much as reading a file with it.
    return jsonschema_rs.Draft202012Validator(json.loads(schema))


_Said = tuple[Place, str, str, str]


def _said(
    error: jsonschema_rs.ValidationError, places: Mapping[Path, Place], schema: Mapping[str, Any]
) -> Iterable[_Said]:
    path: Path = tuple(error.instance_path)
    holder = _holder(schema, error.schema_path)
    if error.kind.name == "additionalProperties":
        for key in error.kind.as_dict()["unexpected"]:
            allowed = list(holder["properties"])
            yield (
                places[(*path, key)],
                f"{_subject(path)} has no {_thing(path)} {key}",
                "document-invalid",
                _near(key, allowed, f"{_thing(path)}s: "),
            )
        return
    # `up:` with nothing but comments below it is null to YAML, and an empty list to its author.
    empty = path in (("up",), ("down",)) and error.instance in ([], None)
    what, fix = (_empty if empty else _WORDS.get(error.kind.name, _other))(error, path, holder)
    yield places[path], what, "empty-migration" if empty else "document-invalid", fix


def _holder(schema: Mapping[str, Any], path: Iterable[str | int]) -> Mapping[str, Any]:
    """The subschema that holds the keyword at the end of `path`."""
    *steps, _keyword = path
    place: Any = schema
    for step in steps:
        place = place[step]
    held: Mapping[str, Any] = place
    return held


def _subject(path: Path) -> str:
    """The part of a document as people name it: `create_stream.maxlen`, `up[2]`, `the document`."""
    if len(path) >= 3 and path[0] in ("up", "down"):
        return _dotted(path[2:])
    return _dotted(path) if path else "the document"


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _thing(path: Path) -> str:
    return "operation" if len(path) == 2 and path[0] in ("up", "down") else "key"


def _near(word: str, allowed: list[str], label: str) -> str:
    close = get_close_matches(word, allowed, 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"{label}{', '.join(allowed)}"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


_Words = Callable[[jsonschema_rs.ValidationError, Path, Mapping[str, Any]], tuple[str, str]]


def _expected(error: jsonschema_rs.ValidationError, path: Path, holder: Mapping[str, Any]) -> tuple[str, str]:
    wanted = holder.get("description") or " or ".join(_TYPES[name] for name in error.kind.as_dict().get("types", ()))
    return f"{_subject(path)} is {_shown(error.instance)}", f"write {wanted}" if wanted else "correct the value"


def _required(error: jsonschema_rs.ValidationError, path: Path, holder: Mapping[str, Any]) -> tuple[str, str]:
    name = error.kind.as_dict()["property"]
    hint = holder.get("properties", {}).get(name, {}).get("description", "")
    return f"{_subject(path)} lacks {name}", f"add `{name}:`" + (f", {hint}" if hint else "")


def _choice(error: jsonschema_rs.ValidationError, path: Path, holder: Mapping[str, Any]) -> tuple[str, str]:
    allowed = [_shown(each) for each in holder.get("enum", [holder.get("const")])]
    return f"{_subject(path)} is {_shown(error.instance)}", _near(_shown(error.instance), allowed, "one of ")


def _bound(error: jsonschema_rs.ValidationError, path: Path, _holder: Mapping[str, Any]) -> tuple[str, str]:
    limit = error.kind.as_dict()["limit"]
    side = "at least" if error.kind.name == "minimum" else "at most"
    return f"{_subject(path)} is {_shown(error.instance)}", f"write {side} {limit}"


def _empty(_error: jsonschema_rs.ValidationError, path: Path, holder: Mapping[str, Any]) -> tuple[str, str]:
    return f"{_subject(path)} is empty", f"write {holder['description']}" if "description" in holder else "fill it"


def _several(error: jsonschema_rs.ValidationError, path: Path, _holder: Mapping[str, Any]) -> tuple[str, str]:
    names = list(error.instance) if isinstance(error.instance, dict) else []
    return f"{_subject(path)} holds {len(names)} operations: {', '.join(names)}", "begin each with a dash of its own"


def _refused(error: jsonschema_rs.ValidationError, path: Path, holder: Mapping[str, Any]) -> tuple[str, str]:
    return f"{_subject(path)} is {_shown(error.instance)}", f"write {holder.get('description', 'something else')}"


def _other(error: jsonschema_rs.ValidationError, path: Path, _holder: Mapping[str, Any]) -> tuple[str, str]:
    return f"{_subject(path)}: {error.message}", "correct the value"


_WORDS: dict[str, _Words] = {
    "type": _expected,
    "pattern": _expected,
    "anyOf": _expected,
    "oneOf": _expected,
    "required": _required,
    "enum": _choice,
    "const": _choice,
    "minimum": _bound,
    "maximum": _bound,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "maxProperties": _several,
    "not": _refused,
}

"""Holds a document against the JSON Schema of its kind and says in words what is wrong, with place and nearest key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from provision.documents.yaml import Path, Place
from provision.errors import ConfigError, raise_all
from provision.text.nearest import meant

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
    problems = [each for error in found for each in _said(_broken(error, value, schema), places)]
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


@dataclass(frozen=True, slots=True)
class _Broken:
    """A keyword of the schema that a value breaks. `details` are the validator's, the rest is ours to name in words.

    The validator's own copy of the value and its sentences differ from version to version.
    """

    keyword: str
    details: Mapping[str, Any]
    path: Path
    value: Any
    holder: Mapping[str, Any]


def _broken(error: jsonschema_rs.ValidationError, value: Any, schema: Mapping[str, Any]) -> _Broken:
    path: Path = tuple(error.instance_path)
    return _Broken(error.kind.name, error.kind.as_dict(), path, _at(value, path), _holder(schema, error.schema_path))


_Said = tuple[Place, str, str, str]


def _said(broken: _Broken, places: Mapping[Path, Place]) -> Iterator[_Said]:
    path = broken.path
    if broken.keyword == "additionalProperties":
        for key in broken.details["unexpected"]:
            what = f"{_subject(path)} has no {_thing(path)} {key}"
            fix = _near(key, list(broken.holder["properties"]), f"{_thing(path)}s: ")
            yield places[(*path, key)], what, "document-invalid", fix
        return
    # `up:` with nothing but comments below it is null to YAML, and an empty list to its author.
    empty = path in (("up",), ("down",)) and broken.value in ([], None)
    what, fix = (_empty if empty else _WORDS.get(broken.keyword, _other))(broken)
    place = places[(*path, _key(broken))] if broken.keyword == "propertyNames" else places[path]
    yield place, what, "empty-migration" if empty else "document-invalid", fix


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _holder(schema: Mapping[str, Any], path: Iterable[str | int]) -> Mapping[str, Any]:
    """The subschema that holds the keyword at the end of `path`."""
    *steps, _keyword = path
    place: Any = schema
    for step in steps:
        place = place[step]
    held: Mapping[str, Any] = place
    return held


def _subject(path: Path) -> str:
    """The part of a document as people name it: `create_stream.maxlen`, `up[2]`, `the file`."""
    if len(path) >= 3 and path[0] in ("up", "down"):
        return _dotted(path[2:])
    return _dotted(path) if path else "the file"


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _thing(path: Path) -> str:
    return "operation" if len(path) == 2 and path[0] in ("up", "down") else "key"


def _near(word: str, allowed: list[str], label: str) -> str:
    return meant(word, allowed, f"{label}{', '.join(allowed)}")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _expected(broken: _Broken) -> tuple[str, str]:
    types = broken.holder["type"] if broken.keyword == "type" else ()
    names = [_TYPES[each] for each in ([types] if isinstance(types, str) else types)]
    wanted = broken.holder.get("description") or " or ".join(names)
    return _is(broken), f"write {wanted}" if wanted else "correct the value"


def _required(broken: _Broken) -> tuple[str, str]:
    name = broken.details["property"]
    hint = broken.holder.get("properties", {}).get(name, {}).get("description", "")
    return f"{_subject(broken.path)} lacks {name}", f"add `{name}:`" + (f", {hint}" if hint else "")


def _choice(broken: _Broken) -> tuple[str, str]:
    allowed = [_shown(each) for each in broken.holder.get("enum", [broken.holder.get("const")])]
    return _is(broken), _near(_shown(broken.value), allowed, "one of ")


def _bound(broken: _Broken) -> tuple[str, str]:
    side = "at least" if broken.keyword == "minimum" else "at most"
    return _is(broken), f"write {side} {broken.holder[broken.keyword]}"


def _empty(broken: _Broken) -> tuple[str, str]:
    described = broken.holder.get("description")
    return f"{_subject(broken.path)} is empty", f"write {described}" if described else "fill it"


def _several(broken: _Broken) -> tuple[str, str]:
    names = sorted(broken.value)
    what = f"{_subject(broken.path)} holds {len(names)} operations: {', '.join(names)}"
    return what, "begin each with a dash of its own"


def _refused(broken: _Broken) -> tuple[str, str]:
    return _is(broken), f"write {broken.holder.get('description', 'something else')}"


def _twice(broken: _Broken) -> tuple[str, str]:
    twice = [each for number, each in enumerate(broken.value) if each in broken.value[:number]]
    return f"{_subject(broken.path)} names {_shown(twice[0])} twice" if twice else _is(broken), "keep one of them"


def _long(broken: _Broken) -> tuple[str, str]:
    limit = broken.holder[broken.keyword]
    return f"{_subject(broken.path)} has {len(broken.value)} entries", f"write at most {limit}"


def _named(broken: _Broken) -> tuple[str, str]:
    wanted = broken.holder.get("description", "another name")
    return f"{_subject(broken.path)} has the key {_shown(_key(broken))}", f"write {wanted}"


def _key(broken: _Broken) -> str:
    """The key that may not be called so."""
    return str(broken.details["error"].instance)


def _other(broken: _Broken) -> tuple[str, str]:
    return _is(broken), "correct the value"


def _is(broken: _Broken) -> str:
    return f"{_subject(broken.path)} is {_shown(broken.value)}"


_WORDS: dict[str, Callable[[_Broken], tuple[str, str]]] = {
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
    "uniqueItems": _twice,
    "maxItems": _long,
    "propertyNames": _named,
}

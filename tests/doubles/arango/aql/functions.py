"""AQL functions by name."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import random
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.doubles.arango.aql.values import equal, kind, number, order, text, true
from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused

_TYPES = ("null", "bool", "number", "string", "array", "object")


def call(name: str, arguments: list[Any], database: Database, user: str) -> Any:
    """Raises Refused (1540, 1541)."""
    if name in _OF_DATABASE:
        return _OF_DATABASE[name](database, user, *arguments)
    if name not in _KNOWN:
        raise Refused(1540, f"usage of unknown function '{name}()'")
    try:
        return _KNOWN[name](*arguments)
    except TypeError as error:
        if "positional argument" not in str(error):
            raise
        raise Refused(1541, f"invalid number of arguments for function '{name}()'") from None


def known(name: str) -> bool:
    return name in _KNOWN or name in _OF_DATABASE


def like(value: str, pattern: str, flags: int = 0) -> bool:
    """% stands for any text, _ for one character, a backslash takes the next one as it is."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    made = "".join({"%": ".*", "_": "."}.get(each, re.escape(each.lstrip("\\") or "\\")) for each in parts)
    return re.fullmatch(made, value, re.DOTALL | flags) is not None


def flat(value: Any, depth: int = 1) -> Any:
    if not isinstance(value, list) or depth < 1:
        return value
    found: list[Any] = []
    for each in value:
        found.extend(flat(each, depth - 1) if isinstance(each, list) else [each])
    return found


def unique(values: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for each in values or []:
        found.setdefault(json.dumps(order(each)), each)
    return list(found.values())


def iso(milliseconds: float) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def timestamp(value: Any) -> int | None:
    """Milliseconds since 1970 of a number or an ISO text."""
    if isinstance(value, int | float):
        return int(value)
    try:
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _numbers(values: Any) -> list[int | float]:
    return [each for each in values or [] if isinstance(each, int | float) and not isinstance(each, bool)]


def _length(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    return len(text(value)) if isinstance(value, int | float) else len(value)


def _round(value: Any) -> int:
    return math.floor((number(value) or 0) + 0.5)


def _merged(*objects: Any) -> dict[str, Any]:
    given = objects[0] if len(objects) == 1 and isinstance(objects[0], list) else objects
    return functools.reduce(lambda made, each: {**made, **(each or {})}, given, {})


def _deep(*objects: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for each in objects:
        for name, value in each.items():
            both = isinstance(value, dict) and isinstance(made.get(name), dict)
            made[name] = _deep(made[name], value) if both else value
    return made


def _names(given: tuple[Any, ...]) -> list[Any]:
    return flat(list(given))


def _substring(value: Any, offset: int, length: int | None = None) -> str:
    start = offset if offset >= 0 else max(0, len(text(value)) + offset)
    return text(value)[start:] if length is None else text(value)[start : start + length]


def _position(values: Any, wanted: Any, index: bool = False) -> Any:
    at = next((place for place, each in enumerate(values or []) if equal(each, wanted)), -1)
    return at if index else at >= 0


def _slice(values: Any, start: int, length: int | None = None) -> list[Any]:
    rest = values[start:]
    return rest if length is None else (rest[:length] if length >= 0 else values[start:length])


def _stop(reason: Any = "") -> Any:
    raise Refused(1569, f"FAIL({text(reason)}) called")


def _document(database: Database, user: str, *given: Any) -> Any:
    del user
    if isinstance(given[-1], list):
        found = [_document(database, "", *given[:-1], each) for each in given[-1]]
        return [each for each in found if each is not None]
    name, _, key = text(given[-1]).rpartition("/")
    name = name or text(given[0])
    if name not in database.collections:
        return None
    return database.collections[name].documents.get(key)


def _collections(database: Database, user: str) -> list[dict[str, Any]]:
    del user
    return [{"_id": each.id, "name": each.name} for each in database.collections.values()]


_OF_DATABASE: dict[str, Callable[..., Any]] = {
    "DOCUMENT": _document,
    "COLLECTIONS": _collections,
    "CURRENT_DATABASE": lambda database, _user: database.name,
    "CURRENT_USER": lambda _database, user: user,
    "COLLECTION_COUNT": lambda database, _user, name: len(database.collection(name).documents),
}

_KNOWN: dict[str, Callable[..., Any]] = {
    "DATE_NOW": lambda: int(time.time() * 1000),
    "DATE_ISO8601": lambda value: None if timestamp(value) is None else iso(timestamp(value) or 0),
    "DATE_TIMESTAMP": timestamp,
    "LENGTH": _length,
    "COUNT": _length,
    "CONCAT": lambda *given: "".join(text(each) for each in flat(list(given)) if each is not None),
    "CONCAT_SEPARATOR": lambda sign, *given: sign.join(text(each) for each in flat(list(given)) if each is not None),
    "UPPER": lambda value: text(value).upper(),
    "LOWER": lambda value: text(value).lower(),
    "TRIM": lambda value: text(value).strip(),
    "CONTAINS": lambda value, wanted, index=False: (
        text(value).find(text(wanted)) if index else text(wanted) in text(value)
    ),
    "STARTS_WITH": lambda value, start: text(value).startswith(tuple(start) if isinstance(start, list) else start),
    "SUBSTRING": _substring,
    "LEFT": lambda value, length: text(value)[:length],
    "RIGHT": lambda value, length: text(value)[-length:] if length else "",
    "SPLIT": lambda value, sign: text(value).split(sign),
    "SUBSTITUTE": lambda value, old, new="": text(value).replace(old, new),
    "LIKE": lambda value, pattern, low=False: like(text(value), text(pattern), re.IGNORECASE if low else 0),
    "REGEX_TEST": lambda value, pattern, low=False: (
        re.search(pattern, text(value), re.IGNORECASE if low else 0) is not None
    ),
    "TO_STRING": text,
    "TO_NUMBER": number,
    "TO_BOOL": true,
    "TO_ARRAY": lambda value: (
        value
        if isinstance(value, list)
        else list(value.values())
        if isinstance(value, dict)
        else []
        if value is None
        else [value]
    ),
    "TYPENAME": lambda value: _TYPES[kind(value)],
    "IS_NULL": lambda value: value is None,
    "IS_BOOL": lambda value: kind(value) == 1,
    "IS_NUMBER": lambda value: kind(value) == 2,
    "IS_STRING": lambda value: kind(value) == 3,
    "IS_ARRAY": lambda value: kind(value) == 4,
    "IS_LIST": lambda value: kind(value) == 4,
    "IS_OBJECT": lambda value: kind(value) == 5,
    "IS_DOCUMENT": lambda value: kind(value) == 5,
    "NOT_NULL": lambda *given: next((each for each in given if each is not None), None),
    "FIRST_DOCUMENT": lambda *given: next((each for each in given if isinstance(each, dict)), None),
    "HAS": lambda value, name: isinstance(value, dict) and name in value,
    "ATTRIBUTES": lambda value, internal=False, ordered=False: [
        name for name in (sorted(value) if ordered else value) if not (internal and name.startswith("_"))
    ],
    "KEYS": lambda value, internal=False, ordered=False: [
        name for name in (sorted(value) if ordered else value) if not (internal and name.startswith("_"))
    ],
    "VALUES": lambda value, internal=False: [
        each for name, each in value.items() if not (internal and name.startswith("_"))
    ],
    "MERGE": _merged,
    "MERGE_RECURSIVE": _deep,
    "UNSET": lambda value, *names: {name: each for name, each in value.items() if name not in _names(names)},
    "KEEP": lambda value, *names: {name: each for name, each in value.items() if name in _names(names)},
    "ZIP": lambda names, values: dict(zip(names, values, strict=True)),
    "PUSH": lambda values, value, once=False: [
        *(values or []),
        *([] if once and _position(values, value) else [value]),
    ],
    "UNSHIFT": lambda values, value: [value, *(values or [])],
    "POP": lambda values: values[:-1],
    "SHIFT": lambda values: values[1:],
    "APPEND": lambda values, more, once=False: (
        unique([*(values or []), *more]) if once else [*(values or []), *(more if isinstance(more, list) else [more])]
    ),
    "REMOVE_VALUE": lambda values, value: [each for each in values if not equal(each, value)],
    "POSITION": _position,
    "UNIQUE": unique,
    "COUNT_DISTINCT": lambda values: len(unique(values)),
    "COUNT_UNIQUE": lambda values: len(unique(values)),
    "SORTED": lambda values: sorted(values, key=order),
    "SORTED_UNIQUE": lambda values: sorted(unique(values), key=order),
    "UNION": lambda *given: [each for values in given for each in values],
    "UNION_DISTINCT": lambda *given: unique([each for values in given for each in values]),
    "INTERSECTION": lambda first, *rest: [
        each for each in unique(first) if all(_position(values, each) for values in rest)
    ],
    "MINUS": lambda first, *rest: [
        each for each in unique(first) if not any(_position(values, each) for values in rest)
    ],
    "FIRST": lambda values: values[0] if values else None,
    "LAST": lambda values: values[-1] if values else None,
    "NTH": lambda values, index: values[index] if 0 <= index < len(values) else None,
    "SLICE": _slice,
    "REVERSE": lambda values: values[::-1],
    "FLATTEN": flat,
    "RANGE": lambda low, high, step=1: list(range(low, high + 1, step)),
    "SUM": lambda values: sum(_numbers(values)),
    "AVERAGE": lambda values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else None,
    "AVG": lambda values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else None,
    "MIN": lambda values: min((each for each in values if each is not None), key=order, default=None),
    "MAX": lambda values: max((each for each in values if each is not None), key=order, default=None),
    "ABS": lambda value: abs(number(value) or 0),
    "FLOOR": lambda value: math.floor(number(value) or 0),
    "CEIL": lambda value: math.ceil(number(value) or 0),
    "ROUND": _round,
    "SQRT": lambda value: math.sqrt(value) if value >= 0 else None,
    "POW": lambda value, power: value**power,
    "RAND": random.random,
    "UUID": lambda: str(uuid.uuid4()),
    "MD5": lambda value: hashlib.md5(text(value).encode(), usedforsecurity=False).hexdigest(),
    "SHA1": lambda value: hashlib.sha1(text(value).encode(), usedforsecurity=False).hexdigest(),
    "SHA256": lambda value: hashlib.sha256(text(value).encode()).hexdigest(),
    "SHA512": lambda value: hashlib.sha512(text(value).encode()).hexdigest(),
    "JSON_STRINGIFY": lambda value: json.dumps(value, separators=(",", ":")),
    "JSON_PARSE": lambda value: json.loads(value),
    "PARSE_IDENTIFIER": lambda value: dict(
        zip(("collection", "key"), (value["_id"] if isinstance(value, dict) else value).split("/"), strict=True)
    ),
    "SLEEP": lambda seconds: time.sleep(min(seconds, 5.0)),
    "NOOPT": lambda value: value,
    "PASSTHRU": lambda value: value,
    "VERSION": lambda: "3.12.10",
    "FAIL": _stop,
}

"""The tests of a dbt `schema.yml` as checks, and those that have no counterpart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_NAMED = r"""\s*['"]([^'"]+)['"]\s*"""
_CALL = re.compile(rf"^\s*(?:\{{\{{)?\s*(ref|source)\((?:{_NAMED},)?{_NAMED}\)\s*(?:\}}\}})?\s*$")
_SCALARS = (str, int, float)
_OTHER_TABLE = ("to", "compare_model")
_KNOWN_CONFIG = frozenset({"name", "config", "severity", "tags", "description", "meta"})
_CONFIG = _KNOWN_CONFIG | {"where", "error_if", "warn_if", "limit", "store_failures"}
_Call = tuple[str, str, str]  # ref or source, the source's name, the table's
Made = tuple[str, Any] | None
"""Kind and body of a check; None where there is no counterpart."""


@dataclass
class Imported:
    """Tables with their checks, and in words what could not be taken over."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def imported(document: Mapping[str, Any]) -> Imported:
    """Every test of the models, seeds, snapshots and sources of a document."""
    found = Imported()
    nodes = list(_nodes(document))
    places = {call: table for call, table, _ in nodes}
    for _, table, node in nodes:
        off = _mapping(node.get("config")).get("enabled") is False
        for column, test in _tests(node):
            if off:
                found.left.append(f"{table}, which is not enabled")
                break
            _take(found, table, column, test, places)
    return found


def suite(found: Imported, store: str) -> str:
    """The suite as YAML, with the tests that were left as comments."""
    lines = [f"# not taken over: {each}" for each in found.left]
    lines += ["tables:"]
    for table, checks in found.tables.items():
        lines += [f"  - store: {_text(store)}", f"    table: {_text(table)}", "    checks:"]
        for check in checks:
            first, *others = ((key, _text(value)) for key, value in check.items())
            lines.append(f"      - {first[0]}: {first[1]}")
            lines += [f"        {key}: {value}" for key, value in others]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _nodes(document: Mapping[str, Any]) -> Iterator[tuple[_Call, str, Mapping[str, Any]]]:
    """How each is called in tests, the table that it is, and what is said of it."""
    for kind in ("models", "seeds", "snapshots"):
        for each in _mappings(document.get(kind)):
            name = str(each.get("name"))
            yield ("ref", "", name), str(_mapping(each.get("config")).get("alias") or each.get("alias") or name), each
    for source in _mappings(document.get("sources")):
        named = str(source.get("name"))
        for each in _mappings(source.get("tables")):
            name = str(each.get("name"))
            # A source without a schema is the schema of its name.
            yield ("source", named, name), f"{source.get('schema', named)}.{each.get('identifier', name)}", each


def _place(text: object, places: Mapping[_Call, str]) -> str | None:
    """The table that `ref(…)` or `source(…)` is; None for a source of another file, whose schema is not known."""
    call = _CALL.match(str(text))
    if call is None:
        return None
    if call[1] == "ref":
        return places.get(("ref", "", call[3]), call[3])
    return places.get(("source", call[2] or "", call[3]))


def _tests(node: Mapping[str, Any]) -> Iterator[tuple[str | None, Any]]:
    """The column, if any, and each test."""
    for key in ("tests", "data_tests"):
        yield from ((None, each) for each in _listed(node.get(key)))
        for column in _mappings(node.get("columns")):
            yield from ((str(column.get("name")), each) for each in _listed(column.get(key)))


def _take(found: Imported, table: str, column: str | None, test: Any, places: Mapping[_Call, str]) -> None:
    kind, given = next(iter(test.items()), ("", {})) if isinstance(test, Mapping) else (str(test), {})
    if isinstance(test, Mapping) and "test_name" in test:
        kind, given = test["test_name"], {key: value for key, value in test.items() if key != "test_name"}
    given = given if isinstance(given, Mapping) else {}
    config = {**_mapping(given.get("config")), **{key: value for key, value in given.items() if key in _CONFIG}}
    arguments = {key: value for key, value in given.items() if key not in _CONFIG and key != "arguments"}
    arguments |= _mapping(given.get("arguments"))
    arguments |= {key: _place(arguments[key], places) for key in _OTHER_TABLE if key in arguments}
    place = f"{table}.{column}" if column else table
    unknown = sorted(set(config) - _KNOWN_CONFIG)
    maker = _MADE.get(str(kind))
    made = maker(column, arguments) if maker is not None and not unknown else None
    if made is None:
        found.left.append(f"{place} {kind}" + (f" with {', '.join(unknown)}" if unknown else ""))
        return
    checks = found.tables.setdefault(table, [])
    named = _name(str(config.get("name") or f"{column or 'table'}_{made[0]}"), {each["name"] for each in checks})
    check: dict[str, Any] = {"name": named, made[0]: made[1]}
    if str(config.get("severity", "error")).lower() == "warn":
        check["warn_if"] = {"count": 0}
    if tags := [str(each) for each in _listed(config.get("tags"))]:
        check["tags"] = tags
    checks.append(check)


def _not_null(column: str | None, _given: Mapping[str, Any]) -> Made:
    return ("not_null", [column]) if column else None


def _unique(column: str | None, _given: Mapping[str, Any]) -> Made:
    return ("unique", [column]) if column else None


def _accepted(column: str | None, given: Mapping[str, Any]) -> Made:
    values = given.get("values")
    if (
        not column
        or not isinstance(values, list)
        or not values
        or not all(isinstance(each, _SCALARS) for each in values)
    ):
        return None
    # There NULL is fine, and values are texts unless `quote` says otherwise.
    listed = [each if given.get("quote") is False else str(each) for each in values]
    return "accepted_values", {"column": column, "values": listed, "allow_null": True}


def _relationship(column: str | None, given: Mapping[str, Any]) -> Made:
    to = given.get("to")
    if not column or to is None or not given.get("field") or set(given) - {"to", "field"}:
        return None
    return "reference", {"column": [column], "to": {"table": to, "column": [str(given["field"])]}}


def _range(column: str | None, given: Mapping[str, Any]) -> Made:
    closed = given.get("inclusive", True)
    keys = {"min_value": "min" if closed else "above", "max_value": "max" if closed else "below"}
    bounds = {ours: given[theirs] for theirs, ours in keys.items() if given.get(theirs) is not None}
    # A bound may be an expression there.
    if not column or not bounds or not all(isinstance(each, int | float) for each in bounds.values()):
        return None
    return "range", {"column": column, **bounds, "allow_null": True}


def _proportion(column: str | None, given: Mapping[str, Any]) -> Made:
    least = given.get("at_least")
    if not column or not isinstance(least, int | float) or set(given) - {"at_least"}:
        return None
    return "not_null_share", {"column": column, "min": least}


def _expression(column: str | None, given: Mapping[str, Any]) -> Made:
    text = str(given.get("expression") or "").strip()
    if not text or set(given) - {"expression"} or "{{" in text:
        return None
    # There a row for which it is NULL is fine.
    return "bad", f"coalesce(NOT ({f'{column} {text}' if column else text}), false)"


def _combination(_column: str | None, given: Mapping[str, Any]) -> Made:
    columns = given.get("combination_of_columns")
    if not isinstance(columns, list) or not columns or set(given) - {"combination_of_columns", "quote_columns"}:
        return None
    return "unique_combination", [str(each) for each in columns]


def _same_rows(_column: str | None, given: Mapping[str, Any]) -> Made:
    to = given.get("compare_model")
    if to is None or set(given) - {"compare_model"}:
        return None
    return "row_count_ratio", {"to": {"table": to}, "min": 1, "max": 1}


_MADE: Mapping[str, Callable[[str | None, Mapping[str, Any]], Made]] = {
    "not_null": _not_null,
    "unique": _unique,
    "accepted_values": _accepted,
    "relationships": _relationship,
    "dbt_utils.accepted_range": _range,
    "dbt_utils.not_null_proportion": _proportion,
    "dbt_utils.expression_is_true": _expression,
    "dbt_utils.unique_combination_of_columns": _combination,
    "dbt_utils.equal_rowcount": _same_rows,
}


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in _listed(value) if isinstance(each, Mapping))


def _name(wanted: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9_]+", "_", wanted.lower()).strip("_")
    base = base if re.match("[a-z]", base) else f"check_{base}".rstrip("_")
    name, n = base, 1
    while name in taken or name == "rows":
        n += 1
        name = f"{base}_{n}"
    return name

"""Reads `partitions/*.yaml`: which windows a table should have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from provision.documents.check import check
from provision.documents.yaml import Path as Steps
from provision.documents.yaml import Place, parse
from provision.errors import ConfigError, ProvisionError, Several, raise_all
from provision.model.partitions import REST, Engine, Interval, Merge, OnRetire, PartitionSet, Sub, SubBy, Unit
from provision.partitions.calendar import ORIGIN, ago
from provision.text import files

Vocabularies = Callable[[str], Mapping[str, Mapping[str, Any]]]
"""By the name of a store: the keys of its documents. Raises ConfigError (unknown-store, capability-missing)."""

MOST = 10_000  # windows of a table
MOST_PARTS = 128  # of a window
_PART = re.compile(r"^[a-z][a-z0-9_]{0,15}$")
_INTERVAL = re.compile(r"([1-9][0-9]{0,3}) (hour|day|week|month|quarter|year)s?")
_RETIRE = re.compile(r"drop|detach|move ([A-Za-z_][A-Za-z0-9_$]*)|export (\S(.*\S)?)")
_COMMON: Mapping[str, Any] = {
    "description": {"type": "string", "minLength": 1, "description": "what its rows are, for people"},
    "store": {"type": "string", "minLength": 1, "description": "the name of a store in provision.toml"},
    "table": {"type": "string", "minLength": 1, "description": "the name of a table, schema.table where it is needed"},
}
_LENGTH = {
    "type": "string",
    "pattern": f"^(?:{_INTERVAL.pattern})$",
    "description": "a time such as 1 month, 90 days or 10 years",
}
KEYS: Mapping[str, Mapping[str, Any]] = {
    "column": {"type": "string", "minLength": 1, "description": "the column of time that the table is partitioned by"},
    "interval": {**_LENGTH, "description": "how long a window is, such as 1 month"},
    "ahead": {"type": "integer", "minimum": 0, "maximum": MOST, "description": "windows after the present one"},
    "behind": {"type": "integer", "minimum": 0, "maximum": MOST, "description": "windows before the present one"},
    "retain": {**_LENGTH, "description": "how long rows are kept after their window ended, such as 90 days"},
    "merge_after": {
        "type": "object",
        "description": "`{age: 24 months, into: year}`: windows that are made so far back are coarser",
        "additionalProperties": False,
        "required": ["age", "into"],
        "properties": {
            "age": {**_LENGTH, "description": "how long ago a window ended, such as 24 months"},
            "into": {"enum": ["week", "month", "quarter", "year"], "description": "the coarser window"},
        },
    },
    "on_retire": {
        "type": "string",
        "pattern": f"^(?:{_RETIRE.pattern})$",
        "description": "drop, detach, move SCHEMA, or export FOLDER",
    },
    "sub": {
        "type": "object",
        "description": "`{by: hash, column: id, parts: 4}`: windows made from now on are divided by one more column",
        "additionalProperties": False,
        "required": ["by", "column"],
        "properties": {
            "by": {"enum": list(SubBy), "description": "hash into `parts`, or list by `values`"},
            "column": {"type": "string", "minLength": 1, "description": "a column of the table"},
            "parts": {"type": "integer", "minimum": 2, "maximum": MOST_PARTS, "description": "into how many, by hash"},
            "values": {
                "type": "object",
                "description": "`{eu: [de, fr]}`: by list, the values of each part; what is in none lies in `rest`",
                "minProperties": 1,
                "maxProperties": MOST_PARTS,
                "propertyNames": {"pattern": _PART.pattern},
                "additionalProperties": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": ["string", "integer", "boolean"]},
                },
            },
        },
    },
    "engine": {"enum": list(Engine), "description": "native, or partman: the extension pg_partman makes the windows"},
}
"""What a store with windows of its own making knows; those of a kind may know fewer."""
REQUIRED = ("column", "interval")


def read(path: Path, shown: str, vocabularies: Vocabularies) -> PartitionSet:
    """The set in a file.

    Raises ConfigError (empty-partitions, bad-yaml, document-invalid, bad-partitions, unknown-store), or Several.
    """
    return parsed(files.read_text(path, shown), path.stem, shown, vocabularies)


def parsed(text: str, name: str, shown: str, vocabularies: Vocabularies) -> PartitionSet:
    """As `read`, of the text of a file."""
    value, places = _parsed(text, shown)
    keys = _keys(value, places, shown, vocabularies)
    check(value, places, schema(keys), shown)
    merge = value.get("merge_after")
    retire = str(value.get("on_retire", OnRetire.DROP)).split(" ", 1)
    made = PartitionSet(
        name=name,
        store=value["store"],
        table=value["table"],
        column=value["column"],
        interval=interval(value["interval"]),
        ahead=value.get("ahead", 12),
        behind=value.get("behind", 1),
        description=value.get("description", files.described(name)),
        shown=shown,
        checksum=files.checksum(text),
        retain=interval(value["retain"]) if "retain" in value else None,
        merge=Merge(interval(merge["age"]), Unit(merge["into"])) if merge else None,
        on_retire=OnRetire(retire[0]),
        target=retire[1] if len(retire) > 1 else "",
        engine=Engine(value.get("engine", Engine.NATIVE)),
        sub=_sub(value["sub"]) if "sub" in value else None,
        places=places,
    )
    raise_all(_contradictions(made))
    return made


def _sub(value: Mapping[str, Any]) -> Sub:
    values = tuple(
        (name, tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in listed))
        for name, listed in value.get("values", {}).items()
    )
    return Sub(SubBy(value["by"]), value["column"], value.get("parts", 0), values)


def schema(keys: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a set whose store knows these keys."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a partitioned table",
        "type": "object",
        "additionalProperties": False,
        "required": ["store", "table", *(key for key in REQUIRED if key in keys)],
        "properties": {**_COMMON, **keys},
    }


def interval(text: str) -> Interval:
    """`3 months` → Interval(3, month). Raises ValueError."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return Interval(int(match[1]), Unit(match[2]))


def _contradictions(made: PartitionSet) -> list[ConfigError]:
    """What each key may say alone, and not together with another."""
    found = []

    def wrong(key: str, what: str, fix: str) -> None:
        line, column = made.places[(key,)]
        found.append(ConfigError("bad-partitions", what, where=f"{made.shown}:{line}:{column}", fix=fix))

    window = _days(made.interval)
    if made.retain is not None and _days(made.retain) < window:
        what = f"rows are kept for {made.retain}, and a window holds {made.interval}"
        wrong("retain", what, f"keep them for {made.interval} or longer, or make windows shorter")
    if made.merge is not None and _days(Interval(1, made.merge.into)) <= window:
        what = f"a window of {made.interval} is merged into one of a {made.merge.into}, which is not coarser"
        wrong("merge_after", what, "name a coarser one, up to year")
    if made.retain is not None and made.merge is not None and _days(made.retain) <= _days(made.merge.age):
        what = f"windows are merged after {made.merge.age}, and retired after {made.retain}"
        wrong("merge_after", what, "merge them sooner, or leave merge_after out")
    if made.merge is not None and made.engine is Engine.PARTMAN:
        what = "pg_partman knows windows of one length"
        wrong("merge_after", what, "leave merge_after out, or write engine: native")
    for text, fix in _divided(made, made.sub) if made.sub is not None else ():
        wrong("sub", text, fix)
    if (made.ahead + made.behind + 1) * window > 365 * 1000:
        key = "ahead" if ("ahead",) in made.places else "interval"
        wrong(key, "the windows cover more than 1000 years", "ask for fewer, or shorter ones")
    return found


def _divided(made: PartitionSet, sub: Sub) -> Iterator[tuple[str, str]]:
    """What its `sub` contradicts, each with a way on."""
    needed, other = ("parts", "values") if sub.by is SubBy.HASH else ("values", "parts")
    if not getattr(sub, needed):
        example = "parts: 4" if sub.by is SubBy.HASH else "values: {eu: [de, fr]}"
        yield f"windows are divided by {sub.by}, and {needed} are missing", f"write {example}"
    if getattr(sub, other):
        yield f"windows are divided by {sub.by}, which knows no {other}", f"leave {other} out"
    if sub.column == made.column:
        yield f"windows are divided by {sub.column}, which their bounds are of", "name another column"
    listed = [each for _, values in sub.values for each in values]
    if twice := sorted({each for each in listed if listed.count(each) > 1}):
        yield f"{', '.join(twice)} is listed more than once", "let each value be in one list"
    if REST in dict(sub.values):
        yield f"the part {REST} takes what is in no list", "call yours otherwise"
    if made.engine is Engine.PARTMAN:
        yield "pg_partman divides no windows", "leave sub out, or write engine: native"
    if made.merge is not None:
        yield "windows that are divided are not merged", "leave sub or merge_after out"


def _days(length: Interval) -> float:
    """How long it is at least, seen from the origin of the calendar."""
    return (ORIGIN - ago(ORIGIN, length)).total_seconds() / 86400


def _parsed(text: str, shown: str) -> tuple[dict[str, Any], Mapping[Steps, Place]]:
    try:
        return parse(text, shown, keys="store, table, column and interval")
    except Several:
        raise
    except ConfigError as error:
        if error.code != "empty-migration":
            raise
        fix = "write its store, table, column and interval, or delete the file"
        raise ConfigError("empty-partitions", "the file describes no table", where=shown, fix=fix) from None


def _keys(
    value: Mapping[str, Any], places: Mapping[Steps, Place], shown: str, vocabularies: Vocabularies
) -> Mapping[str, Mapping[str, Any]]:
    """Those of the store it names; whatever it says where it names none, which the schema says."""
    store = value.get("store")
    if not isinstance(store, str) or not store:
        return {key: {} for key in value.keys() - _COMMON.keys()}
    try:
        return vocabularies(store)
    except ProvisionError as error:
        line, column = places[("store",)]
        error.where = f"{shown}:{line}:{column}"
        raise

"""Sets read without the reader of YAML, whose import costs more than all else of a run that finds nothing to do.

Only documents as most people write them have an outline: a line a key, each a plain value. Of every other one, and of
one that may be wrong, the whole has to be read.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from provision.errors import ProvisionError
from provision.model.partitions import Interval, Merge, PartitionSet, Unit
from provision.text import files

_ONLY_MAKERS = ("ahead", "behind", "merge_after")
_NUMBERS, _LENGTHS, _NAMES = ("ahead", "behind"), ("interval", "retain"), ("store", "table", "column")
_NEEDED = {"store", "table", "column", "interval"}
_LONGEST = {Unit.HOUR: 1 / 24, Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.QUARTER: 92, Unit.YEAR: 366}
_COARSE = ("week", "month", "quarter", "year")
_UNITS = frozenset(map(str, Unit))
_WORDS = dict.fromkeys(map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.()"))
_NO_TEXT = ("true", "false", "null")


def outline(path: Path, shown: str, stores: Collection[str], unbounded: Collection[str] = ()) -> PartitionSet | None:
    """The set in a file of one of these stores, which know every key, or of those that make windows themselves and know
    no `ahead` and `behind`; None where only the full reader can say."""
    try:
        text = files.read_text(path, shown)
    except ProvisionError:
        return None
    said = _said(text)
    found = {key: value for key, (value, _) in said.items()}
    if not found.keys() >= _NEEDED or not {*_NO_TEXT}.isdisjoint(found.values()):
        return None
    if found["store"] not in stores and (found["store"] not in unbounded or not found.keys().isdisjoint(_ONLY_MAKERS)):
        return None
    made = PartitionSet(
        name=path.stem,
        store=found["store"],
        table=found["table"],
        column=found["column"],
        interval=_interval(found["interval"]),
        ahead=int(found.get("ahead", 12)),
        behind=int(found.get("behind", 1)),
        description=found.get("description", files.described(path.stem)),
        shown=shown,
        checksum=files.checksum(text),
        retain=_interval(found["retain"]) if "retain" in found else None,
        merge=_merge(found["merge_after"]) if "merge_after" in found else None,
        places={(key,): (line, 1) for key, (_, line) in said.items()},
    )
    return made if _far_from_refused(made) else None


def _far_from_refused(made: PartitionSet) -> bool:
    """Whether its lengths fit by so much that the full reader need not look."""
    window, retain, merge = _days(made.interval), made.retain, made.merge
    return (
        (retain is None or _days(retain) >= 2 * window)
        and (merge is None or _days(Interval(1, merge.into)) > 2 * window)
        and (merge is None or retain is None or _days(retain) >= 2 * _days(merge.age))
        and (made.ahead + made.behind + 1) * window <= 365 * 500
    )


def _said(text: str) -> dict[str, tuple[str, int]]:
    """Key → value and line, where every line has one of each, or none; else nothing at all."""
    found: dict[str, tuple[str, int]] = {}
    if "\r" in text or not text.isascii():
        return {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition(" #")[0].rstrip(" ") if line[:1] != "#" else ""
        key, colon, value = said.partition(": ")
        if said and (not colon or key in found or not _plain(key, value)):
            return {}
        if said:
            found[key] = value, number
    return found


def _plain(key: str, value: str) -> bool:
    """Whether it is a value of that key which YAML would read as the same text, and which the schema allows."""
    if key in _NUMBERS:
        return value.isdigit() and len(value) < 4 and (value[0] != "0" or value == "0")
    if key in _LENGTHS:
        number, _, unit = value.partition(" ")
        return number.isdigit() and len(number) < 4 and number[0] != "0" and unit.removesuffix("s") in _UNITS
    if key == "merge_after":
        age, comma, into = value.removeprefix("{age: ").removesuffix("}").partition(", into: ")
        whole = value == f"{{age: {age}, into: {into}}}" and bool(comma)
        return whole and into in _COARSE and _plain("retain", age)
    if key in _NAMES:
        schema, dot, name = value.partition(".")
        return schema.isidentifier() and (not dot or (key == "table" and name.isidentifier()))
    return key == "description" and value[0].isalpha() and value.translate(_WORDS) == ""


def _merge(text: str) -> Merge:
    age, _, into = text.removeprefix("{age: ").removesuffix("}").partition(", into: ")
    return Merge(_interval(age), Unit(into))


def _interval(text: str) -> Interval:
    number, unit = text.split(" ")
    return Interval(int(number), Unit(unit.removesuffix("s")))


def _days(length: Interval) -> float:
    return length.number * _LONGEST[length.unit]

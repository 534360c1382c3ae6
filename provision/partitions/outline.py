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
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    found = _said(text, places)
    if found is None or not found.keys() >= _NEEDED or not {*_NO_TEXT}.isdisjoint(found.values()):
        return None
    if found["store"] not in stores and (found["store"] not in unbounded or not found.keys().isdisjoint(_NUMBERS)):
        return None
    retain = _interval(found["retain"]) if "retain" in found else None
    interval = _interval(found["interval"])
    merge = _merge(found["merge_after"]) if "merge_after" in found else None
    if merge is not None and (
        found["store"] not in stores
        or _days(Interval(1, merge.into)) <= 2 * _days(interval)
        or (retain is not None and _days(retain) < 2 * _days(merge.age))
    ):
        return None
    if retain is not None and _days(retain) < 2 * _days(interval):  # near what is refused: the full reader says
        return None
    ahead, behind = int(found.get("ahead", 12)), int(found.get("behind", 1))
    if (ahead + behind + 1) * _days(interval) > 365 * 500:
        return None
    return PartitionSet(
        name=path.stem,
        store=found["store"],
        table=found["table"],
        column=found["column"],
        interval=interval,
        ahead=ahead,
        behind=behind,
        description=found.get("description", files.described(path.stem)),
        shown=shown,
        checksum=files.checksum(text),
        retain=retain,
        merge=merge,
        places=places,
    )


def _said(text: str, places: dict[tuple[str, ...], tuple[int, int]]) -> dict[str, str] | None:
    """Key → value, where every line has one of each, or none; `places` gets the line and column of each key."""
    found: dict[str, str] = {}
    if "\r" in text or not text.isascii():
        return None
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition(" #")[0].rstrip(" ") if line[:1] != "#" else ""
        key, colon, value = said.partition(": ")
        if said and (not colon or key in found or not _plain(key, value)):
            return None
        if said:
            found[key] = value
            places[key,] = number, 1
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

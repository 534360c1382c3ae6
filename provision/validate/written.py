"""Values in the forms in which stores compare them: read for people, and JSON made alike."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from provision.model.comparable import (
    ARRAY,
    BOOLEAN,
    DECIMAL,
    FLOAT,
    INTEGER,
    JSON,
    MOMENT,
    NOTHING,
    ROUNDED,
    ComparableTable,
    ComparedRow,
)
from provision.text.plain import plain

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def readable(form: str, value: str | None, time_places: int | None = None) -> object:
    """A value as people write it."""
    if value is None:
        return None
    if form.startswith(ARRAY):
        return plain(_listed(form.removeprefix(ARRAY), value, time_places))
    if form == MOMENT:
        return _moment(value, 6 if time_places is None else min(time_places, 6))
    if form == FLOAT and value != "NaN":
        return plain(struct.unpack(">d", bytes.fromhex(value))[0])
    if form == BOOLEAN:
        return value == "1"
    if form in (INTEGER, DECIMAL, ROUNDED):
        return _number(value)
    if form.endswith(":double precision"):
        return plain(float(value))
    return plain(value)


def canonical(text: str) -> str:
    """A document of JSON as the text that every equal one has: names sorted, no zeros after the last decimal.

    What is no JSON stays as it is.
    """
    try:
        return _text(json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=_no_number))
    except (ValueError, RecursionError):
        return text


def alike(row: ComparedRow, sheet: ComparableTable) -> ComparedRow:
    """The row with every document of JSON as the text that equal ones have."""
    if JSON not in sheet.forms:
        return row
    pairs = zip(sheet.forms, row.values, strict=True)
    return row._replace(values=tuple(canonical(each) if form == JSON and each else each for form, each in pairs))


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_text(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    # Not `normalize`, which rounds to the digits of the context. Zero has one text, whatever its sign.
    return _decimal(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _decimal(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    kept = "".join(map(str, digits)).lstrip("0")
    shorter = kept.rstrip("0")
    if not shorter:
        return "0"
    power = int(exponent) + len(kept) - len(shorter)
    return f"{'-' if sign else ''}{shorter}{'0' * power}" if 0 <= power < 40 else _fraction(sign, shorter, power)


def _fraction(sign: int, digits: str, power: int) -> str:
    minus = "-" if sign else ""
    if -40 < power < 0:
        padded = digits.rjust(1 - power, "0")
        return f"{minus}{padded[:power]}.{padded[power:]}"
    return f"{minus}{digits}e{power}"


def _no_number(name: str) -> object:
    raise ValueError(name)


def _number(value: str) -> object:
    """As a number of JSON where readers of JSON keep every digit of it; else as text. NaN is text too."""
    if value.lstrip("-").isdigit():
        return int(value)
    exact = Decimal(value)
    return float(value) if exact.is_finite() and Decimal(repr(float(value))) == exact else value


def _moment(value: str, places: int) -> object:
    whole, _, nanos = value.partition(".")
    try:
        at = _BEGINNING + timedelta(microseconds=int(whole) * 10 ** (6 - places))
    except (ValueError, OverflowError):  # infinity, or a year that Python has not
        return value
    text = str(plain(at))
    if not nanos:
        return text
    return f"{text.removesuffix('Z')}{'' if at.microsecond else '.000000'}{nanos.rstrip('0')}Z"


def _listed(form: str, value: str, time_places: int | None) -> object:
    """The elements of `2[1:a,~]`; of an array with other bounds the text itself."""
    count, bracket, rest = value.partition("[")
    if not bracket or not count.isdigit():
        return value
    found: list[object] = []
    left = rest.encode()
    while len(found) < int(count):
        if left.startswith(NOTHING.encode()):
            found.append(None)
            left = left[len(NOTHING.encode()) + 1 :]
            continue
        length, _, left = left.partition(b":")
        found.append(readable(form, left[: int(length)].decode(errors="replace"), time_places))
        left = left[int(length) + 1 :]
    return found

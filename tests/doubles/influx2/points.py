"""Line protocol to points, and a bucket's points."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.doubles.influx2.times import Time

PRECISIONS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
Value = bool | int | float | str
Tags = tuple[tuple[str, str], ...]
_MEASUREMENT = re.compile(r"((?:\\[, ]|[^, ])+)")
_TAG = re.compile(r",((?:\\[,= ]|[^,= ])+)=((?:\\[,= ]|[^,= ])+)")
_FIELD = re.compile(r"((?:\\[,= ]|[^,= ])+)=(\"(?:\\.|[^\"\\])*\"|[^,\s]+)", re.DOTALL)
_TIME = re.compile(r" +(-?\d+)\s*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TRUE, _FALSE = ("t", "T", "true", "True", "TRUE"), ("f", "F", "false", "False", "FALSE")


class Unsigned(int):
    """An unsigned integer, which is a type of its own."""


@dataclass(frozen=True, slots=True)
class Point:
    """One field of one line."""

    measurement: str
    tags: Tags
    field: str
    value: Value
    time: Time


def kind(value: Value) -> str:
    """The type of a field, as the server's messages call it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Unsigned):
        return "unsigned"
    if isinstance(value, int):
        return "integer"
    return "float" if isinstance(value, float) else "string"


def parsed(text: str, precision: str, now: int) -> list[Point]:
    """The points of lines. Raises ValueError with the server's words for the first line that is none."""
    found: list[Point] = []
    for line in _lines(text):
        try:
            found.extend(_line(line, PRECISIONS[precision], now))
        except ValueError as error:
            raise ValueError(f"unable to parse '{line}': {error}") from None
    return found


def _lines(text: str) -> Iterator[str]:
    """Lines that say something; a line break within quotes belongs to the text."""
    line, quoted = "", False
    for place, sign in enumerate(text):
        if sign == '"' and (place == 0 or text[place - 1] != "\\"):
            quoted = not quoted
        if sign == "\n" and not quoted:
            yield from _said(line)
            line = ""
        else:
            line += sign
    yield from _said(line)


def _said(line: str) -> Iterator[str]:
    line = line.strip("\r\n ")
    if line and not line.startswith("#"):
        yield line


def _line(line: str, scale: int, now: int) -> Iterator[Point]:
    match = _MEASUREMENT.match(line)
    if match is None:
        raise ValueError("missing measurement")
    measurement, at = _plain(match[1]), match.end()
    tags = {}
    while match := _TAG.match(line, at):
        tags[_plain(match[1])] = _plain(match[2])
        at = match.end()
    if line[at : at + 1] != " ":
        raise ValueError("missing fields" if at == len(line) else "missing tag value")
    fields, at = _fields(line, at)
    match = _TIME.fullmatch(line, at)
    if match is None and line[at:].strip():
        raise ValueError("bad timestamp")
    time = Time(int(match[1]) * scale if match else now)
    for name, value in fields.items():
        yield Point(measurement, tuple(sorted(tags.items())), name, value, time)


def _fields(line: str, at: int) -> tuple[dict[str, Value], int]:
    at += len(line[at:]) - len(line[at:].lstrip(" "))
    found: dict[str, Value] = {}
    while match := _FIELD.match(line, at):
        found[_plain(match[1])] = _value(match[2])
        at = match.end()
        if line[at : at + 1] != ",":
            return found, at
        at += 1
    raise ValueError("missing field value" if found else "invalid field format")


def _value(text: str) -> Value:
    if text.startswith('"'):
        return re.sub(r"\\([\"\\])", r"\1", text[1:-1])
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[-1] in "iu" and text[:-1].lstrip("+-").isdigit():
        return int(text[:-1]) if text[-1] == "i" else Unsigned(text[:-1])
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError("invalid field format" if not text[0].isdigit() else "invalid number")


def _plain(text: str) -> str:
    return re.sub(r"\\([, =])", r"\1", text)

"""The statements that make the objects of one snapshot those of another.

They can be run where the change is made already: what is there is left, what is gone is passed by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

from provision.model import StoreOptions
from provision.ports.kind import Change, Objects
from provision.stores.clickhouse.setup import draft
from provision.text.files import UNFILLED

_KINDS = ("function", "table", "dictionary", "view", "materialized view")
_OPEN, _CLOSE = "([{", ")]}"
_TTL = re.compile(r" TTL (.*?)(?= SETTINGS |$)", re.DOTALL)
_SETTINGS = re.compile(r" SETTINGS (.*)$", re.DOTALL)
_PARTS = ("INDEX", "CONSTRAINT", "PROJECTION")


class _Table(NamedTuple):
    """`parts`: each part in the parenthesis → its text; `ttl`, `settings` and all else behind it."""

    parts: dict[str, str]
    ttl: str
    settings: dict[str, str]
    rest: str


def changes(before: Objects, after: Objects) -> list[Change]:
    """One for each object that is not the same in both: what is dropped, then what is made in its order."""
    names = [each for each in {**before, **after} if before.get(each) != after.get(each)]
    dropped = sorted((each for each in names if each not in after), key=_place, reverse=True)
    found = []
    made = sorted((each for each in names if each in after), key=_place)
    for name in (*dropped, *_in_turn(made, after)):
        lines = list(_change(name, before.get(name), after.get(name)))
        told = "; ".join(line.removeprefix("-- ") for line in lines if line.startswith("--"))
        found.append(Change(name, tuple(line for line in lines if not line.startswith("--")), told))
    return found


def _in_turn(names: Sequence[str], after: Objects) -> Sequence[str]:
    """Materialized views alone must find what they read: one that reads another comes behind it."""
    views = {each: own for each in names for kind, own in [parted(each)] if kind == "materialized view"}
    words = {each: set(re.findall(r"[^\s`'\"(),.]+", after[each])) - {own} for each, own in views.items()}
    read = {each: [other for other, own in views.items() if own in words[each]] for each in views}
    with suppress(CycleError):  # of views that only have the names of each other's columns
        return [*(each for each in names if each not in read), *TopologicalSorter(read).static_order()]
    return names


def _place(name: str) -> tuple[int, str]:
    return _KINDS.index(parted(name)[0]), name


def parted(name: str) -> tuple[str, str]:
    """The kind of an object of a snapshot, and its own name, which may have blanks too."""
    kind = next(each for each in reversed(_KINDS) if name.startswith(f"{each} "))
    return kind, name.removeprefix(f"{kind} ")


def _change(name: str, before: str | None, after: str | None) -> Iterator[str]:
    kind, plain = parted(name)
    own = f"`{plain}`"
    word = {"materialized view": "VIEW"}.get(kind, kind.upper())
    if after is None:
        yield f"DROP {word} IF EXISTS {own}"
    elif kind == "table" and before is not None:
        yield from _altered(own, _read(before), _read(after))
    elif kind == "table" or (kind == "materialized view" and before is None):
        yield _with(after, "IF NOT EXISTS")
    elif kind == "materialized view":
        yield f"DROP VIEW IF EXISTS {own}"
        yield after
    else:
        yield after if " OR REPLACE " in after else after.replace("CREATE ", "CREATE OR REPLACE ", 1)


def _with(text: str, words: str) -> str:
    return re.sub(r"^(CREATE (?:TABLE|MATERIALIZED VIEW|VIEW)) (?!IF )", rf"\1 {words} ", text)


def _altered(own: str, before: _Table, after: _Table) -> Iterator[str]:
    last = ""
    for name, text in after.parts.items():
        word = next((each for each in _PARTS if text.startswith(f"{each} ")), "")
        if name not in before.parts:
            place = f" AFTER {last}" if last and not word else "" if word else " FIRST"
            yield f"ALTER TABLE {own} ADD {word or 'COLUMN'} IF NOT EXISTS {text.removeprefix(word).strip()}{place}"
        elif before.parts[name] != text:
            yield from _part(own, word, name, before.parts[name], text)
        last = last if word else name
    for name, text in before.parts.items():
        if name not in after.parts:
            word = next((each for each in _PARTS if text.startswith(f"{each} ")), "COLUMN")
            yield f"ALTER TABLE {own} DROP {word} IF EXISTS {name.rpartition(' ')[2]}"
    if before.ttl != after.ttl:
        yield f"ALTER TABLE {own} MODIFY TTL {after.ttl}" if after.ttl else f"ALTER TABLE {own} REMOVE TTL"
    new = [f"{key} = {value}" for key, value in after.settings.items() if before.settings.get(key) != value]
    gone = [key for key in before.settings if key not in after.settings]
    if new:
        yield f"ALTER TABLE {own} MODIFY SETTING {', '.join(new)}"
    if gone:
        yield f"ALTER TABLE {own} RESET SETTING {', '.join(gone)}"
    if before.rest != after.rest:
        yield f"-- {own} has another engine, key or comment: make it anew, and copy its rows"


def _part(own: str, word: str, name: str, before: str, after: str) -> Iterator[str]:
    if word:
        yield f"ALTER TABLE {own} DROP {word} IF EXISTS {name.rpartition(' ')[2]}"
        yield f"ALTER TABLE {own} ADD {word} {after.removeprefix(word).strip()}"
        return
    for each in ("COMMENT", "CODEC", "TTL", "DEFAULT", "MATERIALIZED", "ALIAS"):
        if f" {each}" in before and f" {each}" not in after:
            yield f"ALTER TABLE {own} MODIFY COLUMN {name} REMOVE {each}"
    yield f"ALTER TABLE {own} MODIFY COLUMN {after}"


def _read(text: str) -> _Table:
    begin = text.index("(")
    end, pieces = _inside(text, begin)
    parts = {}
    for piece in pieces:
        words = piece.split(" ", 2)
        parts[f"{words[0]} {words[1]}" if words[0] in _PARTS else words[0]] = piece
    rest = text[end:]
    ttl, settings = _TTL.search(rest), _SETTINGS.search(rest)
    stated = _inside(f"({settings[1]})", 0)[1] if settings else []
    return _Table(
        parts,
        ttl[1] if ttl else "",
        dict(each.split(" = ", 1) for each in stated),
        _SETTINGS.sub("", _TTL.sub("", rest)),
    )


def _inside(text: str, begin: int) -> tuple[int, list[str]]:
    """Where the parenthesis that opens at `begin` ends, and what stands between its own commas."""
    depth, start, quote, at, pieces = 0, begin + 1, "", begin, list[str]()
    while at < len(text):
        sign = text[at]
        if quote:
            at += 1 if sign == "\\" else 0
            quote = "" if sign == quote else quote
        elif sign in "'`\"":
            quote = sign
        elif sign in _OPEN:
            depth += 1
        elif (sign in _CLOSE and depth == 1) or (sign == "," and depth == 1):
            pieces.append(text[start:at].strip())
            start = at + 1
            if sign != ",":
                return at + 1, pieces
        elif sign in _CLOSE:
            depth -= 1
        at += 1
    return len(text), pieces


def write(options: StoreOptions, message: str, up: Sequence[Change], down: Sequence[Change]) -> Sequence[Path]:
    """Write the pair of files that makes the changes where they are not made yet. Raises as `draft.write`."""
    paths = draft.write(options, message, ())
    lost = any(re.match(r"DROP (?:TABLE|DICT)|.* DROP COLUMN", line) for each in up for line in each.statements)
    head = f"-- description: {message}\n" + ("-- destructive: true\n" if lost else "")
    for path, found in zip(paths, (up, down), strict=True):
        path.write_text(head + _body(found), encoding="utf-8", newline="\n")
        head = ""
    return paths


def _body(found: Sequence[Change]) -> str:
    lines = []
    for each in found:
        lines += [f"-- {UNFILLED}: {each.by_hand}"] if each.by_hand else []
        lines += [f"{line};" for line in each.statements]
    return "\n".join(lines) + "\n"

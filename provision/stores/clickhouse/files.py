"""Reads `NNN_slug.sql` and its `.down.sql` as clickhouse-migrations does, with our header lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from provision.errors import ConfigError, ProvisionError, raise_all
from provision.model import Direction, Revision, StoreOptions
from provision.text.files import (
    UNFILLED,
    checksum,
    described,
    headers,
    inside,
    listed,
    number_and_slug,
    read_text,
    unread,
)

DOWN = ".down.sql"
HIGHEST = 2**32 - 1
# goose, sql-migrate and their like; dbmate; rambler; MyBatis.
_MARKER = re.compile(
    r"^[ \t]*(?P<mark>--[ \t]*(?:\+\w+[ \t]+|migrate:|rambler[ \t]+|//[ \t]*@)(?P<way>up|down|undo)\b[^\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
_OPPOSITE = {Direction.UP: ("DOWN", "UNDO"), Direction.DOWN: ("UP",)}
_AWAY = {Direction.UP: "down", Direction.DOWN: "up"}


class Script(NamedTuple):
    """One revision's texts; `down` is None without a way back; `md5`, the peer's checksum, is of the raw bytes."""

    revision: Revision
    up: str
    down: str | None
    md5: str

    @property
    def version(self) -> int:
        return int(self.revision.number)


def scripts(options: StoreOptions) -> Mapping[str, Script]:
    """Id → script, in the order of their numbers. A file and its `.down.sql` belong together by their number.

    Raises ConfigError (not-utf8, bad-filename, empty-migration, duplicate-id, orphan-down, both-ways, number-too-high,
    nothing-read), for all files together.
    """
    found: list[Script] = []
    errors: list[ProvisionError] = []
    downs = _downs(options, errors)
    for path in inside(options.path, "*.sql", options.root):
        if path.name.endswith(DOWN):
            continue
        try:
            found.append(_script(options, path, downs))
        except ProvisionError as error:
            errors.append(error)
    errors += [_orphan(options, path) for path in downs.values()]
    errors += unread(options, (".sql",))
    found.sort(key=lambda script: script.version)
    errors += _twice(found)
    raise_all(errors)
    return {script.revision.id: script for script in _chained(found)}


def _downs(options: StoreOptions, errors: list[ProvisionError]) -> dict[int, Path]:
    """The `.down.sql` files by their number; what is wrong with one goes to `errors`."""
    found: dict[int, Path] = {}
    for path in inside(options.path, f"*{DOWN}", options.root):
        try:
            number = int(number_and_slug(path, options.shown(path))[0])
        except ProvisionError as error:
            errors.append(error)
            continue
        if number in found:
            errors.append(_same(options, f"go down from version {number}", found[number], path))
        found.setdefault(number, path)
    return found


def _script(options: StoreOptions, path: Path, downs: dict[int, Path]) -> Script:
    """The script of a file; takes its way back out of `downs`."""
    shown = options.shown(path)
    number, slug = number_and_slug(path, shown)
    down = downs.pop(int(number), None)
    if int(number) > HIGHEST:
        raise _too_high(path, shown)
    text = read_text(path, shown)
    if not text.strip():
        raise ConfigError("empty-migration", f"{path.name} is empty", where=shown, fix="write its SQL or delete it")
    back = read_text(down, options.shown(down)) if down else None
    draft = "" if _says_something(text) else path.name
    if down and back and UNFILLED in back and not _says_something(back):
        draft = draft or down.name
    stem = path.name.removesuffix(".sql").removesuffix(".up")
    _one_way(text, shown, Direction.UP, f"{stem}{DOWN}")
    if down and back:
        _one_way(back, options.shown(down), Direction.DOWN, path.name)
    head = headers(text)
    revision = Revision(
        store=options.name,
        number=number,
        slug=slug,
        description=head.get("description") or described(slug),
        path=shown,
        checksum=checksum(text),
        requires=listed(head.get("requires", "")),
        irreversible=None if down else f"there is no {stem}{DOWN}",
        strict=options.extra.get("strict") not in (False, "false"),
        draft=draft,
    )
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return Script(revision, text, back, md5)


def _too_high(path: Path, shown: str) -> ConfigError:
    return ConfigError(
        "number-too-high",
        f"{path.name}: {HIGHEST} is the highest version that clickhouse-migrations' table keeps (UInt32)",
        where=shown,
        fix="give the files shorter numbers in the same order: 001_, 002_, or a date and two digits (2026013101_)",
    )


def _one_way(text: str, shown: str, way: Direction, other: str) -> None:
    """Refuse a file in which another tool's marker begins the opposite direction: all of it would run."""
    for found in _MARKER.finditer(text):
        if found["way"].upper() in _OPPOSITE[way] and _is_comment(text, found.start("mark")):
            line = text.count("\n", 0, found.start("mark")) + 1
            raise ConfigError(
                "both-ways",
                f"{shown} holds both directions: below `{found['mark'].strip()}` it is the way {_AWAY[way]}",
                where=f"{shown}:{line}",
                fix=f"move what is below the marker to {other}, and take the markers out",
            )


def _is_comment(text: str, at: int) -> bool:
    from provision.stores.clickhouse.migrate.parse.lexer import lexemes

    return any(each.kind == "comment" and each.start == at for each in lexemes(text))


def _says_something(text: str) -> bool:
    """False for a text of comments and semicolons alone."""
    lines = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split("\n")
    return any(line.strip(" ;") and not line.startswith("--") for line in map(str.strip, lines))


def _chained(found: Sequence[Script]) -> Sequence[Script]:
    """Each script after the one before it."""
    chained: list[Script] = []
    for script in found:
        parents = (chained[-1].revision.id,) if chained else ()
        chained.append(script._replace(revision=replace(script.revision, parents=parents)))
    return chained


def _twice(found: Sequence[Script]) -> list[ProvisionError]:
    """`1_a.sql` and `001_b.sql` are one version to the peer."""
    return [
        ConfigError(
            "duplicate-id",
            f"2 files are version {after.version} of {after.revision.store}",
            where=f"{before.revision.path}, {after.revision.path}",
            fix="give one of them the next free number",
        )
        for before, after in pairwise(found)
        if before.version == after.version
    ]


def _same(options: StoreOptions, what: str, *paths: Path) -> ConfigError:
    where = ", ".join(options.shown(each) for each in paths)
    return ConfigError("duplicate-id", f"2 files {what} of {options.name}", where=where, fix="delete one of them")


def _orphan(options: StoreOptions, path: Path) -> ConfigError:
    up = path.name.replace(DOWN, ".sql")
    return ConfigError(
        "orphan-down", f"{path.name} has no {up}", where=options.shown(path), fix=f"write {up}, or delete the down file"
    )

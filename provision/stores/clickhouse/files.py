"""Reads `NNN_slug.sql` and its `.down.sql` as clickhouse-migrations does, with our header lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from provision.errors import ConfigError, ProvisionError, raise_all
from provision.model import Revision, StoreOptions
from provision.text.files import (
    UNFILLED,
    checksum,
    described,
    headers,
    inside,
    listed,
    number_and_slug,
    read_text,
    unfilled,
)

DOWN = ".down.sql"


@dataclass(frozen=True, slots=True)
class Script:
    """One revision's texts; `down` is None without a way back; `md5`, the peer's checksum, is of the raw bytes."""

    revision: Revision
    up: str
    down: str | None
    md5: str

    @property
    def version(self) -> int:
        return int(self.revision.number)


def scripts(options: StoreOptions) -> Mapping[str, Script]:
    """Id → script, in the order of their numbers.

    Raises ConfigError (not-utf8, bad-filename, empty-migration, duplicate-id, orphan-down), for all files together.
    """
    found: list[Script] = []
    errors: list[ProvisionError] = []
    downs = {path.name.removesuffix(DOWN): path for path in inside(options.path, f"*{DOWN}", options.root)}
    ups = [path for path in inside(options.path, "*.sql", options.root) if not path.name.endswith(DOWN)]
    for path in ups:
        try:
            found.append(_script(options, path, downs.pop(path.stem, None)))
        except ProvisionError as error:
            errors.append(error)
    errors += [_orphan(options, path) for path in downs.values()]
    found.sort(key=lambda script: script.version)
    errors += _twice(found)
    raise_all(errors)
    return {script.revision.id: script for script in _chained(found)}


def _script(options: StoreOptions, path: Path, down: Path | None) -> Script:
    shown = options.shown(path)
    number, slug = number_and_slug(path, shown)
    text = read_text(path, shown)
    if not text.strip():
        raise ConfigError("empty-migration", f"{path.name} is empty", where=shown, fix="write its SQL or delete it")
    if not _says_something(text):
        raise unfilled(shown, path.name)
    back = read_text(down, options.shown(down)) if down else None
    if down and back and UNFILLED in back and not _says_something(back):
        raise unfilled(options.shown(down), down.name)
    head = headers(text)
    revision = Revision(
        store=options.name,
        number=number,
        slug=slug,
        description=head.get("description") or described(slug),
        path=shown,
        checksum=checksum(text),
        requires=listed(head.get("requires", "")),
        irreversible=None if down else f"there is no {path.stem}{DOWN}",
        strict=options.extra.get("strict") not in (False, "false"),
    )
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return Script(revision, text, back, md5)


def _says_something(text: str) -> bool:
    """False for a text of comments and semicolons alone."""
    lines = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split("\n")
    return any(line.strip(" ;") and not line.startswith("--") for line in map(str.strip, lines))


def _chained(found: Sequence[Script]) -> Sequence[Script]:
    """Each script after the one before it."""
    chained: list[Script] = []
    for script in found:
        parents = (chained[-1].revision.id,) if chained else ()
        chained.append(replace(script, revision=replace(script.revision, parents=parents)))
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


def _orphan(options: StoreOptions, path: Path) -> ConfigError:
    up = path.name.replace(DOWN, ".sql")
    return ConfigError(
        "orphan-down", f"{path.name} has no {up}", where=options.shown(path), fix=f"write {up}, or delete the down file"
    )

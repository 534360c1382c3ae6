"""Which files of a script folder are revisions, and what to say where none of them is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.stores.postgres.migrate.ini import chooses_files

NOT_REVISIONS = ("__init__", ".#")  # as Alembic has it; the second is an editor's lock file
# Compiled where they are looked for: few env.py name it, and few folders are empty.
_SET_BY_ENV = rb"\bversion_locations\s*(?:=(?!=)|\.\w+\(|\+=|\[)|setattr\([^)]*version_locations"
_LIKE_ONE = rb"(?m)^(?:down_)?revision\b|^def (?:upgrade|downgrade)\b"
_NAMED = 5


def needs_alembic(options: StoreOptions) -> bool:
    """Whether only Alembic itself can say which files are revisions: the ini, pyproject.toml or env.py choose them."""
    return chooses_files(options) or set_by_env(options)


def set_by_env(options: StoreOptions) -> bool:
    """Whether env.py sets `version_locations` when it runs."""
    env = options.path / "env.py"
    text = env.read_bytes() if env.is_file() else b""
    return b"version_locations" in text and re.search(_SET_BY_ENV, text) is not None


def nothing_read(options: StoreOptions) -> Iterator[ConfigError]:
    """The error (nothing-read) of a store without a revision whose folder holds files that look like some."""
    seen = [*islice(_like_revisions(options.path), _NAMED + 1)]
    if not seen:
        return
    names = ", ".join(each.relative_to(options.path).as_posix() for each in seen[:_NAMED])
    more = " and more" if len(seen) > _NAMED else ""
    yield ConfigError(
        "nothing-read",
        f"Alembic finds no revision of {options.name}, but there are files that look like some: {names}{more}",
        where=options.shown(options.path),
        fix="move them to the folder `versions`, or name their folders in the ini (version_locations)",
    )


def _like_revisions(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        if parts == ("env.py",) or any(part.startswith((".", "__pycache__")) for part in parts):
            continue
        if path.is_file() and not path.name.startswith(NOT_REVISIONS) and re.search(_LIKE_ONE, path.read_bytes()):
            yield path

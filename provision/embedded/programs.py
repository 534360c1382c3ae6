"""Servers that no wheel brings: the program must be on PATH."""

from __future__ import annotations

import shutil

from provision import kinds
from provision.errors import ConfigError


def missing(kind: str) -> str:
    """The program that a kind's engine needs and PATH does not have; empty when nothing is missing."""
    name = _of(kind)
    return "" if not name or shutil.which(name) else name


def program(kind: str, store: str) -> str:
    """The path of a kind's program. Raises ConfigError (no-engine) when PATH does not have it."""
    name = _of(kind)
    found = shutil.which(name)
    if found is None:
        raise ConfigError(
            "no-engine",
            f"the embedded engine of {store} needs {name}, which is not on PATH",
            where=store,
            fix=f"put {name} on PATH, or set {store}.url",
        )
    return found


def _of(kind: str) -> str:
    return kinds.engine(kind)[1]

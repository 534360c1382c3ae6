"""Servers that no wheel brings: the program must be on PATH."""

from __future__ import annotations

import shutil

from provision.errors import ConfigError

PROGRAMS = {"influx": "influxd", "weaviate": "weaviate-server"}


def missing(kind: str) -> str:
    """The program that a kind's engine needs and PATH does not have; empty when nothing is missing."""
    name = PROGRAMS.get(kind, "")
    return "" if not name or shutil.which(name) else name


def program(kind: str, store: str) -> str:
    """The path of a kind's program. Raises ConfigError (no-engine) when PATH does not have it."""
    found = shutil.which(PROGRAMS[kind])
    if found is None:
        raise ConfigError(
            "no-engine",
            f"the embedded engine of {store} needs {PROGRAMS[kind]}, which is not on PATH",
            where=store,
            fix=f"put {PROGRAMS[kind]} on PATH, or set {store}.url",
        )
    return found

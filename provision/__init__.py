"""Moves PostgreSQL, ClickHouse, InfluxDB, Weaviate, ArangoDB and Redis together.

`Project` is the library; its results and errors are public. Nothing is imported before it is asked for: the command
line starts without what it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provision.errors import (
        ConfigError,
        FailedError,
        LeaseHeld,
        ProvisionError,
        RefusedError,
        Several,
        UnreachableError,
    )
    from provision.model import Began, Done, Failure, Note, Plan, Report
    from provision.project import Project
    from provision.run import Run, Stop

__all__ = [
    "Began",
    "ConfigError",
    "Done",
    "FailedError",
    "Failure",
    "LeaseHeld",
    "Note",
    "Plan",
    "Project",
    "ProvisionError",
    "RefusedError",
    "Report",
    "Run",
    "Several",
    "Stop",
    "UnreachableError",
]
_PLACES = {"Project": "project", "Run": "run", "Stop": "run"}
_EVENTS = ("Began", "Done", "Failure", "Note", "Plan", "Report")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'provision' has no attribute {name!r}")
    module = _PLACES.get(name, "model" if name in _EVENTS else "errors")
    found: object = getattr(import_module(f"provision.{module}"), name)
    return found

"""Moves PostgreSQL, ClickHouse, InfluxDB, Weaviate, ArangoDB and Redis together.

`Project` is the library; what it returns and raises is public too, by the names listed here. Nothing is imported
before it is asked for: the command line starts without what it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provision.core.audit import IllegalEntry
    from provision.core.graph import Graph
    from provision.core.standing import Flag, StoreStanding
    from provision.embedded import EngineStatus
    from provision.errors import (
        CapabilityMissing,
        ConfigError,
        FailedError,
        Interrupted,
        LeaseHeld,
        LeaseLost,
        ProvisionError,
        RefusedError,
        Several,
        StatementFailed,
        UnreachableError,
    )
    from provision.flows.backfill_standing import BackfillStatus
    from provision.flows.commutes import BranchConflict, Commuting
    from provision.flows.doctor import Checkup
    from provision.flows.history import HistoryEntry
    from provision.flows.look import ProjectStatus
    from provision.flows.validate import Validation
    from provision.flows.verify import LedgerReport
    from provision.model import (
        Began,
        Blocked,
        Direction,
        Done,
        Event,
        Failure,
        Finding,
        LeaseRecord,
        Note,
        Plan,
        Report,
        Revision,
        RunEvent,
        Step,
    )
    from provision.model.backfills import Backfill, BackfillRun
    from provision.model.checks import CheckSeverity, Result, StoredResult
    from provision.model.plans import SavedPlan
    from provision.model.statements import Description
    from provision.project import Project
    from provision.run import Run, Stop

_NAMES = {
    "core.audit": ("IllegalEntry",),
    "core.graph": ("Graph",),
    "core.standing": ("Flag", "StoreStanding"),
    "embedded": ("EngineStatus",),
    "errors": (
        "CapabilityMissing",
        "ConfigError",
        "FailedError",
        "Interrupted",
        "LeaseHeld",
        "LeaseLost",
        "ProvisionError",
        "RefusedError",
        "Several",
        "StatementFailed",
        "UnreachableError",
    ),
    "flows.backfill_standing": ("BackfillStatus",),
    "flows.commutes": ("BranchConflict", "Commuting"),
    "flows.doctor": ("Checkup",),
    "flows.history": ("HistoryEntry",),
    "flows.look": ("ProjectStatus",),
    "flows.validate": ("Validation",),
    "flows.verify": ("LedgerReport",),
    "model": (
        "Began",
        "Direction",
        "Done",
        "Event",
        "Failure",
        "Finding",
        "RunEvent",
        "Blocked",
        "LeaseRecord",
        "Note",
        "Plan",
        "Report",
        "Revision",
        "Step",
    ),
    "model.backfills": ("Backfill", "BackfillRun"),
    "model.checks": ("StoredResult", "Result", "CheckSeverity"),
    "model.plans": ("SavedPlan",),
    "model.statements": ("Description",),
    "project": ("Project",),
    "run": ("Run", "Stop"),
}
"""Module → the public names that are in it."""
_PLACES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Backfill",
    "BackfillRun",
    "BackfillStatus",
    "Began",
    "Blocked",
    "BranchConflict",
    "CapabilityMissing",
    "CheckSeverity",
    "Checkup",
    "Commuting",
    "ConfigError",
    "Description",
    "Direction",
    "Done",
    "EngineStatus",
    "Event",
    "FailedError",
    "Failure",
    "Finding",
    "Flag",
    "Graph",
    "HistoryEntry",
    "IllegalEntry",
    "Interrupted",
    "LeaseHeld",
    "LeaseLost",
    "LeaseRecord",
    "LedgerReport",
    "Note",
    "Plan",
    "Project",
    "ProjectStatus",
    "ProvisionError",
    "RefusedError",
    "Report",
    "Result",
    "Revision",
    "Run",
    "RunEvent",
    "SavedPlan",
    "Several",
    "StatementFailed",
    "Step",
    "Stop",
    "StoreStanding",
    "StoredResult",
    "UnreachableError",
    "Validation",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'provision' has no attribute {name!r}")
    found: object = getattr(import_module(f"provision.{_PLACES[name]}"), name)
    globals()[name] = found  # asked for once
    return found


def __dir__() -> list[str]:
    return __all__

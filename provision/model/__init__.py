"""The nouns of the project as frozen data; no behaviour beyond what follows from their own fields."""

from __future__ import annotations

from provision.model.reports import Began, Done, Failure, Leftover, Listener, Note, Report, RunEvent
from provision.model.revisions import (
    PENDING,
    Blocked,
    Direction,
    Event,
    EventKind,
    Plan,
    Revision,
    State,
    StateName,
    Step,
)
from provision.model.stores import (
    RUN_LOCK,
    UNKNOWN_HOLDER,
    Contact,
    Finding,
    Heartbeat,
    LeaseRecord,
    Owner,
    Severity,
    StoreOptions,
)

__all__ = [
    "PENDING",
    "RUN_LOCK",
    "UNKNOWN_HOLDER",
    "Began",
    "Blocked",
    "Contact",
    "Direction",
    "Done",
    "Event",
    "EventKind",
    "Failure",
    "Finding",
    "Heartbeat",
    "LeaseRecord",
    "Leftover",
    "Listener",
    "Note",
    "Owner",
    "Plan",
    "Report",
    "Revision",
    "RunEvent",
    "Severity",
    "State",
    "StateName",
    "Step",
    "StoreOptions",
]

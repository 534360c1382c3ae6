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
from provision.model.statements import Description, Fate, Found, Mark, Outcome, Running, Statement
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
    "Description",
    "Direction",
    "Done",
    "Event",
    "EventKind",
    "Failure",
    "Fate",
    "Finding",
    "Found",
    "Heartbeat",
    "LeaseRecord",
    "Leftover",
    "Listener",
    "Mark",
    "Note",
    "Outcome",
    "Owner",
    "Plan",
    "Report",
    "Revision",
    "RunEvent",
    "Running",
    "Severity",
    "State",
    "StateName",
    "Statement",
    "Step",
    "StoreOptions",
]

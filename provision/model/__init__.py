"""The nouns of the project as frozen data; no behaviour beyond what follows from their own fields."""

from __future__ import annotations

from provision.model.reports import Began, Done, Failure, Happening, Leftover, Note, Report, Watcher
from provision.model.revisions import PENDING, Direction, Event, EventKind, Held, Plan, Revision, State, StateName, Step
from provision.model.statements import Description, Fate, Found, Mark, Outcome, Running, Statement
from provision.model.stores import UNKNOWN_HOLDER, Beat, Contact, Finding, Holding, Owner, Severity, StoreOptions

__all__ = [
    "PENDING",
    "UNKNOWN_HOLDER",
    "Beat",
    "Began",
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
    "Happening",
    "Held",
    "Holding",
    "Leftover",
    "Mark",
    "Note",
    "Outcome",
    "Owner",
    "Plan",
    "Report",
    "Revision",
    "Running",
    "Severity",
    "State",
    "StateName",
    "Statement",
    "Step",
    "StoreOptions",
    "Watcher",
]

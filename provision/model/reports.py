"""What happens while a run goes on, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from provision.model.revisions import Blocked, Event, Step


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed and why."""

    step: Step
    error: Exception
    statement: int | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """A step that is being carried out."""

    step: Step


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know, said once while a run goes on.

    `live`: what the statement in hand is about now, and whom it waits for. It takes the place of the one before; an
    empty text says that the statement is over.
    """

    store: str
    text: str
    live: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was carried out, or, with the reason in `skipped`, passed over because the server lacks something."""

    step: Step
    duration_ms: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a revision replaced and kept for a while; `reason` says by what and until when, `due` is that time."""

    store: str
    name: str
    reason: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `windows` are the names of those that it made in partitioned tables."""

    done: tuple[Done, ...] = ()
    failures: tuple[Failure, ...] = ()
    remaining: tuple[Step, ...] = ()
    held: tuple[Blocked, ...] = ()
    recorded: tuple[Event, ...] = ()
    duration_ms: int = 0
    removed: tuple[Leftover, ...] = ()
    windows: tuple[str, ...] = ()


RunEvent = Began | Done | Failure | Note
Listener = Callable[[RunEvent], None]

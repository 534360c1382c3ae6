"""How a move may go, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.core.plan import Standings
from provision.flows.losses import Losses
from provision.model import (
    Listener,
    Owner,
    Plan,
)

if TYPE_CHECKING:
    from provision.core.execute import Coordinator
    from provision.model.backfills import Backfill


@dataclass(frozen=True, slots=True)
class Rules:
    """How a move may go. `wait` is in seconds; `confirm` is asked about losses that no flag allowed.

    `as_reviewed` refuses a `saved` plan that would do something else than it shows, or to something else.
    """

    owner: Owner
    wait: float = 600.0
    use_lease: bool = True
    dry_run: bool = False
    allow_destructive: bool = False
    confirm: Callable[[Losses], bool] = field(default=lambda _: False)
    saved: Plan | None = None
    as_reviewed: Callable[[], None] = field(default=lambda: None)
    backfills: Mapping[str, Backfill] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom to tell. `planned` is called once with what is about to run; `stopper` receives the board to stop.

    `losing` is called before `planned` in a dry run, with what the steps would lose. `check` is asked while the run
    waits for others, and raises Interrupted to end it. `interrupted` hears what else was raised in the run's own
    thread while statements were under way.
    """

    happened: Listener
    planned: Callable[[Plan, Standings], None]
    stopper: Callable[[Coordinator], None] = field(default=lambda _: None)
    losing: Callable[[Losses], None] = field(default=lambda _: None)
    check: Callable[[], None] = field(default=lambda: None)
    interrupted: Callable[[BaseException], None] = field(default=lambda _: None)

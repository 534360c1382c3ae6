"""What `up` and `down` need besides what was asked for, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.core.graph import BACKFILL
from provision.errors import ProvisionError, joined
from provision.flows.connect import Site
from provision.flows.losses import Losses
from provision.model import Direction, Event, Failure, Note, Plan, Report, RunEvent
from provision.partitions.folder import FOLDER
from provision.settings import Environment
from provision.wiring import sites

if TYPE_CHECKING:
    from provision.flows.partitions import SetStanding
    from provision.model.backfills import Backfill


def needed_backfills(site: Site) -> dict[str, Backfill]:
    """The project's backfills by id, read only where a revision waits for one."""
    if not any(need.startswith(BACKFILL) for each in site.graph.order for need in each.requires):
        return {}
    from provision.wiring import backfills

    return {each.id: each for each in backfills.read(site.project)}


def changed_by_hand(site: Site, direction: Direction, plan: Plan) -> list[Note]:
    """What a person should know of the objects that an `up` is about to touch. Costs nothing where nothing is to do."""
    if direction is Direction.DOWN or not plan.steps:
        return []
    from provision.wiring.drift import before_up

    return before_up(site, plan)


def has_windows(site: Site) -> bool:
    """Whether the project describes partitioned tables."""
    return (site.project.root / FOLDER).is_dir()


def partitions_in_need(site: Site, only: frozenset[str] = frozenset()) -> list[SetStanding]:
    """The partitioned tables of the site that a person must see to. Raises ConfigError for a document that is wrong."""
    if not has_windows(site):
        return []
    from provision.wiring.partitions import looked_at

    return [each for each in looked_at(site, only) if each.needs]


def hidden(happening: RunEvent, environment: Environment) -> RunEvent:
    """What happened without secrets: a note may quote a statement that still runs, and an error what a server says."""
    if isinstance(happening, Failure) and isinstance(happening.error, ProvisionError):
        sites.hide(happening.error, environment)
    return replace(happening, text=environment.mask(happening.text)) if isinstance(happening, Note) else happening


def hidden_event(event: Event, mask: Callable[[str], str]) -> Event:
    """An entry of a ledger without secrets: it may hold the text of a statement."""
    detail = {key: mask(each) if isinstance(each, str) else each for key, each in event.detail.items()}
    return replace(event, detail=detail)


def hidden_losses(losses: Losses, mask: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    """What would be lost without secrets: a rule or a statement may hold one."""
    return {name: tuple(map(mask, why)) for name, why in losses.items()}


def error_of(report: Report) -> ProvisionError | None:
    """The error a report ends with: the failures of all lanes, or None."""
    if not report.failures:
        return None
    from provision.wiring.machine import blamed  # for failures alone

    errors = [blamed(each.error, begun=True) for each in report.failures if isinstance(each.error, ProvisionError)]
    return joined(errors)

"""What `up` and `down` need besides what was asked for, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.core.graph import BACKFILL
from provision.errors import ProvisionError, joined
from provision.flows.connect import Site
from provision.flows.losses import Losses
from provision.model import Event, Failure, Note, Report, RunEvent
from provision.settings import Environment
from provision.wiring import sites

if TYPE_CHECKING:
    from provision.model.backfills import Backfill


def needed_backfills(site: Site) -> dict[str, Backfill]:
    """The project's backfills by id, read only where a revision waits for one."""
    if not any(need.startswith(BACKFILL) for each in site.graph.order for need in each.requires):
        return {}
    from provision.wiring import backfills

    return {each.id: each for each in backfills.read(site.project)}


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

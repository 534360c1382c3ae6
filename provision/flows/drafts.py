"""Files that nobody has filled in yet: shown as such, and refused where they would be run."""

from __future__ import annotations

from collections.abc import Iterable

from provision.errors import raise_all
from provision.model import Plan, Revision, Step
from provision.text.files import unfilled


def refuse(revisions: Iterable[Revision]) -> None:
    """Raises ConfigError (empty-migration) for each draft among them, together."""
    raise_all([unfilled(each.path, each.draft) for each in revisions if each.draft])


def refuse_in(plan: Plan) -> Plan:
    """The plan, if nothing of it is a draft; what waits for a backfill may run within the same move."""
    refuse([*(step.revision for step in plan.steps), *(held.step.revision for held in plan.held)])
    return plan


def filled(steps: Iterable[Step]) -> list[Step]:
    """The steps that can be looked into."""
    return [step for step in steps if not step.revision.draft]

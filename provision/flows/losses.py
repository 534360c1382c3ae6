"""What a plan would lose, who allowed it, and what is committed already when a step is stopped for it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.core.standing import Standing
from provision.errors import ProvisionError, RefusedError
from provision.flows.connect import Reach, Site
from provision.model import Direction, Report, Step
from provision.ports import Foretelling

if TYPE_CHECKING:
    from provision.flows.rules import Rules

Losses = Mapping[str, Sequence[str]]  # id → why it can lose data
CODE = "destructive"
NAMED = 20


def foreseen(site: Site, steps: Sequence[Step]) -> Losses:
    """What each step, taken in order, would lose of what the databases hold now; steps that lose nothing are left out.

    An engine that is not made yet holds nothing.
    """
    found: dict[str, Sequence[str]] = {}
    for name in dict.fromkeys(step.revision.store for step in steps):
        reached = site.reached[name]
        lane = [step for step in steps if step.revision.store == name]
        if reached.reach is Reach.ABSENT:
            continue
        if isinstance(reached.store, Foretelling):
            found.update(reached.store.losses_of(lane))
        else:
            found.update((step.id, reached.store.losses(step)) for step in lane)
    return {step.id: why for step in steps if (why := found.get(step.id))}


class Allowed:
    """Which steps of one run may lose data: all with the flag, else those that a person agreed to."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._steps: set[str] = set()

    def may_lose(self, step: Step) -> bool:
        return self._rules.allow_destructive or step.id in self._steps

    def ask(self, site: Site, steps: Sequence[Step], agreed: Container[str] = ()) -> None:
        """Refuse what loses data, unless the flag or a person allows it, or it is `agreed`. Raises RefusedError."""
        asked = [step.id for step in steps if step.id not in agreed]
        if self._rules.allow_destructive or not asked:
            return
        losses = {name: why for name, why in foreseen(site, steps).items() if name in asked}
        if not losses:
            return
        if self._rules.confirm(losses):
            self._steps.update(losses)
            return
        shown = "; ".join(f"{name} {', '.join(why)}" for name, why in list(losses.items())[:3])
        more = f"; and {len(losses) - 3} more" if len(losses) > 3 else ""
        raise RefusedError(
            CODE,
            f"{len(losses)} of {len(asked)} steps would lose data",
            where=f"{shown}{more}",
            fix="look at the plan with --dry-run, then add --allow-destructive",
        )

    def begun(self, steps: Iterable[Step], standings: Mapping[str, Standing]) -> None:
        """Let downs that an earlier run began go on, unless that run was stopped because they lose data."""
        for step in steps:
            refused = standings[step.id].state.error.startswith(f"{CODE}:")
            if step.direction is Direction.DOWN and not refused:
                self._steps.add(step.id)


def with_committed(report: Report) -> Report:
    """The report; of a step that was stopped because it loses data, with what this run had committed before."""
    done = [each.step.id for each in report.done if not each.skipped]
    shown = ", ".join(done[:NAMED]) + (f" and {len(done) - NAMED} more" if len(done) > NAMED else "")
    failures = []
    for failure in report.failures:
        error = failure.error
        if done and isinstance(error, ProvisionError) and error.code == CODE:
            error.where = f"{error.where}; committed before it in this run: {shown}"
        failures.append(failure)
    return replace(report, failures=tuple(failures))

"""What the stores' present state and the user's wish come to, and what forbids it."""

from __future__ import annotations

from dataclasses import replace

from provision.core.plan import MoveRequest, Standings, by_word, first_moved, moved, plan_down, plan_up
from provision.errors import ConfigError, RefusedError
from provision.flows import drafts, peers
from provision.flows.connect import Reach, Site
from provision.flows.rules import Rules
from provision.model import Direction, Plan


def planned(site: Site, direction: Direction, wanted: MoveRequest, rules: Rules, standings: Standings) -> Plan:
    """What the stores' present state and the user's wish come to; of a saved plan, its own steps alone.

    Raises RefusedError and ConfigError.
    """
    _only_answers(site, wanted)
    peers.refuse_lost(site, standings)
    if direction is Direction.UP:
        plan = plan_up(site.graph, standings, wanted)
        if plan.held:
            from provision.flows.gate_names import refuse_unknown  # few projects hold a revision back

            refuse_unknown(site.project.root, plan.held)
        return plan if rules.saved is None else _as_saved(plan, rules.saved)
    _nothing_half_applied(standings, wanted)
    return plan_down(site.graph, standings, wanted)


def fresh_plan(site: Site, direction: Direction, wanted: MoveRequest, rules: Rules, standings: Standings) -> Plan:
    _fresh(rules.saved, standings)
    rules.as_reviewed()
    return drafts.refuse_in(planned(site, direction, wanted, rules, standings))


def _as_saved(plan: Plan, saved: Plan) -> Plan:
    names = {step.id for step in saved.steps}
    return replace(plan, steps=tuple(step for step in plan.steps if step.id in names))


def _only_answers(site: Site, wanted: MoveRequest) -> None:
    for name in sorted(wanted.only):
        if site.reached[name].reach in (Reach.NOT_CONFIGURED, Reach.OFF):
            raise ConfigError(
                "store-not-configured",
                f"--only names {name}, which is {site.reached[name].reach.replace('_', ' ')} here",
                where=f"environment {site.environment.name}",
                fix=f"set {name}.url",
            )


def _fresh(saved: Plan | None, standings: Standings) -> None:
    """Refuse a saved plan that was made from another state, naming the first revision of each store that moved."""
    stale = moved(saved, standings) if saved is not None else []
    if saved is not None and stale:
        raise RefusedError(
            "stale-plan",
            f"the plan was made from another state: {', '.join(stale)} changed since",
            where="; ".join(_moved(saved, standings, store) for store in stale),
            fix="make the plan again: `provision plan --out FILE`",
        )


def _moved(saved: Plan, standings: Standings, store: str) -> str:
    found = first_moved(saved, standings, store)
    if found is None:
        return f"{store}: in the plan, and not there now"
    name, was, becomes = found
    if was == becomes:
        return f"{name}: its file was edited"
    return f"{name}: {was or 'had no file'} when planned, {becomes or 'has no file'} now"


def _nothing_half_applied(standings: Standings, wanted: MoveRequest) -> None:
    for standing in standings.values():
        for each in standing.standings.values():
            ours = not wanted.only or standing.store in wanted.only
            if ours and each.state.open and each.state.direction is Direction.UP:
                raise RefusedError(
                    "half-applied",
                    f"{each.id} is half applied: its statement {each.state.events[-1].statement} did not end",
                    where=f"ledger of {standing.store}, begun by {each.state.actor}",
                    fix=f"`provision up` finishes it; or settle it: {by_word(each.id)}",
                )

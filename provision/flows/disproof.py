"""Whether what a person says of a half-applied revision can be seen to be wrong. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from provision.core.standing import Standing
from provision.errors import RefusedError
from provision.flows.connect import Site
from provision.flows.verdicts import Verdict
from provision.model import Direction, Event, Step
from provision.model.statements import Fate, Outcome
from provision.ports import Store


class Disproof(NamedTuple):
    """A statement, by its number, whose fate is not what was said; `reason` is what was seen."""

    number: int
    summary: str
    reason: str


def disproof(site: Site, each: Standing, verdict: Verdict) -> Disproof | None:
    """The first statement that speaks against the word, as its probe sees the server; None where none does.

    Of what a probe cannot tell, the person's word is taken: that is what it is asked for.
    """
    if each.revision is None or not each.state.open or verdict is Verdict.ACCEPT_CHANGE:
        return None
    # What is said to be there must have no statement that is not, and what is said to be gone none that is.
    said = verdict is Verdict.APPLIED
    up = each.state.direction is Direction.UP
    wrong = Outcome.NOT_DONE if said is up else Outcome.DONE
    for number, summary, fate in _fates(site.stores[each.id.split("/", 1)[0]], each, later=said is up):
        if fate.outcome is wrong and fate.proved:
            return Disproof(number, summary, fate.reason)
    return None


def _fates(store: Store, each: Standing, *, later: bool) -> Iterator[tuple[int, str, Fate]]:
    """Number, summary and fate of the statement in flight, and with `later` of those behind it, which nobody sent.

    Nothing of a store whose engine drives its own loop: that can tell what became of an attempt, not what is there.
    """
    boundary = each.state.events[-1]
    number = boundary.statement or 1
    assert each.revision is not None
    if store.statements is None:
        return
    listed = store.statements.of(Step(each.revision, each.state.direction))
    for at in range(number, len(listed) + 1 if later else min(number, len(listed)) + 1):
        yield at, listed[at - 1].summary, store.statements.probe(listed[at - 1], _event(boundary, at == number))


def _event(boundary: Event, own: bool) -> Event:
    """What was noted before a statement is of no use for another one."""
    return boundary if own else replace(boundary, detail={})


def disproved(each: Standing, verdict: Verdict, found: Disproof) -> RefusedError:
    """The refusal of a word that what was seen speaks against."""
    named = f"statement {found.number}" + (f" ({found.summary})" if found.summary else "")
    down = each.state.direction is Direction.DOWN
    is_there = (verdict is Verdict.APPLIED) is down
    what = "took effect" if is_there else "did not"
    return RefusedError(
        "disproved",
        f"{each.id} is not {'applied' if verdict is Verdict.APPLIED else 'undone'}: {named} {what}",
        where=found.reason,
        fix=f"make it so by hand, or let `provision up` go on; `provision resolve {each.id} --{verdict} --force"
        " --reason TEXT` writes your word down against what was seen",
    )

"""For each invariant a state that breaks it, and nothing else: a check that sees nothing there is switched off."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proof.invariants import INVARIANTS
from tests.proof.model.checks import CHECKS, Check
from tests.proof.model.state import PLAIN, Lock, Request, Run, Settings, State, first


def blind(checks: Mapping[str, Check] = CHECKS) -> list[str]:
    """The invariants whose check finds nothing wrong in their state."""
    return [name for name in INVARIANTS if name in checks and checks[name](bad(name))]


def bad(name: str) -> State:
    """A state in which just that is wrong."""
    start = first(Settings(runs=2))
    fenced, plain = start.stores
    working = Run("moving", 1, sure=True)
    return {
        "one-holder": start._replace(runs=(working, working._replace(token=2)), lock=Lock(1, 2)),
        "no-statement-twice": start._replace(stores=(fenced, plain._replace(effects=(2, 0))), runs=(working, Run())),
        "in-flight-alone": start._replace(landed_late=(0, 0)),
        "no-applied-lost": start._replace(
            stores=(fenced._replace(ledger=((1, "applied", 0),), peer=True), plain), runs=(working, Run())
        ),
        "claimed-is-seen": start._replace(claimed=frozenset({PLAIN})),
        "ledger-legal": start._replace(
            stores=(fenced, plain._replace(ledger=((1, "at", 2),))), requests=(Request(0, 1, PLAIN, 1),)
        ),
        "resume-completes": start._replace(stores=(fenced, plain._replace(effects=(0, 1)))),
    }.get(name, start._replace(wrong=frozenset({name})))

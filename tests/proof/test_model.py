"""The model of the run protocol: with any mend switched off, the search says how it breaks."""

from __future__ import annotations

import pytest

from provision.core.ledger import TRANSITIONS
from tests.proof.invariants import INVARIANTS, NotChecked
from tests.proof.model.checks import CHECKS
from tests.proof.model.product import state_of
from tests.proof.model.search import explore, prove
from tests.proof.model.sizes import HANDS, SWITCHES
from tests.proof.model.state import FENCED, PLAIN, Lock, Request, Run, Settings, State, first


@pytest.mark.parametrize("switch", SWITCHES)
def test_model_without_a_mend_is_broken(switch: str) -> None:
    settings, invariant = SWITCHES[switch]

    found = explore(settings._replace(off=frozenset({switch})), {invariant: CHECKS[invariant]})

    assert found.broken == (invariant,), str(found)
    assert len(found.path) == found.depth
    assert f"{invariant} is broken\n   1 run 0 takes the lock with token 1\n" in str(found)


def test_shortest_way_to_two_holders_is_three_steps() -> None:
    """Breadth first: with locks that are taken away by hand, nothing shorter is there."""
    assert explore(HANDS._replace(off=frozenset({"ask-back"}))).path == (
        "run 0 takes the lock with token 1",
        "fault: somebody releases the lock by hand",
        "run 1 takes the lock with token 2",
    )


def test_invariant_that_is_not_checked_fails_the_proof() -> None:
    less = {name: check for name, check in CHECKS.items() if name != "one-holder"}

    with pytest.raises(NotChecked, match="not checked: \\['one-holder'\\]"):
        prove([], less)


def test_check_that_is_not_in_the_list_fails_the_proof() -> None:
    with pytest.raises(NotChecked, match="not in the list: \\['another'\\]"):
        prove([], {**CHECKS, "another": CHECKS["one-holder"]})


def test_proof_that_finds_something_says_so() -> None:
    broken = HANDS._replace(off=frozenset({"ask-back"}))

    assert [found.broken for found in prove([broken])] == [("one-holder",)]


def _bad(name: str) -> State:
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


@pytest.mark.parametrize("name", INVARIANTS)
def test_each_invariant_can_be_broken(name: str) -> None:
    assert [each for each, holds in CHECKS.items() if not holds(_bad(name))] == [name]


@pytest.mark.parametrize(("state", "event"), TRANSITIONS)
def test_ledger_of_the_model_is_the_products_own(state: str, event: str) -> None:
    """Every pair of the table is a road in the model; what is not listed is none."""
    kinds = {"pending": (), "started": ("started",), "failed": ("failed",), "applied": ("applied",)}
    kinds |= {"reverted": ("applied", "reverted"), "skipped": ("skipped",)}
    road = [*kinds[state], event]

    after = state_of(FENCED, tuple((1, each, 1 if each in ("started", "at") else 0) for each in road))

    assert after is not None
    assert (after.name.value, TRANSITIONS[state, event].value) == (TRANSITIONS[state, event].value,) * 2  # type: ignore[index]


def test_ledger_of_the_model_refuses_what_the_table_does_not_list() -> None:
    assert ("pending", "at") not in TRANSITIONS
    assert state_of(PLAIN, ((1, "at", 2),)) is None

"""The model of the run protocol: with any mend switched off, the search says how it breaks."""

from __future__ import annotations

import pytest

from provision.core.ledger import TRANSITIONS
from tests.proof import __main__ as proof
from tests.proof.__main__ import main
from tests.proof.invariants import INVARIANTS, NotChecked
from tests.proof.model.bad import bad
from tests.proof.model.checks import CHECKS
from tests.proof.model.product import state_of
from tests.proof.model.search import explore, prove
from tests.proof.model.sizes import HANDS, QUICK, SWITCHES
from tests.proof.model.state import FENCED, PLAIN


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


@pytest.mark.parametrize("name", INVARIANTS)
def test_invariant_that_is_switched_off_in_the_model_fails_make_proof(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether its check is gone, or finds nothing wrong with anything."""
    with monkeypatch.context() as gone:
        gone.delitem(CHECKS, name)  # type: ignore[arg-type]
        with pytest.raises(NotChecked):
            main(["--ci"])
    monkeypatch.setitem(CHECKS, name, lambda _: True)  # type: ignore[arg-type]

    assert main(["--ci"]) == 1
    assert capsys.readouterr().out == f"model: {name} finds nothing wrong in a state that breaks it\n"


def test_mend_that_changes_nothing_when_it_is_switched_off_fails_make_proof(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof, "SWITCHES", {"fence": (QUICK[0]._replace(faults=frozenset()), "late-writer-refused")})

    assert main(["--ci"]) == 1
    assert capsys.readouterr().out == "model: without fence nothing is broken, and late-writer-refused should be\n"


@pytest.mark.parametrize("name", INVARIANTS)
def test_each_invariant_can_be_broken(name: str) -> None:
    assert [each for each, holds in CHECKS.items() if not holds(bad(name))] == [name]


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

"""Every invariant of docs/invariants.md, in the quick models and in some schedules of the real core."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.proof.invariants import INVARIANTS
from tests.proof.machine.campaign import Campaign, campaign
from tests.proof.model.search import Found, prove
from tests.proof.model.sizes import QUICK, SWITCHES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ROWS = [re.split(r"\s*\|\s*", line)[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
SCHEDULES = 80


@cache
def models() -> tuple[Found, ...]:
    return tuple(prove(QUICK))


@cache
def played() -> Campaign:
    return campaign(SCHEDULES, 1)


def holds(name: str) -> None:
    assert [str(found) for found in models() if name in found.broken] == []
    assert all(found.states > 5000 for found in models())
    assert {seed: told for seed, told in played().broken.items() if name in dict(told)} == {}
    assert played().schedules == SCHEDULES


def test_one_holder() -> None:
    holds("one-holder")


def test_tokens_grow() -> None:
    holds("tokens-grow")


def test_no_statement_twice() -> None:
    holds("no-statement-twice")


def test_in_flight_alone() -> None:
    holds("in-flight-alone")


def test_late_writer_refused() -> None:
    holds("late-writer-refused")


def test_no_applied_lost() -> None:
    holds("no-applied-lost")


def test_claimed_is_seen() -> None:
    holds("claimed-is-seen")


def test_one_order() -> None:
    holds("one-order")


def test_ledger_legal() -> None:
    holds("ledger-legal")


def test_resume_completes() -> None:
    holds("resume-completes")


def test_nothing_else_goes_wrong_in_the_schedules() -> None:
    assert played().broken == {}


def test_page_has_every_invariant_in_its_words() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in ROWS if len(cells) == 4}
    assert told == INVARIANTS


def test_page_has_every_switch() -> None:
    assert [cells[0].strip("`") for cells in ROWS if len(cells) == 2] == list(SWITCHES)


@pytest.mark.parametrize("cells", [cells for cells in ROWS if len(cells) == 4], ids=lambda cells: cells[0])
def test_page_names_files_and_a_test_that_are_there(cells: list[str]) -> None:
    name, _, places, test = cells
    for place in re.findall(r"`([\w/.]+)`", places):
        assert (ROOT / "provision" / place).is_file(), place
    assert test == f"`test_{name.strip('`').replace('-', '_')}`"
    assert callable(globals()[test.strip("`")])

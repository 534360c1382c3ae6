"""What `ledger verify` finds in ledgers made by hand, and that what correct runs write is legal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from provision.core.audit import INVARIANTS as PROMISED
from provision.core.audit import IllegalEntry, Rule, audit
from provision.core.ledger import fold
from provision.errors import RefusedError
from provision.model import EventKind, Severity, StateName
from tests.illegal_ledgers import BEGUN, ILLEGAL, LEGAL, OTHERS, RUN, TWICE, UNLISTED, Entry, events
from tests.proof.invariants import INVARIANTS


@pytest.mark.parametrize(("entries", "rule"), (ILLEGAL | TWICE).values(), ids=[*ILLEGAL, *TWICE])
def test_audit_illegal_ledger_names_the_last_entry_and_its_rule(entries: Sequence[Entry], rule: str) -> None:
    made = events(entries)

    found = audit(made)

    assert [(each.token, each.n, each.kind, str(each.rule)) for each in found] == [
        (made[-1].token, made[-1].n, made[-1].kind, rule)
    ]
    assert found[0].severity is Severity.ERROR
    assert found[0].what


@pytest.mark.parametrize("entries", LEGAL.values(), ids=LEGAL)
def test_audit_legal_ledger_is_no_error(entries: Sequence[Entry]) -> None:
    made = events(entries)

    assert [each for each in audit(made) if each.severity is Severity.ERROR] == []
    fold(made)


def test_audit_has_a_ledger_for_each_pair_that_is_not_listed_and_for_each_rule() -> None:
    assert len(UNLISTED) == len(StateName) * (len(EventKind) - 1) - 36
    tried = {rule for _, rule in (*ILLEGAL.values(), *TWICE.values())}
    assert tried == {str(each) for each in Rule} - {"late-entry"}
    assert len(OTHERS) >= 20


def test_audit_rules_name_invariants_of_the_proof() -> None:
    assert set(PROMISED.values()) <= set(INVARIANTS)


def test_audit_goes_on_behind_an_illegal_entry() -> None:
    found = audit(events([("at", {"statement": 1}), ("applied", {}), RUN, ("skipped", {}), BEGUN]))

    assert [(each.n, each.rule) for each in found] == [(1, Rule.TRANSITION), (2, Rule.TRANSITION)]


def test_audit_settled_entry_is_a_warning_and_a_later_one_is_not() -> None:
    found = audit(events([BEGUN, ("at", {"statement": 3}), RUN, ("resolved", {"state": "pending"}), RUN, ("at", {})]))

    assert [(each.rule, each.settled, each.severity) for each in found] == [
        (Rule.STATEMENT_SKIPPED, True, Severity.WARNING),
        (Rule.TRANSITION, False, Severity.ERROR),
    ]


def test_audit_entry_behind_a_newer_run_by_the_clock_of_one_machine_is_a_warning() -> None:
    first, second = events([BEGUN, RUN, ("applied", {})])
    late = replace(first, at=second.at + timedelta(seconds=1))
    what = "by the clock of its machine it is later than the first entry of run 2"

    assert audit([late, second]) == (IllegalEntry("redis/001", 1, 1, EventKind.STARTED, Rule.LATE_ENTRY, what),)
    assert audit([late, second])[0].severity is Severity.WARNING
    assert audit([replace(late, actor="another@machine"), second]) == ()


def test_fold_word_that_says_no_state_is_refused_and_settled_by_the_next() -> None:
    made = events([BEGUN, ("resolved", {"state": "done"}), RUN, ("resolved", {"state": "applied"})])

    assert fold(made)["redis/001"].name is StateName.APPLIED
    with pytest.raises(RefusedError, match="redis/001 is started, but its ledger goes on with resolved"):
        fold(made[:2])

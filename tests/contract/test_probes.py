"""A probe says of a statement in flight whether it took effect, and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provision.model import Event, EventKind, Mark, Outcome, State, Statement, StateName, Step
from provision.ports import Statements, Store
from tests.contract.bench import Bench
from tests.contract.conftest import CASES, WITH_STATEMENTS

WITH_LANES = [name for name in CASES if name not in WITH_STATEMENTS]


def first_up(store: Store) -> tuple[Statements, Step, Statement]:
    assert store.statements is not None
    step = Step(store.revisions()[0])
    return store.statements, step, store.statements.of(step)[0]


def made(step: Step, n: int, kind: EventKind) -> Event:
    at = datetime.now(UTC)
    number = 1 if kind is EventKind.STARTED else None
    return Event("vfr", step.id, kind, step.revision.checksum, 1, n, at, "ci@runner", statement=number)


@pytest.mark.stores(WITH_STATEMENTS)
def test_probe_statement_never_sent_is_not_done(bench: Bench) -> None:
    with bench.store() as store:
        statements, step, statement = first_up(store)
        statements.record(made(step, 1, EventKind.STARTED), statement)
        before = bench.case.everything()

        assert statements.probe(statement, store.ledger.read()[-1]).outcome is Outcome.NOT_DONE
        assert bench.case.everything() == before


@pytest.mark.stores(WITH_STATEMENTS)
def test_probe_statement_that_took_effect_is_done(bench: Bench) -> None:
    with bench.store() as store:
        statements, step, statement = first_up(store)
        statements.record(made(step, 1, EventKind.STARTED), statement)
        started = store.ledger.read()[-1]
        statements.advance(statement, Mark("vfr", 1, step.id, 1), made(step, 2, EventKind.APPLIED), None, lambda: None)
        before = bench.case.everything()

        assert statements.probe(statement, started).outcome is Outcome.DONE
        assert bench.case.everything() == before


@pytest.mark.stores(WITH_LANES)
def test_probe_lane_statement_is_done_once_its_effect_is_there(bench: Bench) -> None:
    bench.up()
    text = "create index concurrently a_x on a (x)"
    with bench.store() as store:
        assert store.lane is not None
        step = Step(store.revisions()[2])
        event = made(step, 1, EventKind.STARTED)
        there = State(StateName.STARTED, events=(_with(event, text),))
        absent = State(StateName.STARTED, events=(_with(event, text.replace("a_x", "a_y")),))

        assert store.lane.probe(step, there).outcome is Outcome.DONE
        assert store.lane.probe(step, absent).outcome is Outcome.NOT_DONE


def _with(event: Event, text: str) -> Event:
    from dataclasses import replace

    return replace(event, detail={"text": text})

"""A probe says of a statement in flight whether it took effect, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from provision.model import Event, EventKind, State, StateName, Step
from provision.model.statements import Mark, Outcome, Statement
from provision.ports import Statements, Store
from provision.testing.contract.bench import Bench
from provision.testing.contract.running import needs


def first_up(store: Store) -> tuple[Statements, Step, Statement]:
    assert store.statements is not None
    step = Step(store.revisions()[0])
    return store.statements, step, store.statements.of(step)[0]


def made(step: Step, n: int, kind: EventKind) -> Event:
    at = datetime.now(UTC)
    number = 1 if kind is EventKind.STARTED else None
    return Event("vfr", step.id, kind, step.revision.checksum, 1, n, at, "ci@runner", statement=number)


@needs("statements")
def test_probe_statement_never_sent_is_not_done(bench: Bench) -> None:
    with bench.store() as store:
        statements, step, statement = first_up(store)
        statements.record(made(step, 1, EventKind.STARTED), statement)
        before = bench.case.everything()

        assert statements.probe(statement, store.ledger.read()[-1]).outcome is Outcome.NOT_DONE
        assert bench.case.everything() == before


@needs("statements")
def test_probe_statement_that_took_effect_is_done(bench: Bench) -> None:
    with bench.store() as store:
        statements, step, statement = first_up(store)
        statements.record(made(step, 1, EventKind.STARTED), statement)
        started = store.ledger.read()[-1]
        statements.advance(statement, Mark("vfr", 1, step.id, 1), made(step, 2, EventKind.APPLIED), None, lambda: None)
        before = bench.case.everything()

        assert statements.probe(statement, started).outcome is Outcome.DONE
        assert bench.case.everything() == before


@needs("in_flight")
def test_probe_lane_statement_is_done_once_its_effect_is_there(bench: Bench) -> None:
    bench.up()
    with bench.store() as store:
        assert store.lane is not None
        step = Step(store.revisions()[2])
        event = made(step, 1, EventKind.STARTED)
        there, absent = (
            State(StateName.STARTED, events=(replace(event, detail={"text": text}),)) for text in bench.case.in_flight
        )

        assert store.lane.probe(step, there).outcome is Outcome.DONE
        assert store.lane.probe(step, absent).outcome is Outcome.NOT_DONE

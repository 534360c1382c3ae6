"""Carries out steps of a store alone, without the core: every statement probed before and after."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from provision.model import Direction, Event, EventKind, Step
from provision.model.statements import Mark, Outcome, Statement
from provision.stores.influx.store import InfluxStore

_N = count(1)


def event(step: Step, kind: EventKind = EventKind.AT, token: int = 1, n: int | None = None) -> Event:
    at = datetime(2026, 3, 2, 9, 14, 0, 123456, UTC)
    number = next(_N) if n is None else n
    return Event("vfr", step.id, kind, step.revision.checksum, token, number, at, "ci@runner-4")


def up(store: InfluxStore, number: int = 1) -> None:
    _move(store, Step(store.revisions()[number - 1]))


def down(store: InfluxStore, number: int = 1) -> None:
    _move(store, Step(store.revisions()[number - 1], Direction.DOWN))


def statements(store: InfluxStore, number: int = 1, direction: Direction = Direction.UP) -> list[Statement]:
    return list(store.statements.of(Step(store.revisions()[number - 1], direction)))


def probed(store: InfluxStore, number: int = 1, direction: Direction = Direction.UP) -> list[tuple[Outcome, str]]:
    """Outcome and reason of every statement of a document."""
    step = Step(store.revisions()[number - 1], direction)
    fates = [store.statements.probe(each, event(step)) for each in store.statements.of(step)]
    return [(fate.outcome, fate.reason) for fate in fates]


def one(store: InfluxStore, number: int, statement: int, direction: Direction = Direction.UP) -> None:
    """Carry out one statement of a document, whatever became of those before it."""
    step = Step(store.revisions()[number - 1], direction)
    sent = store.statements.of(step)[statement - 1]
    store.statements.advance(sent, Mark("vfr", 1, step.id, statement), event(step), None, lambda: None)


def _move(store: InfluxStore, step: Step) -> None:
    for number, each in enumerate(store.statements.of(step), 1):
        store.statements.advance(each, Mark("vfr", 1, step.id, number), event(step), None, lambda: None)
        assert store.statements.probe(each, event(step)).outcome is Outcome.DONE

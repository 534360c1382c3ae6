"""Moves a store's documents without the command line: each statement through `advance`, as a run does."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from provision.model import Direction, Event, EventKind, Step
from provision.model.statements import Fate, Mark, Statement
from provision.stores.arango.store import ArangoStore

AT = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
_TOKENS = count(1)


def event(token: int, n: int, kind: EventKind = EventKind.AT, **fields: Any) -> Event:
    given = {"revision": "graph/0001", "checksum": "c" * 64, "at": AT, "actor": "ci@runner-4", "project": "vfr"}
    return Event(kind=kind, token=token, n=n, **{**given, **fields})


def write(folder: Path, up: str, down: str = "auto", number: int = 1) -> None:
    """A document whose operations are the lines of `up`, one each, or as they are indented."""
    lines = "\n".join(f"  {line}" for line in up.strip("\n").split("\n"))
    (folder / f"{number:04d}_x.yaml").write_text(f"up:\n{lines}\ndown: {down}\n")


def opened(store: ArangoStore, url: str) -> ArangoStore:
    store.open(url)
    store.prepare()
    store.ledger.create()
    return store


def statements(store: ArangoStore, direction: Direction = Direction.UP) -> list[tuple[Mark, Statement]]:
    """Every statement of every revision in order, with its mark."""
    revisions = list(store.revisions())
    if direction is Direction.DOWN:
        revisions.reverse()
    token = next(_TOKENS)
    return [
        (Mark("vfr", token, revision.id, number), statement)
        for revision in revisions
        for number, statement in enumerate(store.statements.of(Step(revision, direction)), 1)
    ]


def move(store: ArangoStore, direction: Direction = Direction.UP) -> None:
    """Carry out every statement. Raises what `advance` raises."""
    for n, (mark, statement) in enumerate(statements(store, direction), 1):
        advance(store, mark, statement, n)


def advance(store: ArangoStore, mark: Mark, statement: Statement, n: int) -> None:
    store.statements.advance(statement, mark, event(mark.token, n, revision=mark.revision), None, lambda: None)


def fates(store: ArangoStore, direction: Direction = Direction.UP) -> list[Fate]:
    """What the probe of each statement says now."""
    return [store.statements.probe(each, event(mark.token, 1)) for mark, each in statements(store, direction)]

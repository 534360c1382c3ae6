"""What the model leaves to the product itself: fold, standing, the lost version table, and where an attempt goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from provision.core.audit import audit
from provision.core.graph import Graph
from provision.core.ledger import fold
from provision.core.standing import StoreStanding, stand
from provision.core.statements import begin_at
from provision.errors import RefusedError
from provision.flows.peers import lost
from provision.model import Direction, Event, EventKind, Revision, State, StateName, Step
from provision.model.statements import Fate, Outcome, Statement
from tests.proof.model.state import FENCED, Entry, Store

REVISIONS = tuple(Revision(name, "1", "", "", f"{name}/1", "c") for name in ("fenced", "plain"))
GRAPH = Graph(REVISIONS)
REFUSED = -1
_AT = datetime(2026, 3, 2, tzinfo=UTC)


@cache
def standing(store: int, ledger: tuple[Entry, ...], peer: bool) -> StoreStanding:
    """Raises RefusedError (ledger-illegal)."""
    revision = REVISIONS[store]
    noted = ({revision.id: True} if peer else {}) if store == FENCED else None
    return stand(revision.store, [revision], events(store, ledger), noted)


def events(store: int, ledger: tuple[Entry, ...]) -> list[Event]:
    counted: dict[int, int] = {}
    made = []
    for token, kind, statement in ledger:
        counted[token] = counted.get(token, 0) + 1
        detail = {"text": str(statement)} if statement else {}
        made.append(
            Event(
                project="p", revision=REVISIONS[store].id, kind=EventKind(kind), checksum="c", token=token,
                n=counted[token], at=_AT, actor="a", duration_ms=0, statement=statement or None, detail=detail,
            )
        )  # fmt: skip
    return made


class _Probed:
    """`provision.ports.Statements`, as much of it as `begin_at` asks."""

    def __init__(self, effects: Sequence[int]) -> None:
        self._effects = effects

    def of(self, step: Step) -> list[Statement]:
        del step
        return [Statement(str(number + 1), "") for number in range(len(self._effects))]

    def probe(self, statement: Statement, event: Event) -> Fate:
        del event
        there = self._effects[int(statement.text) - 1]
        return Fate(Outcome.DONE if there else Outcome.NOT_DONE, "")


@cache
def goes_on_at(number: int, ledger: tuple[Entry, ...], effects: tuple[int, ...], peer: bool, refuse: bool) -> int:
    """The statement with which a run begins that looks now: 0 for nothing to do, REFUSED where it must not go on."""
    try:
        found = standing(number, ledger, peer)
    except RefusedError:
        return REFUSED
    if refuse and found.vanished and lost(found, GRAPH):
        return REFUSED
    each = found.standings[REVISIONS[number].id]
    if not each.pending:
        return 0
    if not each.state.open:
        return 1
    return begin_at(_Probed(effects), Step(REVISIONS[number], Direction.UP), each.state)  # type: ignore[arg-type]


@cache
def state_of(number: int, ledger: tuple[Entry, ...]) -> State | None:
    """What the entries add up to, by the ledger's own word; None where they are illegal."""
    try:
        return fold(events(number, ledger)).get(REVISIONS[number].id, State(StateName.PENDING))
    except RefusedError:
        return None


@cache
def illegal(number: int, ledger: tuple[Entry, ...]) -> bool:
    """Whether `provision ledger verify` finds anything in it."""
    return bool(audit(events(number, ledger)))


def applied(number: int, store: Store) -> bool:
    found = state_of(number, store.ledger)
    return found is not None and found.name is StateName.APPLIED

"""The states of the model: frozen, small, and equal when they mean the same."""

from __future__ import annotations

from typing import NamedTuple

FENCED, PLAIN = 0, 1  # the stores: one like PostgreSQL that also keeps the run lock, one like ClickHouse

Entry = tuple[int, str, int]  # token, kind, statement


class Settings(NamedTuple):
    """How large the model is, which faults it has, and which mends are on."""

    name: str = ""
    runs: int = 2
    statements: int = 2  # of the revision in the store without fence
    faults: frozenset[str] = frozenset()
    budget: int = 2  # faults in one history
    off: frozenset[str] = frozenset()  # the mends that are switched off


class Lock(NamedTuple):
    run: int
    token: int
    ended: bool = False
    asked: bool = False  # somebody asked for it back


class Lane(NamedTuple):
    """One store in one run: the statement in hand, and how far it is with it."""

    at: int = 0
    stage: str = "idle"


class Run(NamedTuple):
    phase: str = "new"  # new, locked, fenced, shut, moving, over
    token: int = 0
    sure: bool = False  # its own deadline lies ahead
    lost: bool = False  # it has seen that the lock is not its own any more, or is asked back
    killed: bool = False
    lanes: tuple[Lane, Lane] = (Lane(), Lane())


class Request(NamedTuple):
    """What was sent and has not ended; it outlives its run."""

    run: int
    token: int
    store: int
    statement: int
    held: bool = False  # in the network still: nobody can see it
    excused: bool = False  # its run was frozen between check and sending, or the network held it back


class Store(NamedTuple):
    ledger: tuple[Entry, ...] = ()
    effects: tuple[int, ...] = ()  # how often each statement took effect
    fence: int = 0
    peer: bool = False  # whether the peer's table has the revision
    late: tuple[int, ...] = ()  # statements that landed after a newer run had looked


class State(NamedTuple):
    runs: tuple[Run, ...]
    stores: tuple[Store, Store]
    lock: Lock | None = None
    highest: int = 0
    requests: tuple[Request, ...] = ()
    spent: int = 0
    claimed: frozenset[int] = frozenset()
    landed_late: tuple[int, ...] = ()  # runs, once for each statement of theirs that landed late
    emptied: bool = False
    backup: tuple[int, Store, Lock | None, int] | None = None
    wrong: frozenset[str] = frozenset()  # invariants that the last action broke


def first(settings: Settings) -> State:
    return State((Run(),) * settings.runs, (Store(effects=(0,)), Store(effects=(0,) * settings.statements)))

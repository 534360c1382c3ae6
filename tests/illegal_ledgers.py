"""Ledgers that no correct run can have written, by hand: what is in each, and the rule that it breaks.

An entry is `kind`, or `kind` with what is not as usual of it; `run` begins the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

from provision.core.ledger import TRANSITIONS
from provision.model import Event, EventKind, StateName

AT = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
Entry = tuple[str, Mapping[str, object]]

DOWN = {"direction": "down"}
BEGUN: Entry = ("started", {"statement": 1})
RUN: Entry = ("run", {})
# State → a road to it.
ROADS: Mapping[StateName, Sequence[Entry]] = {
    StateName.PENDING: [],
    StateName.STARTED: [BEGUN],
    StateName.APPLIED: [BEGUN, ("applied", {})],
    StateName.FAILED: [BEGUN, ("failed", {"statement": 1})],
    StateName.REVERTED: [BEGUN, ("applied", {}), ("reverted", DOWN)],
    StateName.SKIPPED: [("skipped", {})],
}
PAIRS = [
    (state, kind)
    for state, kind in product(StateName, EventKind)
    if kind is not EventKind.RESOLVED and (state, kind) not in TRANSITIONS
]


def _unlisted(state: StateName, kind: EventKind) -> list[Entry]:
    down = DOWN if kind is EventKind.REVERTED else {}
    return [*ROADS[state], RUN, (kind, {"statement": 1, **down} if kind in ("started", "at") else down)]


def _at(number: int, **more: object) -> Entry:
    return ("at", {"statement": number, **more})


_LANE: Entry = ("started", {"statement": 1, "preceding": 0, "trail": "a"})
UNLISTED: Mapping[str, tuple[list[Entry], str]] = {
    f"{kind} of what is {state}": (_unlisted(state, kind), "transition") for state, kind in PAIRS
}
OTHERS: Mapping[str, tuple[list[Entry], str]] = {
    "an up of what is applied": ([BEGUN, ("applied", {}), RUN, BEGUN], "done-again"),
    "a failed up of what is applied": ([BEGUN, ("applied", {}), RUN, ("failed", {})], "done-again"),
    "applied twice in transactions": ([("applied", {"parents": []}), RUN, ("applied", {"parents": []})], "done-again"),
    "applied twice in one run": ([BEGUN, ("applied", {}), ("applied", {})], "done-again"),
    "reverted twice in one run": ([("applied", {}), ("reverted", DOWN), ("reverted", DOWN)], "done-again"),
    "a statement that was done": ([BEGUN, _at(2), _at(3), RUN, _at(2)], "statement-again"),
    "the first statement of what is half-way": ([BEGUN, _at(2), RUN, BEGUN], "statement-again"),
    "a statement twice in one run": ([BEGUN, _at(2), _at(2)], "statement-again"),
    "a committed statement of a lane": (
        [_LANE, _at(2, preceding=1, trail="b"), RUN, ("started", {**_LANE[1]})],
        "statement-again",
    ),
    "a statement left out": ([BEGUN, _at(3)], "statement-skipped"),
    "a first statement left out": ([("started", {"statement": 2})], "statement-skipped"),
    "the middle of a failure that kept nothing": (
        [("failed", {"rolled_back": True}), RUN, _at(2)],
        "statement-skipped",
    ),
    "an up ends a down": ([("applied", {}), ("started", {"statement": 1, **DOWN}), ("applied", {})], "other-way"),
    "a down ends an up": ([BEGUN, ("reverted", DOWN)], "other-way"),
    "a down begins in an up": ([BEGUN, RUN, ("started", {"statement": 1, **DOWN})], "other-way"),
    "applied by a down": ([BEGUN, ("applied", DOWN)], "other-way"),
    "reverted by an up": ([("applied", {}), ("reverted", {})], "other-way"),
    "two revisions at once": ([BEGUN, ("started", {"statement": 1, "revision": "002"})], "two-at-once"),
    "two machines under one token": ([BEGUN, ("applied", {"actor": "ci@runner-5"})], "token-shared"),
    "a word that says no state": ([("resolved", {"state": "done"})], "unknown-state"),
}
# Redis, among others, has one entry at most for each number.
TWICE = {"one number twice": ([BEGUN, ("applied", {"n": 1})], "entry-twice")}
ILLEGAL = {**UNLISTED, **OTHERS}

LEGAL: Mapping[str, list[Entry]] = {
    "killed and gone on with": [BEGUN, _at(2), RUN, _at(2), _at(3), RUN, _at(4), ("applied", {})],
    "failed, corrected": [BEGUN, _at(2), ("failed", {"statement": 2}), RUN, _at(2), ("applied", {})],
    "rolled back, tried again": [("failed", {"rolled_back": True}), RUN, ("applied", {"parents": []})],
    "down and up": [BEGUN, ("applied", {}), RUN, ("started", {"statement": 1, **DOWN}), ("reverted", DOWN), RUN, BEGUN],
    "a down that failed": [("applied", {}), RUN, ("failed", DOWN), RUN, ("reverted", DOWN)],
    "settled as applied": [BEGUN, _at(2), RUN, ("resolved", {"state": "applied", "text": "seen"})],
    "settled as pending": [BEGUN, _at(2), RUN, ("resolved", {"state": "pending"}), RUN, BEGUN, ("applied", {})],
    "done to 3": [BEGUN, _at(2), RUN, _at(4, done_to=3), RUN, _at(4), ("applied", {})],
    "done to 1, after 3 had begun": [BEGUN, _at(2), _at(3), RUN, _at(2, done_to=1), RUN, _at(2), _at(3)],
    "a change accepted": [("applied", {}), RUN, ("resolved", {"state": "applied", "accepted": True})],
    "baselined": [("baselined", {}), RUN, ("started", {"statement": 1, **DOWN}), ("reverted", DOWN)],
    "a lost version table, and a baseline": [("applied", {}), RUN, ("reverted", {"outside": True}), ("baselined", {})],
    "adopted": [("adopted", {"outside": True}), RUN, ("reverted", {"outside": True}), RUN, ("applied", {})],
    "a repeatable": [("applied", {"repeatable": True}), RUN, ("failed", {"repeatable": True, "rolled_back": True})],
    "a backfill, twice": [("applied", {"revision": "backfill/b"}), RUN, ("applied", {"revision": "backfill/b"})],
    "a lane tries again for a lock": [_LANE, _LANE, ("applied", {"parents": []})],
    "a frozen run ends late": [BEGUN, ("applied", {}), RUN, ("applied", {})],
    "illegal, and settled": [BEGUN, _at(3), RUN, ("resolved", {"state": "applied"})],
}


def events(entries: Sequence[Entry], store: str = "redis", project: str = "vfr", number: str = "001") -> list[Event]:
    """The entries as events of one revision of a store, where they do not name another."""
    made: list[Event] = []
    token, n = 1, 0
    for kind, fields in entries:
        if kind == "run":
            token, n = token + 1, 0
            continue
        n += 1
        detail = dict(fields)
        revision = str(detail.pop("revision", number))
        statement = detail.pop("statement", None)
        made.append(
            Event(
                project=project,
                revision=revision if "/" in revision else f"{store}/{revision}",
                kind=EventKind(kind),
                checksum="c" * 64,
                token=token,
                n=int(str(detail.pop("n", n))),
                at=AT + timedelta(minutes=token, seconds=n),
                actor=str(detail.pop("actor", "ci@runner-4")),
                statement=statement if isinstance(statement, int) else None,
                detail=detail,
            )
        )
    return made

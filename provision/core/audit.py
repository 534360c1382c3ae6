"""What no correct run could have written into a ledger: entries held against the table of transitions. Pure.

The table says which kind of entry may follow which state; the rules here say the rest: whose entry, of which statement,
in which direction. docs/invariants.md has the ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from provision.core import ledger
from provision.core.graph import BACKFILL
from provision.model import PENDING, Direction, Event, EventKind, Severity, State, StateName


class Rule(StrEnum):
    """What an entry breaks."""

    TRANSITION = "transition"  # the table does not list it
    UNKNOWN_STATE = "unknown-state"  # a person's word for a state that nobody can say
    DONE_AGAIN = "done-again"  # an up of what is applied already, or a down of what is reverted
    STATEMENT_AGAIN = "statement-again"  # a statement that the ledger calls done begins again
    STATEMENT_SKIPPED = "statement-skipped"  # a statement begins, and the one before it never did
    OTHER_WAY = "other-way"  # it goes the other way than the attempt that is open
    TWO_AT_ONCE = "two-at-once"  # a run begins a revision while another one of its lane is open
    ENTRY_TWICE = "entry-twice"  # two entries have one number
    TOKEN_SHARED = "token-shared"  # two people or machines wrote under one token
    LATE_ENTRY = "late-entry"  # by the clock of its machine, it follows an entry of a newer run


# What docs/invariants.md promises of it; the others have no id there.
INVARIANTS = {
    Rule.TRANSITION: "ledger-legal",
    Rule.UNKNOWN_STATE: "ledger-legal",
    Rule.DONE_AGAIN: "no-statement-twice",
    Rule.STATEMENT_AGAIN: "no-statement-twice",
    Rule.STATEMENT_SKIPPED: "no-applied-lost",
    Rule.ENTRY_TWICE: "tokens-grow",
    Rule.TOKEN_SHARED: "tokens-grow",
    Rule.LATE_ENTRY: "late-writer-refused",
}
_CLOCK = frozenset({Rule.LATE_ENTRY})  # a clock that was set back looks the same
_BOUNDARIES = (EventKind.STARTED, EventKind.AT)
_DONE = (EventKind.APPLIED, EventKind.ADOPTED)
_UPS = (EventKind.STARTED, EventKind.FAILED, *_DONE)
_MOVES = (*_BOUNDARIES, EventKind.APPLIED, EventKind.REVERTED)
_OF_LANES = (*_MOVES, EventKind.FAILED, EventKind.SKIPPED)


@dataclass(frozen=True, slots=True)
class IllegalEntry:
    """An entry that no correct run could have written.

    `settled`: a person settled its revision afterwards. `earlier`: it is older than what was asked for.
    """

    revision: str
    token: int
    n: int
    kind: EventKind
    rule: Rule
    what: str
    settled: bool = False
    earlier: bool = False

    @property
    def invariant(self) -> str | None:
        """Its id in docs/invariants.md, where it has one."""
        return INVARIANTS.get(self.rule)

    @property
    def severity(self) -> Severity:
        """A warning where a person has settled it or looked at it, or where only a clock says so."""
        looked_at = self.settled or self.earlier
        return Severity.WARNING if looked_at or self.rule in _CLOCK else Severity.ERROR


def audit(events: Iterable[Event], since: datetime | None = None) -> tuple[IllegalEntry, ...]:
    """What is wrong with the entries of one store's ledger, in their order; empty for a ledger of correct runs.

    Whatever `since` is, all are read: what an entry breaks is seen from those before it.
    """
    ordered = sorted(events, key=_key)
    settled = {each.revision: _key(each) for each in ordered if ledger.word(each) is not None}
    found = [*_of_revisions(ordered), *_of_runs(ordered), *_of_keys(ordered), *_of_clocks(ordered)]
    made = [
        IllegalEntry(
            event.revision,
            event.token,
            event.n,
            event.kind,
            rule,
            what,
            settled=_key(event) < settled.get(event.revision, (0, 0)),
            earlier=since is not None and event.at < since,
        )
        for event, rule, what in found
    ]
    return tuple(sorted(made, key=lambda each: (each.token, each.n)))


_Wrong = tuple[Event, Rule, str]
_Made = tuple[datetime, int]  # when, and under which token


def _key(event: Event) -> tuple[int, int]:
    return event.token, event.n


def _of_revisions(ordered: Sequence[Event]) -> Iterator[_Wrong]:
    """Each revision's entries, one after the other."""
    states: dict[str, State] = {}
    for event in ordered:
        before = states.get(event.revision, PENDING)
        yield from ((event, rule, what) for rule, what in _wrong(before, event))
        states[event.revision] = ledger.after(before, event)


def _wrong(before: State, event: Event) -> Iterator[tuple[Rule, str]]:
    if event.kind is EventKind.RESOLVED:
        if ledger.word(event) is None:
            yield Rule.UNKNOWN_STATE, f"it was settled as {event.detail.get('state')!r}, which is no state"
        return
    if not ledger.is_listed(before, event):
        yield Rule.TRANSITION, f"it was {before.name}, and {event.kind} cannot follow that"
        return
    yield from _again(before, event)
    yield from _other_way(before, event)
    if event.kind in _BOUNDARIES:
        yield from _statement(before, event)


def _again(before: State, event: Event) -> Iterator[tuple[Rule, str]]:
    """What was done is done again: only repeatables and backfills are.

    An end alone is no sign of it. Where no fence refuses it, a run that was frozen before it wrote its end may do so
    after the next one has seen that all is done, and has said so. An end in the transaction of its revision is a sign.
    """
    if event.detail.get("repeatable") is True or _is_backfill(event):
        return
    late = before.token != event.token and "parents" not in event.detail
    if before.name is StateName.REVERTED and event.kind is EventKind.REVERTED and not late:
        yield Rule.DONE_AGAIN, "it was reverted, and its down was run again"
    up = event.kind in _UPS and event.direction is Direction.UP and not (late and event.kind in _DONE)
    if before.name is StateName.APPLIED and up:
        yield Rule.DONE_AGAIN, f"it was applied, and its up was run again: {event.kind}"


def _other_way(before: State, event: Event) -> Iterator[tuple[Rule, str]]:
    if event.detail.get("outside") or event.kind not in _MOVES:
        return
    ends = {EventKind.APPLIED: Direction.UP, EventKind.REVERTED: Direction.DOWN}
    if ends.get(event.kind, event.direction) is not event.direction:
        yield Rule.OTHER_WAY, f"{event.kind} cannot end a {'down' if event.kind is EventKind.APPLIED else 'run up'}"
    elif before.open and before.direction is not event.direction:
        way = "down" if before.direction is Direction.DOWN else "up"
        yield Rule.OTHER_WAY, f"its {way} was begun and not ended, and {event.kind} goes the other way"


def _statement(before: State, event: Event) -> Iterator[tuple[Rule, str]]:
    """A boundary that does not follow the one before it.

    Lanes count what they commit (`preceding`): a transaction may hold many statements, and may be tried again.
    """
    number, lane = event.statement or 1, "preceding" in event.detail
    if "done_to" in event.detail or (lane and "trail" not in event.detail):
        return  # by a person's word; or of a revision whose statements cannot be counted
    same = before.open and before.direction is event.direction
    last = before.events[-1] if same else None
    at = last.statement or 1 if last is not None else 0
    twice = last is not None and last.token == event.token and before.name is StateName.STARTED and not lane
    if number < at or (number == at and twice):
        yield Rule.STATEMENT_AGAIN, f"statement {number} begins again, and was done or sent: statement {at} had begun"
    elif number > at + 1 and not lane:
        had = f"after statement {at}" if at else "and nothing of it had begun"
        yield Rule.STATEMENT_SKIPPED, f"statement {number} begins, {had}"


def _of_runs(ordered: Sequence[Event]) -> Iterator[_Wrong]:
    """A lane carries out one step after the other."""
    begun: dict[int, str] = {}  # token → the revision that it has in hand
    for event in ordered:
        if event.kind not in _OF_LANES or event.detail.get("outside") or _is_backfill(event):
            continue
        if "done_to" in event.detail:
            continue
        other = begun.get(event.token, event.revision)
        if other != event.revision:
            yield event, Rule.TWO_AT_ONCE, f"run {event.token} had begun {other}, and not ended it"
        if event.kind in _BOUNDARIES:
            begun[event.token] = event.revision
        else:
            begun.pop(event.token, None)


def _of_keys(ordered: Sequence[Event]) -> Iterator[_Wrong]:
    """Tokens and numbers that two writers have in common."""
    before: Event | None = None
    writers: dict[int, str] = {}
    for event in ordered:
        if before is not None and _key(before) == _key(event):
            yield (
                event,
                Rule.ENTRY_TWICE,
                f"another entry is {event.token}/{event.n} too: {before.kind} of {before.revision}",
            )
        if writers.setdefault(event.token, event.actor) != event.actor:
            yield event, Rule.TOKEN_SHARED, f"{event.actor} wrote under token {event.token} of {writers[event.token]}"
            writers[event.token] = event.actor
        before = event


def _of_clocks(ordered: Sequence[Event]) -> Iterator[_Wrong]:
    """The first entry of each run that was made after one of a newer run on the same machine."""
    newer: dict[str, _Made] = {}  # who → the earliest entry in newer runs
    for _, entries in groupby(reversed(ordered), key=lambda each: each.token):
        run = list(entries)
        late = [each for each in run if each.actor in newer and each.at > newer[each.actor][0]]
        if late:
            since = newer[late[-1].actor][1]
            yield (
                late[-1],
                Rule.LATE_ENTRY,
                f"by the clock of its machine it is later than the first entry of run {since}",
            )
        for each in run:
            newer[each.actor] = min(newer.get(each.actor, (each.at, each.token)), (each.at, each.token))


def _is_backfill(event: Event) -> bool:
    return event.revision.startswith(BACKFILL)

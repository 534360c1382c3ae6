"""Folds a store's events into the state of each revision. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from provision.errors import RefusedError
from provision.model import PENDING, Event, EventKind, State, StateName

_S, _K = StateName, EventKind

# (state, event) → state. What is not here is refused: a ledger that says it was written by something else.
TRANSITIONS: Mapping[tuple[StateName, EventKind], StateName] = {
    (_S.PENDING, _K.STARTED): _S.STARTED,  # its first statement is about to be sent
    (_S.PENDING, _K.APPLIED): _S.APPLIED,  # transactional DDL: applied in the migration's own transaction
    (_S.PENDING, _K.FAILED): _S.FAILED,  # transactional DDL: failed and rolled back
    (_S.PENDING, _K.SKIPPED): _S.SKIPPED,  # what it needs is not on this server
    (_S.PENDING, _K.ADOPTED): _S.APPLIED,  # the peer applied it
    (_S.PENDING, _K.BASELINED): _S.APPLIED,  # it was there before the ledger
    (_S.PENDING, _K.REVERTED): _S.REVERTED,  # the down of a revision that the peer had applied
    (_S.STARTED, _K.STARTED): _S.STARTED,  # a resumed attempt begins its first statement again
    (_S.STARTED, _K.AT): _S.STARTED,  # one statement further
    (_S.STARTED, _K.APPLIED): _S.APPLIED,  # the last statement of an up is done
    (_S.STARTED, _K.REVERTED): _S.REVERTED,  # the last statement of a down is done
    (_S.STARTED, _K.FAILED): _S.FAILED,  # the server refused a statement; those before it stay done
    (_S.STARTED, _K.ADOPTED): _S.APPLIED,  # the peer's table already says applied
    (_S.FAILED, _K.STARTED): _S.STARTED,  # tried again from the start
    (_S.FAILED, _K.AT): _S.STARTED,  # tried again from the statement that failed
    (_S.FAILED, _K.APPLIED): _S.APPLIED,  # tried again in one transaction
    (_S.FAILED, _K.REVERTED): _S.REVERTED,  # the same, downwards
    (_S.FAILED, _K.FAILED): _S.FAILED,  # failed again
    (_S.FAILED, _K.ADOPTED): _S.APPLIED,  # the peer applied it in the meantime
    (_S.FAILED, _K.BASELINED): _S.APPLIED,  # given up on and marked
    (_S.APPLIED, _K.STARTED): _S.STARTED,  # a down begins
    (_S.APPLIED, _K.REVERTED): _S.REVERTED,  # transactional down, or undone by the peer
    (_S.APPLIED, _K.FAILED): _S.APPLIED,  # a transactional down failed and was rolled back
    (_S.APPLIED, _K.APPLIED): _S.APPLIED,  # a repeatable ran again; or the entry before came late, as below
    (_S.APPLIED, _K.ADOPTED): _S.APPLIED,  # an overtaken run wrote the entry before, late, where no fence refuses it
    (_S.APPLIED, _K.SKIPPED): _S.SKIPPED,  # a repeatable was changed, but what it needs has gone
    (_S.REVERTED, _K.REVERTED): _S.REVERTED,  # the entry before came late, of an overtaken run
    (_S.REVERTED, _K.STARTED): _S.STARTED,  # up again
    (_S.REVERTED, _K.APPLIED): _S.APPLIED,  # up again, transactional
    (_S.REVERTED, _K.FAILED): _S.FAILED,  # up again, failed and rolled back
    (_S.REVERTED, _K.SKIPPED): _S.SKIPPED,  # up again, not possible on this server
    (_S.REVERTED, _K.ADOPTED): _S.APPLIED,  # the peer applied it again
    (_S.REVERTED, _K.BASELINED): _S.APPLIED,  # marked as there
    (_S.SKIPPED, _K.APPLIED): _S.APPLIED,  # what it needs has come
    (_S.SKIPPED, _K.SKIPPED): _S.SKIPPED,  # still missing
    (_S.SKIPPED, _K.FAILED): _S.FAILED,  # what it needs has come, but it failed
}

# What an entry says by itself, for those who go on behind one that is not listed.
_PLAINLY: Mapping[EventKind, StateName] = {
    _K.STARTED: _S.STARTED,
    _K.AT: _S.STARTED,
    _K.APPLIED: _S.APPLIED,
    _K.FAILED: _S.FAILED,
    _K.REVERTED: _S.REVERTED,
    _K.SKIPPED: _S.SKIPPED,
    _K.ADOPTED: _S.APPLIED,
    _K.BASELINED: _S.APPLIED,
}
_BOUNDARIES = (EventKind.STARTED, EventKind.AT)


def fold(events: Iterable[Event]) -> dict[str, State]:
    """The state of every revision that the events name.

    Events are taken in the order `(token, n)`, whatever the clock says. Raises RefusedError (ledger-illegal).
    """
    ordered = sorted(events, key=lambda each: (each.token, each.n))
    # Whatever came before a person's word does not matter any more.
    settled = {each.revision: (each.token, each.n) for each in ordered if word(each) is not None}
    states: dict[str, State] = {}
    for event in ordered:
        before = states.get(event.revision, PENDING)
        if is_listed(before, event) or (event.token, event.n) > settled.get(event.revision, (0, 0)):
            states[event.revision] = advance(before, event)
    return states


def illegal(events: Iterable[Event]) -> frozenset[str]:
    """The revisions whose events do not add up, so that `fold` refuses them."""
    listed = list(events)
    found = set()
    for name in {event.revision for event in listed}:
        try:
            fold(event for event in listed if event.revision == name)
        except RefusedError:
            found.add(name)
    return frozenset(found)


def advance(state: State, event: Event) -> State:
    """The state after one more event. Raises RefusedError (ledger-illegal) for a transition the table does not list."""
    if not is_listed(state, event):
        raise RefusedError(
            "ledger-illegal",
            f"{event.revision} is {state.name}, but its ledger goes on with {event.kind}",
            where=f"ledger entry {event.token}/{event.n} of {event.at:%Y-%m-%d %H:%M} UTC by {event.actor}",
            fix=f"look at the database, then `provision resolve {event.revision} --applied` or"
            f" `provision resolve {event.revision} --pending`",
        )
    return after(state, event)


def is_listed(state: State, event: Event) -> bool:
    """Whether the event may follow the state: the table lists it, or it is a person's word."""
    return word(event) is not None or (state.name, event.kind) in TRANSITIONS


def word(event: Event) -> StateName | None:
    """The state that a person says; None for all other events, and for a word that says none."""
    said = event.detail.get("state", StateName.PENDING)
    return next((each for each in StateName if each == said), None) if event.kind is EventKind.RESOLVED else None


def after(state: State, event: Event) -> State:
    """The state after one more event, be it listed or not; a word that says no state changes nothing."""
    if event.kind is EventKind.RESOLVED:
        said = word(event)
        return state if said is None else _resolved(state, event, said)
    name = TRANSITIONS.get((state.name, event.kind), _PLAINLY[event.kind])
    if event.kind is EventKind.FAILED:
        return _failed(state, event, name)
    if event.kind in _BOUNDARIES:
        return replace(_made(name, event), events=_boundaries(state, event))
    return _made(name, event)


def highest_token(events: Iterable[Event]) -> int:
    """The highest token that wrote, 0 for an empty ledger."""
    return max((event.token for event in events), default=0)


def _made(name: StateName, event: Event) -> State:
    return State(
        name=name,
        checksum=event.checksum,
        at=event.at,
        actor=event.actor,
        duration_ms=event.duration_ms,
        direction=event.direction,
        repeatable=event.detail.get("repeatable") is True,
        file=str(event.detail.get("file", "")),
        runs=str(event.detail.get("runs", "")),
        token=event.token,
    )


def _boundaries(state: State, event: Event) -> tuple[Event, ...]:
    """The boundaries of the attempt so far: a resumed statement replaces its own earlier one and what followed it."""
    number = event.statement or 1
    if "done_to" in event.detail:
        return (event,)  # by a person's word, whatever ran
    same = state.open and state.direction is event.direction
    return (*(each for each in state.events if same and (each.statement or 1) < number), event)


def _failed(state: State, event: Event, name: StateName) -> State:
    error = str(event.detail.get("error", ""))
    if name is StateName.APPLIED:
        return replace(state, error=error)
    # Rolled back: nothing of it is left, so that nothing is in flight either.
    kept = () if event.detail.get("rolled_back") else state.events
    return replace(_made(name, event), events=kept, error=error)


def _resolved(state: State, event: Event, name: StateName) -> State:
    made = _made(name, event)
    # Accepting a change, or writing a version table again, keeps time, author and duration of the application.
    kept = replace(made, at=state.at, actor=state.actor, duration_ms=state.duration_ms)
    if event.detail.get("again"):
        return replace(kept, file=state.file, runs=state.runs)
    return kept if event.detail.get("accepted") else made

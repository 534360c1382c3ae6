"""Where every revision stands: its file × its store's ledger × the peer's table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from provision.core.ledger import fold, highest_token
from provision.model import PENDING, Direction, Event, Revision, State, StateName


class Flag(StrEnum):
    DIRTY = "dirty"  # begun and not provably ended
    CHANGED = "changed"  # the file is not what was applied
    UNKNOWN = "unknown"  # applied, not on disk
    FUTURE = "future"  # unknown and newer than everything on disk
    APPLIED_OUTSIDE = "applied_outside"  # the peer's table says applied, the ledger does not
    REVERTED_OUTSIDE = "reverted_outside"  # the ledger says applied, the peer's table does not


@dataclass(frozen=True, slots=True)
class Standing:
    """One revision of one store; `revision` is None when its file is gone."""

    id: str
    revision: Revision | None
    state: State
    flags: frozenset[Flag] = frozenset()
    unmet: str = ""  # what the server lacks for it

    @property
    def applied(self) -> bool:
        return self.state.name is StateName.APPLIED

    @property
    def strict(self) -> bool:
        """Whether an edit is an error: its kind says so, or what its file runs is known to be something else now."""
        return self.revision is not None and (self.revision.strict or bool(self.revision.runs and self.state.runs))

    @property
    def other_file(self) -> str:
        """The file that was applied under this number, where the one here has another name and other content."""
        if Flag.CHANGED not in self.flags or self.revision is None or self.state.file == self.revision.file:
            return ""
        return self.state.file

    @property
    def pending(self) -> bool:
        """True when an `up` has it to do."""
        if self.revision is None or (self.revision.optional and not self.state.open):
            return False
        if not self.revision.repeatable:
            return not self.applied
        settled = self.applied or (self.state.name is StateName.SKIPPED and bool(self.unmet))
        return not (settled and self.state.checksum == self.revision.checksum)


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """What one store answered, put against its files."""

    store: str
    standings: Mapping[str, Standing]
    token: int = 0  # the highest that wrote to this ledger
    gates: frozenset[str] = frozenset()  # backfills that are complete
    vanished: tuple[str, ...] = ()  # by the ledger they are in the peer's table, and they are not

    @property
    def applied(self) -> tuple[str, ...]:
        return tuple(each.id for each in self.standings.values() if each.applied)

    @property
    def pending(self) -> tuple[str, ...]:
        return tuple(each.id for each in self.standings.values() if each.pending)


def stand(
    store: str,
    revisions: Sequence[Revision],
    events: Sequence[Event],
    peer: Mapping[str, bool] | None,
    unmet: Mapping[str, str] = MappingProxyType({}),
    *,
    together: bool = False,
) -> StoreStanding:
    """Put the files of a store against its ledger and, where there is one, the peer's table.

    `unmet` says of repeatables what the server lacks for them. `together`: the peer's row of a down goes in the
    transaction that writes the entry of its end, so that no run of ours leaves it gone and the down open.

    Raises RefusedError (ledger-illegal).
    """
    states = fold(events)
    files = {revision.id: revision for revision in revisions}
    gates = frozenset(name for name, state in states.items() if _is_gate(name) and _applied(state))
    names = [*files, *(name for name in {**states, **(peer or {})} if name not in files and not _is_gate(name))]
    # The peer knows nothing of repeatables.
    ours = {name for name, state in states.items() if state.repeatable} | {r.id for r in revisions if r.repeatable}
    made = [
        _standing(name, files.get(name), states.get(name, PENDING), None if name in ours else peer, unmet.get(name, ""))
        for name in names
    ]
    kept = [each for each in made if each.revision is not None or each.applied or each.state.open]
    there = (name for name, state in states.items() if _applied(state) or (together and _undoing(state)))
    vanished = tuple(name for name in there if not _in(peer, name, {*ours, *gates}))
    standings = {each.id: each for each in _future(kept, events)}
    return StoreStanding(store, standings, highest_token(events), gates, vanished)


def _in(peer: Mapping[str, bool] | None, name: str, ours: Iterable[str]) -> bool:
    """Whether the peer's table has the revision, as far as it would."""
    return peer is None or name in peer or name in ours


def _is_gate(name: str) -> bool:
    return name.startswith("backfill/")


def _applied(state: State) -> bool:
    return state.name is StateName.APPLIED


def _undoing(state: State) -> bool:
    return state.open and state.direction is Direction.DOWN


def _standing(
    name: str, revision: Revision | None, state: State, peer: Mapping[str, bool] | None, unmet: str
) -> Standing:
    flags: set[Flag] = set()
    # The peer's row of a down goes last: while it is there, an open down is what it is, and not ours to call applied.
    undoing = _undoing(state)
    if peer is not None and name in peer and not _applied(state) and not undoing:
        flags.add(Flag.APPLIED_OUTSIDE)
        state = replace(PENDING, name=StateName.APPLIED)
        if not peer[name]:
            flags.add(Flag.CHANGED)
    elif peer is not None and name not in peer and (_applied(state) or undoing):
        flags.add(Flag.REVERTED_OUTSIDE)
        state = replace(PENDING, name=StateName.REVERTED)
    if state.open and state.name is StateName.STARTED and "done_to" not in state.events[-1].detail:
        # One that failed is open too, but the server refused its statement: what became of it is known.
        flags.add(Flag.DIRTY)
    if _applied(state) and revision is None:
        flags.add(Flag.UNKNOWN)
    if _applied(state) and revision is not None and state.checksum not in ("", revision.checksum):
        flags |= set() if revision.repeatable or _runs_the_same(revision, state) else {Flag.CHANGED}
    return Standing(name, revision, state, frozenset(flags), unmet)


def _runs_the_same(revision: Revision, state: State) -> bool:
    """Whether the edit of a file changed nothing of what it ran."""
    return revision.runs is not None and state.runs != "" and revision.runs() == state.runs


def _future(standings: Iterable[Standing], events: Sequence[Event]) -> Iterable[Standing]:
    """Mark unknown revisions that were applied after everything on disk was."""
    listed = list(standings)
    last = {event.revision: (event.token, event.n) for event in sorted(events, key=lambda each: (each.token, each.n))}
    known = [each for each in listed if each.revision is not None]
    newest = max((last.get(each.id, (0, 0)) for each in known), default=(0, 0))
    complete = all(each.applied for each in known)
    for each in listed:
        if Flag.UNKNOWN in each.flags and complete and last.get(each.id, (0, 0)) > newest:
            yield replace(each, flags=each.flags | {Flag.FUTURE})
        else:
            yield each

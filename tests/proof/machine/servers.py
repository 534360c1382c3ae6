"""Two servers in memory, one with a fence, one without. They go on when a client is gone; what takes effect is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from provision.core.ledger import fold
from provision.errors import LeaseLost, StatementFailed
from provision.model import Contact, Event, EventKind, Revision, StateName, StoreOptions
from provision.model.statements import Fate, Mark, Outcome, Running, Statement
from provision.testing.fake_store import FakeMarked, FakeServer, FakeStatements, FakeStore

if TYPE_CHECKING:
    from tests.proof.machine.play import Play

PROJECT = "p"
FENCED, PLAIN = "a", "b"
_KEPT = ("fences", "things", "peer", "holdings", "tokens", "landed", "appended")


class Landing(NamedTuple):
    """A statement that took effect."""

    text: str
    revision: str
    token: int
    late: bool  # a newer run had looked at the store, to make its plan
    excused: bool  # its own lock was over when it arrived: the run was held up between its check and sending
    alone: bool = False  # nothing could have refused it: it is no transaction with an entry


class Work:
    """A statement that a server works on."""

    def __init__(self) -> None:
        self.ended = False
        self.error: Exception | None = None


class Server(FakeServer):
    """What a database keeps; `landed` is what took effect, in order."""

    def __init__(self, name: str, play: Play) -> None:
        self._play = play
        super().__init__()
        self.name, self.fenced = name, name == FENCED
        self.landed: list[Landing] = []
        self.silent_until = -math.inf  # it answers nobody
        self.looked = 0  # the newest token under which its ledger was read: older statements are late
        self.appended: list[tuple[int, int]] = []
        self.begun_late = (
            False  # the start of a down was held back until a newer run had looked, and nothing refused it
        )

    @property
    def clock(self) -> float:
        return self._play.scheduler.now

    @clock.setter
    def clock(self, value: float) -> None:
        """It is the scheduler's."""

    @property
    def entries(self) -> list[Event]:
        return self.events.setdefault((PROJECT, self.name), [])

    def applied(self, revision: str) -> bool:
        found = fold(self.entries).get(revision)
        return found is not None and found.name is StateName.APPLIED

    def begin(self, statement: Statement, mark: Mark, event: Event | None, excused: bool) -> Work:
        """The request has arrived: the server goes on with it, whatever becomes of its client.

        Without an `event`, the statement commits by itself.
        """
        work = Work()
        running = Running(mark, 0.0, statement.text, str(self._play.scheduler.steps))
        self.running.append(running)

        def carry_out() -> None:
            self._play.scheduler.sleep(self._play.length_of_statement())
            if running in self.running:
                self.running.remove(running)
                self._end(work, statement, mark, event, excused)
            else:
                work.error = StatementFailed("it was stopped", number=mark.statement or 1, statement=statement.text)
            work.ended = True

        self._play.scheduler.spawn(carry_out, None)
        return work

    def _end(self, work: Work, statement: Statement, mark: Mark, event: Event | None, excused: bool) -> None:
        if self.fenced and event is not None:
            # Statement and entry are one transaction.
            try:
                self.append(event)
            except LeaseLost as refused:
                work.error = refused
                return
        self.land(statement.text, mark, excused, alone=not self.fenced or event is None)

    def land(self, text: str, mark: Mark, excused: bool, *, alone: bool) -> None:
        """A statement takes effect."""
        late = mark.token < self.looked
        self.landed.append(Landing(text, mark.revision, mark.token, late, excused, alone))
        self._play.seen(self.landed[-1])
        (self.things.discard if text[0] == "-" else self.things.add)(text[1:])

    def append(self, event: Event) -> None:
        if self.fenced:
            if event.token < self.fences.get((PROJECT, self.name), 0):
                raise LeaseLost(f"a run with a token above {event.token}")
            if (event.token, event.n) in self.appended:
                raise LeaseLost(f"a run with the same token {event.token}")
            if event.kind is EventKind.APPLIED:
                self.peer[event.revision] = event.checksum
            elif event.kind is EventKind.REVERTED:
                self.peer.pop(event.revision, None)
        elif event.kind is EventKind.STARTED and event.detail.get("direction") and event.token < self.looked:
            self.begun_late = True
        self.appended.append((event.token, event.n))
        self.entries.append(event)

    def backup(self) -> dict[str, Any]:
        """All that the database keeps, as it is now."""
        return {name: copy(getattr(self, name)) for name in _KEPT} | {"events": {(PROJECT, self.name): [*self.entries]}}

    def restore(self, kept: dict[str, Any]) -> None:
        for name, value in kept.items():
            setattr(self, name, value)


class Port:
    """A part of a store, every call of which can go wrong before and after."""

    def __init__(self, part: Any, name: str, play: Play) -> None:
        self._part, self._name, self._play = part, name, play

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        return self._play.through(found, f"{self._name}.{name}") if callable(found) else found


class _Ledger:
    def __init__(self, server: Server, play: Play) -> None:
        self._server, self._play = server, play

    def read(self) -> Sequence[Event]:
        self._server.looked = max(self._server.looked, self._play.token())
        return sorted(self._server.entries, key=lambda event: (event.token, event.n))

    def create(self) -> None:
        """It is there."""

    def append(self, event: Event) -> None:
        self._server.append(event)

    def raise_fence(self, token: int) -> None:
        key = (PROJECT, self._server.name)
        self._server.fences[key] = max(token, self._server.fences.get(key, 0))


class _Marked(FakeMarked):
    def cancel(self, running: Running) -> None:
        if running in self.running():  # else it has ended meanwhile
            super().cancel(running)


class _Statements(FakeStatements):
    def __init__(self, store: ProofStore) -> None:
        super().__init__(store)
        self._of, self._play = store, store.play

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        server = self._of.proof
        self._play.passes(f"{server.name}.send")
        work = server.begin(statement, mark, event, self._play.overtaken())
        self._play.scheduler.wait(lambda: work.ended)
        self._play.passes(f"{server.name}.answer", after=True)
        if work.error is not None:
            raise work.error
        if not server.fenced:
            check_lease()
            self.record(event.later(), upcoming)

    def probe(self, statement: Statement, event: Event) -> Fate:
        del event
        self._play.passes(f"{self._of.name}.probe")
        if statement.text[0] == "~":
            return Fate(Outcome.CANNOT_TELL, f"{statement.text} leaves no trace")
        return self._of.fate(statement.text)

    def record(self, event: Event, upcoming: Statement | None) -> None:
        del upcoming
        self._of.ledger.append(event)


class ProofStore(FakeStore):
    """A FakeStore whose parts are ports that can fail."""

    def __init__(self, options: StoreOptions, server: Server, play: Play) -> None:
        self.proof, self.play = server, play
        super().__init__(options, server, peer=server.fenced, leases=server.fenced)
        name = options.name
        self.ledger: Any = Port(_Ledger(server, play), f"{name}.ledger", play)
        self.leases: Any = self.leases and Port(self.leases, f"{name}.leases", play)
        self.peer: Any = self.peer and Port(self.peer, f"{name}.peer", play)
        self.marked: Any = Port(_Marked(server), f"{name}.marked", play)
        self.lane: Any = None
        self.statements: Any = _Statements(self)
        if play.layout.lane and server.fenced:
            from tests.proof.machine.lane import ProofLane

            self.lane, self.statements = ProofLane(self), None

    def fate(self, text: str) -> Fate:
        """What a look at the server says of a statement that leaves a trace."""
        there = text[1:] in self.proof.things
        return Fate(Outcome.DONE if there == (text[0] == "+") else Outcome.NOT_DONE, text)

    def revisions(self) -> Sequence[Revision]:
        return self.play.layout.revisions[self.name]

    def statements_of(self, step: Any) -> Sequence[Statement]:
        return [Statement(line, line) for line in self.play.layout.texts(step)]

    def open(self, url: str) -> Contact:
        self.play.passes(f"{self.name}.open")
        return super().open(url)

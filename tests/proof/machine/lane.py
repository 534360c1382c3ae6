"""The lane of a store like PostgreSQL: a revision, its version and its entry are one transaction on the server.

Some revisions commit each statement by itself. What those begin is written down before, on another connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from provision.errors import FailedError, LeaseLost
from provision.model import Direction, Event, EventKind, State, Step
from provision.model.statements import Fate, Mark, Outcome, Running, Statement
from provision.ports import Journal

if TYPE_CHECKING:
    from tests.proof.machine.servers import ProofStore


class ProofLane:
    """`provision.ports.Lane`, whose engine sends what the real one does, in its order."""

    def __init__(self, store: ProofStore) -> None:
        self._store, self._play, self._server = store, store.play, store.proof

    def run(self, steps: Iterator[Step], journal: Journal) -> None:
        for step in steps:
            listed = self._store.statements_of(step)
            if step.id in self._play.layout.alone:
                self._by_themselves(step, listed, journal)
                listed = ()
            self._in_one(step, listed, journal)

    def probe(self, step: Step, state: State) -> Fate:
        del step
        self._play.passes(f"{self._server.name}.probe")
        text = str(state.events[-1].detail.get("text", ""))
        return self._store.fate(text) if text else Fate(Outcome.NOT_DONE, "the transaction that follows")

    def _by_themselves(self, step: Step, listed: Sequence[Statement], journal: Journal) -> None:
        first = journal.begin_at(step) or 1
        taken = answered = first - 1
        try:
            for number, statement in enumerate(listed[first - 1 :], first):
                journal.check()
                taken = number
                self._boundary(step, number, statement.text, journal, begun=number > first)
                self._alone(statement, journal.mark(step, number))
                answered = number
        finally:
            if first <= answered == taken:  # the server said that it is done
                self._boundary(step, answered + 1, "", journal, begun=True)

    def _boundary(self, step: Step, number: int, text: str, journal: Journal, *, begun: bool) -> None:
        """What precedes the statement is done; without a text, a transaction follows."""
        kind = EventKind.AT if begun else EventKind.STARTED
        counted = {"preceding": number - 1, "trail": text}
        self._store.ledger.append(journal.event(step, kind, statement=number, text=text, **counted))

    def _alone(self, statement: Statement, mark: Mark) -> None:
        self._play.passes(f"{self._server.name}.send")
        work = self._server.begin(statement, mark, None, self._play.overtaken())
        self._play.scheduler.wait(lambda: work.ended)
        self._play.passes(f"{self._server.name}.answer", after=True)
        if work.error is not None:
            raise work.error

    def _in_one(self, step: Step, listed: Sequence[Statement], journal: Journal) -> None:
        transaction = Transaction(self._store, journal.mark(step))
        try:
            for statement in listed:
                journal.check()
                transaction.send(statement)
            kind = EventKind.APPLIED if step.direction is Direction.UP else EventKind.REVERTED
            journal.check()
            transaction.commit(journal.event(step, kind))
        finally:
            transaction.leave()


class Transaction:
    """A session that is seen on the server until it ends; ended from outside, nothing of it is kept."""

    def __init__(self, store: ProofStore, mark: Mark) -> None:
        self._play, self._server = store.play, store.proof
        self._mark, self._texts = mark, list[str]()
        self._seen: Running | None = None
        self._left = self._busy = False

    def send(self, statement: Statement) -> None:
        self._request(statement.text, self._play.length_of_statement, lambda: self._texts.append(statement.text))

    def commit(self, event: Event) -> None:
        excused = self._play.overtaken()
        self._request("commit", lambda: 0.0, lambda: self._kept(event, excused))

    def leave(self) -> None:
        """The client is done with it, or gone: what the server works on ends first, and is rolled back."""
        self._left = True
        if not self._busy:
            self._ended()

    def _kept(self, event: Event, excused: bool) -> None:
        self._server.append(event)
        for text in self._texts:
            self._server.land(text, self._mark, excused, alone=False)
        self._ended()

    def _ended(self) -> None:
        if self._seen in self._server.running:
            self._server.running.remove(self._seen)

    def _request(self, text: str, length: Callable[[], float], done: Callable[[], None]) -> None:
        self._play.passes(f"{self._server.name}.send")
        errors, ended = list[Exception](), list[bool]()
        self._show(text, idle=False)
        self._busy = True

        def carry_out() -> None:
            self._play.scheduler.sleep(length())
            if self._seen not in self._server.running:
                errors.append(FailedError("server-lost", "the session was ended", where="proof", fix="try again"))
            else:
                try:
                    done()
                except LeaseLost as refused:
                    errors.append(refused)
                else:
                    self._show(text, idle=True)
            self._busy = False
            ended.append(True)
            if self._left:
                self._ended()

        self._play.scheduler.spawn(carry_out, None)
        self._play.scheduler.wait(lambda: bool(ended))
        self._play.passes(f"{self._server.name}.answer", after=True)
        if errors:
            raise errors[0]

    def _show(self, text: str, *, idle: bool) -> None:
        """What `Marked` sees of it; a session that was ended does not come back."""
        if self._seen is not None and self._seen not in self._server.running:
            return
        shown = Running(self._mark, 0.0, text, str(self._play.scheduler.steps), idle=idle)
        if self._seen is not None:
            self._server.running.remove(self._seen)
        self._seen = shown
        self._server.running.append(shown)

"""Carries out operations that mean "ensure": look, act where something is missing, and look again.

For servers that keep no transaction over an operation and its ledger entry, and that may answer "done" to what they
then do not do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

from provision.documents import Operation
from provision.documents.operation import AS_WRITTEN, Body, OperationKind, Stopped, W, operation_of
from provision.documents.source import Documents
from provision.model import Event, Fate, Mark, Outcome, Statement, Step
from provision.ports import Ledger

Live = TypeVar("Live")


class Refused(Exception):
    """Raised when the server refused what an operation asked for; its words are the message."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


class EnsuredKind(OperationKind[W], Generic[Live, W]):
    """An operation that can tell whether the server is as its body says."""

    @abstractmethod
    def text(self, body: Body) -> str:
        """What is sent to a server that has none of it, as the vendor's own documents write it."""

    @abstractmethod
    def probe(self, body: Body, live: Live) -> Fate:
        """Whether the server is as the body says. Changes nothing. Raises Stopped when nobody can tell."""

    @abstractmethod
    def run(self, body: Body, live: Live) -> None:
        """Make it so, the probe having said that it is not done. Raises Refused, Stopped."""


class Guard(Protocol):
    """What a lost answer means: nothing was changed yet, or something may have been."""

    def reading(self) -> AbstractContextManager[None]:
        """Raises UnreachableError for no answer inside."""

    def writing(self) -> AbstractContextManager[None]:
        """Raises FailedError (server-lost) for no answer inside."""


class Unguarded:
    """For a server whose own methods say what a lost answer means."""

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def writing(self) -> AbstractContextManager[None]:
        return nullcontext()


class EnsuredStatements(Generic[Live]):
    """The statements of a store whose operations are all of that sort.

    `live` is the open server for what runs under a mark, or for a probe alone; `guard` its words for a lost answer.
    """

    def __init__(
        self,
        documents: Documents,
        operations: Mapping[str, EnsuredKind[Live, Any]],
        live: Callable[[Mark | None], Live],
        ledger: Ledger,
        guard: Callable[[], Guard] = Unguarded,
    ) -> None:
        self._documents, self._operations, self._live = documents, operations, live
        self._ledger, self._guard = ledger, guard

    def of(self, step: Step) -> Sequence[Statement]:
        """One statement an operation, or one a part of it. Raises ConfigError (irreversible, no-such-revision)."""
        return [self._statement(each, loss) for each, loss in self._documents.operations(step)]

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        """Carry out the operation, see that it took effect, append the event.

        Raises StatementFailed, LeaseLost, FailedError (server-lost: what was in flight is for the probe).
        """
        del upcoming
        with self._guard().writing():
            try:
                self._ensure(operation_of(statement), self._live(mark))
            except Stopped as stopped:
                raise self._documents.failed(str(stopped), statement, mark, AS_WRITTEN) from None
            except Refused as refused:
                raise self._documents.failed(f"{statement.summary}: {refused}", statement, mark, refused.fix) from None
            check_lease()
            self._ledger.append(event.later())

    def probe(self, statement: Statement, event: Event) -> Fate:
        """Whether the operation took effect. Changes nothing. Raises UnreachableError, ConfigError."""
        del event
        operation = operation_of(statement)
        with self._guard().reading():
            try:
                return self._operations[operation.name].probe(operation.body, self._live(None))
            except Stopped as stopped:
                return Fate(Outcome.CANNOT_TELL, str(stopped))

    def record(self, event: Event, upcoming: Statement | None) -> None:
        """Append the event alone. Raises LeaseLost, FailedError."""
        del upcoming
        self._ledger.append(event)

    def _ensure(self, operation: Operation, live: Live) -> None:
        kind = self._operations[operation.name]
        fate = kind.probe(operation.body, live)
        if fate.outcome is Outcome.DONE:
            return
        if fate.outcome is not Outcome.NOT_DONE:
            raise Stopped(fate.reason)
        kind.run(operation.body, live)
        after = kind.probe(operation.body, live)
        if after.outcome is not Outcome.DONE:
            raise Refused(f"the server accepted it and did not do it: {after.reason}")

    def _statement(self, operation: Operation, loss: str | None) -> Statement:
        kind = self._operations[operation.name]
        return Statement(kind.text(operation.body), kind.summary(operation.body), operation, loss)

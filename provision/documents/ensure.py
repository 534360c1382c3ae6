"""Carries out operations that mean "ensure": look, act where something is missing, and look again.

For servers that keep no transaction over an operation and its ledger entry, and that may answer "done" to what they
then do not do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from provision.documents import Operation
from provision.documents.operation import AS_WRITTEN, Body, Stopped, W, operation_of
from provision.documents.refused import Refused
from provision.documents.source import Documents
from provision.documents.statements import DocumentStatements, Guard, Live, ProbedKind, Unguarded
from provision.model import Event
from provision.model.statements import Mark, Outcome, Statement
from provision.ports import Ledger


class EnsuredKind(ProbedKind[Live, W]):
    """An operation that is carried out where its probe says that it is not done."""

    @abstractmethod
    def text(self, body: Body) -> str:
        """What is sent to a server that has none of it, as the vendor's own documents write it."""

    @abstractmethod
    def run(self, body: Body, live: Live) -> None:
        """Make it so, the probe having said that it is not done. Raises Refused, Stopped."""


class EnsuredStatements(DocumentStatements[Live]):
    """The statements of a store whose operations are all of that sort."""

    def __init__(
        self,
        documents: Documents,
        operations: Mapping[str, EnsuredKind[Live, Any]],
        live: Callable[[Mark | None], Live],
        ledger: Ledger,
        guard: Callable[[], Guard] = Unguarded,
    ) -> None:
        super().__init__(documents, operations, live, guard)
        self._operations, self._ledger = operations, ledger

    def text(self, operation: Operation) -> str:
        return self._operations[operation.name].text(operation.body)

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

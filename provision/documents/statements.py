"""The statements of a store of documents: what each sends, and what became of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

from provision.documents import Operation
from provision.documents.operation import Body, OperationKind, Stopped, W, operation_of
from provision.documents.source import Documents
from provision.model import Event, Step
from provision.model.statements import Fate, Mark, Outcome, Statement

Live = TypeVar("Live")


class ProbedKind(OperationKind[W], Generic[Live, W]):
    """An operation that can tell whether the server is as its body says."""

    @abstractmethod
    def probe(self, body: Body, live: Live) -> Fate:
        """Whether the server is as the body says. Changes nothing. Raises Stopped when nobody can tell."""


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


class DocumentStatements(ABC, Generic[Live]):
    """A part of `provision.ports.Statements`; a store adds how one is carried out together with its ledger entry.

    `live` is the open server for what runs under a mark, or for a probe alone; `guard` its words for a lost answer.
    """

    def __init__(
        self,
        documents: Documents,
        operations: Mapping[str, ProbedKind[Live, Any]],
        live: Callable[[Mark | None], Live],
        guard: Callable[[], Guard] = Unguarded,
    ) -> None:
        self._documents, self._kinds, self._live, self._guard = documents, operations, live, guard

    @abstractmethod
    def text(self, operation: Operation) -> str:
        """What is sent to a server that has none of it, as the vendor's own documents write it."""

    def of(self, step: Step) -> Sequence[Statement]:
        """One statement an operation, or one a part of it. Raises ConfigError (irreversible, no-such-revision)."""
        return [
            Statement(self.text(each), self._kinds[each.name].summary(each.body), each, loss)
            for each, loss in self._documents.operations(step)
        ]

    def probe(self, statement: Statement, event: Event) -> Fate:
        """Whether the operation took effect. Changes nothing. Raises UnreachableError, ConfigError."""
        del event
        operation = operation_of(statement)
        with self._guard().reading():
            try:
                return self._kinds[operation.name].probe(operation.body, self._live(None))
            except Stopped as stopped:
                return Fate(Outcome.CANNOT_TELL, str(stopped))

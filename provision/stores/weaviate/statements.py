"""Carries out one operation of a document at a time; what a lost answer means depends on whether a run had begun."""

from __future__ import annotations

from collections.abc import Callable

from provision.documents.ensure import EnsuredStatements
from provision.documents.source import Documents
from provision.model import Event, Fate, Mark, Statement
from provision.ports import Ledger
from provision.stores.weaviate.operations import OPERATIONS
from provision.stores.weaviate.operations.base import Live
from provision.stores.weaviate.server import Server


class WeaviateStatements(EnsuredStatements[Live]):
    def __init__(
        self, documents: Documents, live: Callable[[], Live], server: Callable[[], Server], ledger: Ledger
    ) -> None:
        super().__init__(documents, OPERATIONS, live, ledger)
        self._server = server

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        """As EnsuredStatements does; an answer that does not come raises FailedError (server-lost)."""
        with self._server().writing():
            super().advance(statement, mark, event, upcoming, check_lease)

    def probe(self, statement: Statement, event: Event) -> Fate:
        """As EnsuredStatements does; an answer that does not come raises UnreachableError."""
        with self._server().reading():
            return super().probe(statement, event)

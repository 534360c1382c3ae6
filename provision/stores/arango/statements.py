"""Carries out the operations of documents, each under the mark by which a query of it can be found on the server."""

from __future__ import annotations

from collections.abc import Callable

from provision.documents.ensure import EnsuredStatements
from provision.documents.source import Documents
from provision.model import Event, Fate, Mark, Statement
from provision.ports import Ledger
from provision.stores.arango.operations import OPERATIONS
from provision.stores.arango.operations.base import Live
from provision.stores.arango.server import Server


class ArangoStatements(EnsuredStatements[Live]):
    """One step at a time, as a lane runs them."""

    def __init__(self, documents: Documents, server: Callable[[], Server], ledger: Ledger) -> None:
        self._server = server
        self._mark: Mark | None = None
        super().__init__(documents, OPERATIONS, self._at, ledger)

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        self._mark = mark
        with self._server().writing():
            super().advance(statement, mark, event, upcoming, check_lease)

    def probe(self, statement: Statement, event: Event) -> Fate:
        with self._server().reading():
            return super().probe(statement, event)

    def _at(self) -> Live:
        return Live(self._server(), self._mark)

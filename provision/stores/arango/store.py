"""A configured ArangoDB database: its documents, ledger, leases and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import Contact, StoreOptions
from provision.ports import Leases, Ledger
from provision.ports.checks import Checks
from provision.stores.arango.keys import Keys

if TYPE_CHECKING:
    from provision.stores.arango.server import Server


class ArangoStore(DocumentStore):
    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.arango.checks import ArangoChecks
        from provision.stores.arango.leases import ArangoLeases
        from provision.stores.arango.ledger import ArangoLedger
        from provision.stores.arango.marked import ArangoMarked
        from provision.stores.arango.source import documents
        from provision.stores.arango.statements import ArangoStatements

        super().__init__(options, documents(options))
        self._open: Server | None = None
        keys = Keys(options.project, options.name)
        self.ledger: Ledger = ArangoLedger(keys, self._server)
        self.leases: Leases | None = ArangoLeases(keys, self._server, self.prepare)
        self.checks: Checks | None = ArangoChecks(self._server)
        self.statements = ArangoStatements(self.documents, self._server, self.ledger)
        self.marked = ArangoMarked(self._server)

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `server.connect` does."""
        from provision.stores.arango.names import illegal
        from provision.stores.arango.server import SYSTEM, connect, database_of

        try:
            name = database_of(url)
            wrong = None if name == SYSTEM else illegal("database", name)
            if wrong is not None:
                raise ConfigError("bad-url", wrong[0], fix=wrong[1])
            server = connect(url, self.options)
        except ProvisionError as error:
            error.where = f"{self.name}: {error.where}"
            raise
        self.close()
        self._open = server
        return Contact(server.version, "arangodb")

    def prepare(self) -> None:
        """Make the database of the url if it is absent. Raises ConfigError (not-allowed), FailedError."""
        if self._server().absent:
            self._server().make_database()

    def close(self) -> None:
        if self._open is not None:
            self._open.http.close()
            self._open = None

    def _server(self) -> Server:
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

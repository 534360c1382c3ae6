"""A configured ArangoDB database: its documents, ledger, leases and statements."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError
from provision.model import Contact, StoreOptions
from provision.model.statements import Mark
from provision.ports import Leases, Ledger, Marked, Statements
from provision.stores.arango.names import Keys

if TYPE_CHECKING:
    from provision.documents.source import Documents
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks
    from provision.stores.arango.server import Server


class ArangoStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        super().__init__(options, self._read)
        self._keys = Keys(options.project, options.name)

    def _read(self) -> Documents:
        from provision.stores.arango.files import documents

        return documents(self.options)

    @cached_property
    def ledger(self) -> Ledger:
        from provision.stores.arango.ledger import ArangoLedger

        return ArangoLedger(self._keys, self.server)

    @cached_property
    def leases(self) -> Leases:
        from provision.stores.arango.lease import ArangoLeases

        return ArangoLeases(self._keys, self.server, self.prepare)

    @cached_property
    def marked(self) -> Marked:
        from provision.stores.arango.marks import ArangoMarked

        return ArangoMarked(self.server)

    @cached_property
    def statements(self) -> Statements:
        from provision.documents.ensure import EnsuredStatements
        from provision.stores.arango.migrate.operations import OPERATIONS
        from provision.stores.arango.migrate.operations.base import Live

        def live(mark: Mark | None) -> Live:
            return Live(self.server(), mark)  # the mark is how a query can be found on the server

        return EnsuredStatements(self.documents, OPERATIONS, live, self.ledger, self.server)

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.arango.validate.checks import ArangoChecks

        return ArangoChecks(self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.arango.backfill.batches import ArangoBatches

        return ArangoBatches(self._keys, self.server)

    def connect(self, url: str) -> Server:
        """As `server.connect` does. Raises ConfigError (bad-url) for a name that no database can have."""
        from provision.stores.arango.migrate.name_rules import illegal
        from provision.stores.arango.server import SYSTEM, connect, database_of

        name = database_of(url)
        wrong = None if name == SYSTEM else illegal("database", name)
        if wrong is not None:
            raise ConfigError("bad-url", wrong[0], fix=wrong[1])
        return connect(url, self.options)

    def contact(self, server: Server) -> Contact:
        return Contact(server.version, "arangodb")

    def prepare(self) -> None:
        """Make the database of the url if it is absent. Raises ConfigError (not-allowed), FailedError."""
        if self.server().absent:
            self.server().make_database()

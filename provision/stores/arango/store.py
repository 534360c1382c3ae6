"""A configured ArangoDB database: its documents, ledger, leases and statements."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.ensure import EnsuredStatements
from provision.documents.store import DocumentStore
from provision.errors import ConfigError
from provision.model import Contact, StoreOptions
from provision.ports import Leases, Ledger
from provision.stores.arango.names import Keys

if TYPE_CHECKING:
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks
    from provision.stores.arango.server import Server


class ArangoStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.arango.files import documents
        from provision.stores.arango.lease import ArangoLeases
        from provision.stores.arango.ledger import ArangoLedger
        from provision.stores.arango.marks import ArangoMarked
        from provision.stores.arango.migrate.operations import OPERATIONS
        from provision.stores.arango.migrate.operations.base import Live

        super().__init__(options, documents(options))
        keys = Keys(options.project, options.name)
        self.ledger: Ledger = ArangoLedger(keys, self.server)
        self.leases: Leases | None = ArangoLeases(keys, self.server, self.prepare)
        # The mark is how a query can be found on the server.
        self.statements = EnsuredStatements(
            self.documents, OPERATIONS, lambda mark: Live(self.server(), mark), self.ledger, self.server
        )
        self.marked = ArangoMarked(self.server)

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.arango.validate.checks import ArangoChecks

        return ArangoChecks(self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.arango.backfill.batches import ArangoBatches

        return ArangoBatches(Keys(self.options.project, self.options.name), self.server)

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

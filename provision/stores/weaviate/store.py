"""A configured Weaviate server: its documents, ledger and statements. It cannot compare and set: it has no leases."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.ensure import EnsuredStatements
from provision.documents.store import DocumentStore
from provision.errors import ConfigError
from provision.model import Contact, StoreOptions
from provision.ports import Ledger
from provision.stores.weaviate.names import Names

if TYPE_CHECKING:
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks
    from provision.stores.weaviate.server import Server

ALIASES_SINCE = (1, 32, 0)
_OF_ALIASES = ("create_alias", "move_alias", "delete_alias", "replace_collection")


class WeaviateStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.weaviate.files import documents
        from provision.stores.weaviate.ledger import WeaviateLedger
        from provision.stores.weaviate.migrate.leftovers import WeaviateLeftovers
        from provision.stores.weaviate.migrate.operations import OPERATIONS
        from provision.stores.weaviate.migrate.operations.base import Live

        super().__init__(options, documents(options))
        names = Names(options.project, options.name)
        self.ledger: Ledger = WeaviateLedger(names, self.server)
        self.leftovers = WeaviateLeftovers(options, self.documents, self.server)
        self.statements = EnsuredStatements(
            self.documents, OPERATIONS, lambda _: Live(self.server(), names, options), self.ledger, self.server
        )

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.weaviate.validate.checks import WeaviateChecks

        return WeaviateChecks(self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.weaviate.backfill.batches import WeaviateBatches

        return WeaviateBatches(Names(self.options.project, self.options.name), self.options, self.server)

    def connect(self, url: str) -> Server:
        """As `server.connect` does."""
        from provision.stores.weaviate.server import connect

        return connect(self.options, url)

    def contact(self, server: Server) -> Contact:
        """Raises ConfigError (server-too-old) for aliases on a server without them."""
        needing = self.documents.using(_OF_ALIASES) if server.numbers < ALIASES_SINCE else ()
        if needing:
            since = ".".join(str(part) for part in ALIASES_SINCE)
            raise ConfigError(
                "server-too-old",
                f"aliases need Weaviate {since} or later, the server is {server.version}",
                where=", ".join(needing),
                fix="upgrade the server, or take them out of the document",
            )
        return Contact(server.version, "weaviate")

"""A configured Weaviate server: its documents, ledger and statements. It cannot compare and set: it has no leases."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError
from provision.model import Contact, StoreOptions
from provision.model.statements import Mark
from provision.ports import Ledger, Leftovers, Statements
from provision.stores.weaviate.names import Names

if TYPE_CHECKING:
    from provision.documents.source import Documents
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks
    from provision.stores.weaviate.server import Server

ALIASES_SINCE = (1, 32, 0)
REPLACE = "replace_collection"
_OF_ALIASES = ("create_alias", "move_alias", "delete_alias", REPLACE)


class WeaviateStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        super().__init__(options, self._read)
        self._names = Names(options.project, options.name)

    def _read(self) -> Documents:
        from provision.stores.weaviate.files import documents

        return documents(self.options)

    @cached_property
    def ledger(self) -> Ledger:
        from provision.stores.weaviate.ledger import WeaviateLedger

        return WeaviateLedger(self._names, self.server)

    @cached_property
    def leftovers(self) -> Leftovers:
        from provision.stores.weaviate.migrate.leftovers import WeaviateLeftovers

        return WeaviateLeftovers(self.options, self._replaced, self.server)

    def _replaced(self) -> set[str]:
        """The aliases of the collections that documents replace."""
        if not self.using((REPLACE,)):
            return set()
        return {each.body["alias"] for one in self.documents.all() for each in one.up if each.name == REPLACE}

    @cached_property
    def statements(self) -> Statements:
        from provision.documents.ensure import EnsuredStatements
        from provision.stores.weaviate.migrate.operations import OPERATIONS
        from provision.stores.weaviate.migrate.operations.base import Live

        def live(_mark: Mark | None) -> Live:
            return Live(self.server(), self._names, self.options)

        return EnsuredStatements(self.documents, OPERATIONS, live, self.ledger, self.server)

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.weaviate.validate.checks import WeaviateChecks

        return WeaviateChecks(self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.weaviate.backfill.batches import WeaviateBatches

        return WeaviateBatches(self._names, self.options, self.server)

    def connect(self, url: str) -> Server:
        """As `server.connect` does."""
        from provision.stores.weaviate.server import connect

        return connect(self.options, url)

    def contact(self, server: Server) -> Contact:
        """Raises ConfigError (server-too-old) for aliases on a server without them."""
        needing = self.using(_OF_ALIASES) if server.numbers < ALIASES_SINCE else ()
        if needing:
            since = ".".join(str(part) for part in ALIASES_SINCE)
            raise ConfigError(
                "server-too-old",
                f"aliases need Weaviate {since} or later, the server is {server.version}",
                where=", ".join(needing),
                fix="upgrade the server, or take them out of the file",
            )
        return Contact(server.version, "weaviate")

"""A configured Weaviate server: its documents, ledger and statements. It cannot compare and set: it has no leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import Contact, StoreOptions
from provision.ports import Leases, Ledger
from provision.ports.checks import Checks
from provision.stores.weaviate.names import Names

if TYPE_CHECKING:
    from provision.stores.weaviate.server import Server

ALIASES_SINCE = (1, 32, 0)


class WeaviateStore(DocumentStore):
    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.weaviate.checks import WeaviateChecks
        from provision.stores.weaviate.ledger import WeaviateLedger
        from provision.stores.weaviate.leftovers import WeaviateLeftovers
        from provision.stores.weaviate.operations.base import Live
        from provision.stores.weaviate.source import documents
        from provision.stores.weaviate.statements import WeaviateStatements

        super().__init__(options, documents(options))
        self._open: Server | None = None
        names = Names(options.project, options.name)
        self.ledger: Ledger = WeaviateLedger(names, self._server)
        self.leases: Leases | None = None
        self.checks: Checks | None = WeaviateChecks(self._server)
        self.leftovers = WeaviateLeftovers(options, self.documents, self._server)
        self.statements = WeaviateStatements(
            self.documents, lambda: Live(self._server(), names, options), self._server, self.ledger
        )

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `server.connect` does."""
        from provision.stores.weaviate.server import connect

        try:
            server = connect(self.options, url)
        except ProvisionError as error:
            error.where = f"{self.name}: {error.where}" if error.where else self.name
            raise
        self.close()
        self._open = server
        self._refuse_old(server)
        return Contact(server.version, "weaviate")

    def prepare(self) -> None:
        """Nothing to make: a Weaviate server is its own database."""

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _server(self) -> Server:
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

    def _refuse_old(self, server: Server) -> None:
        for needed, words, names in _SINCE:
            if server.numbers >= needed:
                continue
            needing = self.documents.using(names)
            if needing:
                self.close()
                raise ConfigError(
                    "server-too-old",
                    f"{words} need Weaviate {'.'.join(str(part) for part in needed)} or later, the server is"
                    f" {server.version}",
                    where=", ".join(needing),
                    fix="upgrade the server, or take them out of the document",
                )


_SINCE = ((ALIASES_SINCE, "aliases", ("create_alias", "move_alias", "delete_alias", "replace_collection")),)

"""A configured InfluxDB server: its documents, ledger and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.documents.ensure import EnsuredStatements
from provision.documents.store import DocumentStore
from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import Contact, StoreOptions
from provision.ports import Leases, Ledger
from provision.ports.checks import Checks

if TYPE_CHECKING:
    from provision.stores.influx.server import Server

# Operations that send text as it is, each in a language of its own.
_LANGUAGES = ("influxql", "flux")


class InfluxStore(DocumentStore):
    leases: Leases | None = None

    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.influx.checks import InfluxChecks
        from provision.stores.influx.ledger import InfluxLedger
        from provision.stores.influx.operations import operations, rendering
        from provision.stores.influx.source import documents

        super().__init__(options, documents(options))
        self._open: Server | None = None
        self.ledger: Ledger = InfluxLedger(options.project, options.name, self._server)
        self.checks: Checks | None = InfluxChecks(self._server)
        self.statements = EnsuredStatements(self.documents, operations(rendering(options)), self._server, self.ledger)

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `server.connect` does, and for the wrong language."""
        from provision.stores.influx.server import connect

        try:
            server = connect(self.options, url)
        except ProvisionError as error:
            error.where = f"{self.name}: {error.where}" if error.where else self.name
            raise
        self.close()
        self._open = server
        self._refuse_language(server)
        return Contact(server.version, "influxdb")

    def prepare(self) -> None:
        """Nothing to make: documents make the databases, and the ledger makes its own."""

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _server(self) -> Server:
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

    def _refuse_language(self, server: Server) -> None:
        (wrong,) = (each for each in _LANGUAGES if each != server.language)
        other = self.documents.using([wrong])
        if other:
            self.close()
            raise ConfigError(
                "wrong-language",
                f"the operation {wrong} is not for InfluxDB {server.version}",
                where=", ".join(other),
                fix=f"write it as the operation {server.language}",
            )

"""A configured InfluxDB server: its documents, ledger and statements."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError
from provision.model import Contact, StoreOptions
from provision.ports import Ledger, Statements

if TYPE_CHECKING:
    from provision.documents.source import Documents
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks
    from provision.stores.influx.partitions.tier import InfluxPartitions
    from provision.stores.influx.server import Server

# Operations that send text as it is, each in a language of its own.
_LANGUAGES = ("influxql", "flux")


class InfluxStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        super().__init__(options, self._read)

    def _read(self) -> Documents:
        from provision.stores.influx.files import documents

        return documents(self.options)

    @cached_property
    def ledger(self) -> Ledger:
        from provision.stores.influx.ledger import InfluxLedger

        return InfluxLedger(self.options.project, self.name, self.server)

    @cached_property
    def statements(self) -> Statements:
        from provision.documents.ensure import EnsuredStatements
        from provision.stores.influx.migrate.operations import operations, rendering

        kinds = operations(rendering(self.options))
        return EnsuredStatements(self.documents, kinds, lambda _: self.server(), self.ledger)

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.influx.validate.checks import InfluxChecks

        return InfluxChecks(self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.influx.backfill.batches import InfluxBatches

        return InfluxBatches(self.options.project, self.name, self.server)

    @cached_property
    def partitions(self) -> InfluxPartitions:
        from provision.stores.influx.partitions.tier import InfluxPartitions

        return InfluxPartitions(self.server)

    def connect(self, url: str) -> Server:
        """As `server.connect` does."""
        from provision.stores.influx.connect import connect

        return connect(self.options, url)

    def contact(self, server: Server) -> Contact:
        """Raises ConfigError (wrong-language) for text of the other version's language."""
        (wrong,) = (each for each in _LANGUAGES if each != server.language)
        other = self.using([wrong])
        if other:
            raise ConfigError(
                "wrong-language",
                f"the operation {wrong} is not for InfluxDB {server.version}",
                where=", ".join(other),
                fix=f"write it as the operation {server.language}",
            )
        return Contact(server.version, "influxdb")

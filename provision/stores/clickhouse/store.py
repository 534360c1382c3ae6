"""A ClickHouse store: its parts, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from provision.errors import ProvisionError
from provision.model import Contact, Revision, Step, StoreOptions
from provision.model.statements import Description
from provision.net.tls import with_tls
from provision.stores.clickhouse.files import Script, scripts

if TYPE_CHECKING:
    from provision.stores.clickhouse.backfill.batches import ClickhouseBatches
    from provision.stores.clickhouse.marks import ClickhouseMarked
    from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
    from provision.stores.clickhouse.migrate.texts import Texts
    from provision.stores.clickhouse.partitions.table import ClickhousePartitions
    from provision.stores.clickhouse.peer import ClickhousePeer
    from provision.stores.clickhouse.server import Client
    from provision.stores.clickhouse.validate.checks import ClickhouseChecks


class ClickhouseStore:
    """`provision.ports.Store`. The parts that need a server are there once it is open."""

    lane = None
    repeatables = None
    leftovers = None
    leases = None  # nothing in ClickHouse decides between two writers
    history = None

    def __init__(self, options: StoreOptions) -> None:
        self._options = options
        self.name, self.kind = options.name, options.kind
        self._client: Client | None = None
        self._url = ""
        self._checks: ClickhouseChecks | None = None
        self._batches: ClickhouseBatches | None = None

    @cached_property
    def _scripts(self) -> Mapping[str, Script]:
        return scripts(self._options)

    @cached_property
    def _texts(self) -> Texts:
        from provision.stores.clickhouse.migrate.texts import Texts

        return Texts(self._options, self._scripts)

    def revisions(self) -> Sequence[Revision]:
        return [script.revision for script in self._scripts.values()]

    def open(self, url: str) -> Contact:
        from provision.stores.clickhouse.ledger import ClickhouseLedger
        from provision.stores.clickhouse.server import TLS, VERIFY, Client

        self._url = with_tls(url, self._options, TLS, VERIFY)
        self._client = Client(self._url, self.name)
        self._batches = None
        self.ledger = ClickhouseLedger(self._client, self._options.project, self.name, self._cluster)
        return Contact(".".join(self._client.version.split(".")[:2]), "clickhouse")

    @cached_property
    def peer(self) -> ClickhousePeer:
        from provision.stores.clickhouse.peer import ClickhousePeer

        return ClickhousePeer(self._opened, self._options, self._scripts)

    @cached_property
    def marked(self) -> ClickhouseMarked:
        from provision.stores.clickhouse.marks import ClickhouseMarked

        return ClickhouseMarked(self._opened)

    @cached_property
    def statements(self) -> ClickhouseStatements:
        from provision.stores.clickhouse.migrate.statements import ClickhouseStatements

        return ClickhouseStatements(self._opened, self.ledger, self.peer, self._scripts, self._texts)

    def prepare(self) -> None:
        """Make the database and the peer's table, as clickhouse-migrations does. Raises ConfigError (read-only)."""
        from provision.stores.clickhouse.server import refuse_read_only

        refuse_read_only(self._opened)
        on_cluster = f" ON CLUSTER `{self._cluster}`" if self._cluster else ""
        name = self._opened.database.replace("`", "``")
        self._opened.command(f"CREATE DATABASE IF NOT EXISTS `{name}`{on_cluster}", database="default")
        self.peer.create()

    @property
    def batches(self) -> ClickhouseBatches:
        if self._batches is None:
            from provision.stores.clickhouse.backfill.batches import ClickhouseBatches

            self._batches = ClickhouseBatches(self._opened, self._options.project, self.name, self._cluster)
        return self._batches

    @property
    def partitions(self) -> ClickhousePartitions:
        from provision.stores.clickhouse.partitions.table import ClickhousePartitions

        return ClickhousePartitions(self._opened, self._cluster)

    @property
    def checks(self) -> ClickhouseChecks:
        if self._checks is None:
            from provision.stores.clickhouse.server import Client
            from provision.stores.clickhouse.validate.checks import ClickhouseChecks

            # A client of its own: what a query is not allowed to do must not stick to that of the migrations.
            self._checks = ClickhouseChecks(lambda: Client(self._url, self.name))
        return self._checks

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self._checks is not None:
            self._checks.close()

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        return [
            Description(step, tuple(each.text for each in self._texts.of(step)), "", tuple(self.losses(step)))
            for step in steps
        ]

    def tried(
        self,
        steps: Sequence[Step],
        *,
        imports: bool = True,  # noqa: ARG002 (its files import nothing)
    ) -> Sequence[ProvisionError]:
        wrong: list[ProvisionError] = []
        for step in steps:
            try:
                self._texts.of(step)
            except ProvisionError as error:
                wrong.append(error)
        return wrong

    def losses(self, step: Step) -> Sequence[str]:
        return [each.destructive for each in self._texts.of(step) if each.destructive]

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        return self.statements.losses_of(steps)

    @property
    def _opened(self) -> Client:
        assert self._client is not None
        return self._client

    @property
    def _cluster(self) -> str:
        return str(self._options.extra.get("cluster", ""))

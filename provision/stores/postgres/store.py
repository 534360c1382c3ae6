"""A PostgreSQL store: its parts, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from provision.errors import ProvisionError
from provision.model import Contact, Revision, Step, StoreOptions
from provision.net.tls import with_tls
from provision.stores.postgres import files as source

if TYPE_CHECKING:
    from provision.model.plans import TableLock
    from provision.model.statements import Description
    from provision.stores.postgres.backfill.batches import PostgresBatches
    from provision.stores.postgres.lease import PostgresLeases
    from provision.stores.postgres.maintain.upkeep import PostgresUpkeep
    from provision.stores.postgres.marks import PostgresMarked
    from provision.stores.postgres.migrate.lane import PostgresLane
    from provision.stores.postgres.migrate.repeatable import PostgresRepeatables
    from provision.stores.postgres.partitions.table import PostgresPartitions
    from provision.stores.postgres.peer import AlembicPeer
    from provision.stores.postgres.server import Connection
    from provision.stores.postgres.tune.settings import PostgresTuning
    from provision.stores.postgres.validate.checks import PostgresChecks
    from provision.stores.postgres.validate.results import PostgresHistory


class PostgresStore:
    """`provision.ports.Store`. The parts that need a server are there once it is open."""

    statements = None
    leftovers = None

    def __init__(self, options: StoreOptions) -> None:
        self._options = options
        self.name, self.kind = options.name, options.kind
        self._url = ""
        self._connection: Connection | None = None
        self._leases: PostgresLeases | None = None
        self._checks: PostgresChecks | None = None
        self._history: PostgresHistory | None = None
        self._batches: PostgresBatches | None = None
        self._partitions: PostgresPartitions | None = None
        self._upkeep: PostgresUpkeep | None = None
        self._tuning: PostgresTuning | None = None

    @cached_property
    def _revisions(self) -> tuple[Revision, ...]:
        return source.revisions(self._options)

    def revisions(self) -> Sequence[Revision]:
        return self._revisions

    def open(self, url: str) -> Contact:
        from provision.stores.postgres.ledger import PostgresLedger
        from provision.stores.postgres.server import TLS, VERIFY, too_old

        self._url = with_tls(url, self._options, TLS, VERIFY)
        self._connection = self._connected()
        if (refused := too_old(self._connection, self.name)) is not None:
            raise refused
        version = str(self._connection.info.parameter_status("server_version")).split(" ", 1)[0]
        self.ledger = PostgresLedger(self._connection, self._options.project, self.name)
        return Contact(version, "postgres")

    def prepare(self) -> None:
        """Nothing: the database in a url must exist, and `open` refuses it when it does not."""

    @cached_property
    def peer(self) -> AlembicPeer:
        from provision.stores.postgres.peer import AlembicPeer

        versioned = [each for each in self._revisions if not each.repeatable]
        return AlembicPeer(self._options, self._opened, versioned)

    @cached_property
    def marked(self) -> PostgresMarked:
        from provision.stores.postgres.marks import PostgresMarked

        return PostgresMarked(self._opened)

    @cached_property
    def repeatables(self) -> PostgresRepeatables:
        from provision.stores.postgres.migrate.repeatable import PostgresRepeatables

        repeated = [each for each in self._revisions if each.repeatable]
        return PostgresRepeatables(self._options, self._opened, self.ledger, repeated)

    @cached_property
    def lane(self) -> PostgresLane:
        from provision.stores.postgres.migrate.lane import PostgresLane

        return PostgresLane(self._options, self._url, self._opened, self.ledger, self.repeatables)

    @property
    def leases(self) -> PostgresLeases:
        """On a connection of their own, so that a heartbeat never waits for a lane."""
        if self._leases is None:
            from provision.stores.postgres.lease import PostgresLeases
            from provision.stores.postgres.server import connect

            again = partial(connect, self._url, self.name)
            self._leases = PostgresLeases(again(), self._options.project, again)
        return self._leases

    @property
    def checks(self) -> PostgresChecks:
        if self._checks is None:
            from provision.stores.postgres.validate.checks import PostgresChecks

            self._checks = PostgresChecks(self._connected)
        return self._checks

    @property
    def history(self) -> PostgresHistory:
        if self._history is None:
            from provision.stores.postgres.validate.results import PostgresHistory

            self._history = PostgresHistory(self._connected, self._options.project)
        return self._history

    @property
    def batches(self) -> PostgresBatches:
        if self._batches is None:
            from provision.stores.postgres.backfill.batches import PostgresBatches

            self._batches = PostgresBatches(self._connected, self._options.project, self.name)
        return self._batches

    @property
    def partitions(self) -> PostgresPartitions:
        if self._partitions is None:
            from provision.stores.postgres.partitions.table import PostgresPartitions

            self._partitions = PostgresPartitions(self._opened, self._connected, self._options)
        return self._partitions

    @property
    def upkeep(self) -> PostgresUpkeep:
        if self._upkeep is None:
            from provision.stores.postgres.maintain.upkeep import PostgresUpkeep

            self._upkeep = PostgresUpkeep(self._connected, self._options)
        return self._upkeep

    @property
    def tuning(self) -> PostgresTuning:
        if self._tuning is None:
            from provision.stores.postgres.tune.settings import PostgresTuning

            self._tuning = PostgresTuning(self._connected, self.name)
        return self._tuning

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._leases is not None:
            self._leases.connection.close()
        for part in (self._checks, self._history, self._batches, self._partitions, self._upkeep, self._tuning):
            if part is not None:
                part.close()

    @property
    def _opened(self) -> Connection:
        assert self._connection is not None
        return self._connection

    def _connected(self) -> Connection:
        from provision.stores.postgres.server import open_store

        return open_store(self._options, self._url)

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        from provision.stores.postgres.migrate.describe import describe

        return describe(self._options, steps)

    def tried(self, steps: Sequence[Step], *, imports: bool = True) -> Sequence[ProvisionError]:
        if not imports:
            return []  # a lane imports every file before its first step, and no other lane begins before that
        from provision.stores.postgres.migrate.file_trial import tried

        return tried(self._options, steps)

    def losses(self, step: Step) -> tuple[str, ...]:
        from provision.stores.postgres.migrate.losses.forecast import losses

        return losses(self._options, step)

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        from provision.stores.postgres.migrate.losses.forecast import losses_of

        return losses_of(self._options, steps, self._opened)

    def locks(self, steps: Sequence[Step]) -> Mapping[str, Sequence[TableLock]]:
        from provision.stores.postgres.migrate.lock_forecast import locks

        return locks(self._options, steps, self._opened)

    def hindrances(self, steps: Sequence[Step]) -> Mapping[str, str]:
        from provision.stores.postgres.migrate.hindrances import hindrances

        return hindrances(self._options, steps, self._opened)

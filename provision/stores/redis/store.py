"""A configured Redis database: its documents, ledger, leases and statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore, barred
from provision.errors import ConfigError
from provision.model import Contact, Step, StoreOptions
from provision.ports import Leases, Ledger
from provision.stores.redis.names import Keys

if TYPE_CHECKING:
    from provision.documents.source import Documents
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks, History
    from provision.stores.redis.maintain.upkeep import RedisUpkeep
    from provision.stores.redis.migrate.statements import RedisStatements
    from provision.stores.redis.server import Server

_NEEDS_7 = ("function", "delete_function")


class RedisStore(DocumentStore["Server"]):
    def __init__(self, options: StoreOptions) -> None:
        super().__init__(options, self._read)
        self._keys = Keys(options.project, options.name)

    def _read(self) -> Documents:
        from provision.stores.redis.files import documents

        return documents(self.options)

    @cached_property
    def ledger(self) -> Ledger:
        from provision.stores.redis.ledger import RedisLedger

        return RedisLedger(self._keys, self.server)

    @cached_property
    def leases(self) -> Leases:
        from provision.stores.redis.lease import RedisLeases

        return RedisLeases(self._keys, self.server)

    @cached_property
    def statements(self) -> RedisStatements:
        from provision.stores.redis.migrate.statements import RedisStatements

        return RedisStatements(self._keys, self.server, self.documents)

    @cached_property
    def checks(self) -> Checks:
        from provision.stores.redis.validate.checks import RedisChecks

        return RedisChecks(self._keys, self.server)

    @cached_property
    def history(self) -> History:
        from provision.stores.redis.validate.results import RedisHistory

        return RedisHistory(self._keys, self.server)

    @cached_property
    def batches(self) -> Batches:
        from provision.stores.redis.backfill.batches import RedisBatches

        return RedisBatches(self._keys, self.server)

    @cached_property
    def upkeep(self) -> RedisUpkeep:
        from provision.stores.redis.maintain.upkeep import RedisUpkeep

        return RedisUpkeep(self._keys, self.server)

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        """As `provision.ports.Foretelling` says."""
        return self.statements.losses_of([step for step in steps if not barred(step)])

    def connect(self, url: str) -> Server:
        """As `server.connect` does."""
        from provision.net.tls import with_tls
        from provision.stores.redis.server import TLS, VERIFY, connect

        return connect(with_tls(url, self.options, TLS, VERIFY))

    def contact(self, server: Server) -> Contact:
        """Raises ConfigError (server-too-old) for functions on a server without them."""
        version = ".".join(str(part) for part in server.version)
        needing = self.using(_NEEDS_7)
        if needing and server.version < (7,):
            raise ConfigError(
                "server-too-old",
                f"functions need Redis 7.0 or later, the server is {version}",
                where=", ".join(needing),
                fix="upgrade the server, or take the functions out of the file",
            )
        return Contact(version, "redis")

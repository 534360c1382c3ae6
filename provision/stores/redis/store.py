"""A configured Redis database: its documents, ledger, leases and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.documents.store import DocumentStore
from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import Contact, StoreOptions
from provision.ports import Leases, Ledger
from provision.ports.checks import Checks, History
from provision.stores.redis.keys import Keys

if TYPE_CHECKING:
    from provision.stores.redis.server import Server

_NEEDS_7 = ("function", "delete_function")


class RedisStore(DocumentStore):
    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.redis.batches import RedisBatches
        from provision.stores.redis.checks import RedisChecks
        from provision.stores.redis.history import RedisHistory
        from provision.stores.redis.leases import RedisLeases
        from provision.stores.redis.ledger import RedisLedger
        from provision.stores.redis.source import documents
        from provision.stores.redis.statements import RedisStatements

        super().__init__(options, documents(options))
        self._open: Server | None = None
        keys = Keys(options.project, options.name)
        self.ledger: Ledger = RedisLedger(keys, self._server)
        self.leases: Leases | None = RedisLeases(keys, self._server)
        self.checks: Checks | None = RedisChecks(keys, self._server)
        self.history: History | None = RedisHistory(keys, self._server)
        self.batches = RedisBatches(keys, self._server)
        self.statements = RedisStatements(keys, self._server, self.documents)

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `server.connect` does."""
        from provision.stores.redis.server import TLS, VERIFY, connect
        from provision.tls import with_tls

        try:
            server = connect(with_tls(url, self.options, TLS, VERIFY))
        except ProvisionError as error:
            error.where = f"{self.name}: {error.where}"
            raise
        self.close()
        self._open = server
        self._refuse_old(server)
        return Contact(".".join(str(part) for part in server.version), "redis")

    def prepare(self) -> None:
        """Nothing to make: a Redis server has its databases."""

    def close(self) -> None:
        if self._open is not None:
            self._open.client.close()
            self._open = None

    def _server(self) -> Server:
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

    def _refuse_old(self, server: Server) -> None:
        needing = self.documents.using(_NEEDS_7)
        if needing and server.version < (7,):
            self.close()
            raise ConfigError(
                "server-too-old",
                f"functions need Redis 7.0 or later, the server is {'.'.join(str(part) for part in server.version)}",
                where=", ".join(needing),
                fix="upgrade the server, or take the functions out of the document",
            )

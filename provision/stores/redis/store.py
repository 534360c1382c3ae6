"""A configured Redis database: its documents, ledger, leases and statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import Contact, Description, Direction, Revision, Step, StoreOptions
from provision.ports import Lane, Leases, Ledger, Marked, Peer, Repeatables, Statements
from provision.stores.redis.keys import Keys

if TYPE_CHECKING:
    from provision.documents import Document
    from provision.stores.redis.server import Server

_NEEDS_7 = ("function", "delete_function")


class RedisStore:
    lane: Lane | None = None
    repeatables: Repeatables | None = None
    peer: Peer | None = None
    marked: Marked | None = None

    def __init__(self, options: StoreOptions) -> None:
        from provision.stores.redis.leases import RedisLeases
        from provision.stores.redis.ledger import RedisLedger
        from provision.stores.redis.statements import RedisStatements

        self.name = options.name
        self.kind = options.kind
        self._options = options
        self._documents: list[Document] | None = None
        self._open: Server | None = None
        keys = Keys(options.project, options.name)
        self.ledger: Ledger = RedisLedger(keys, self._server)
        self.leases: Leases | None = RedisLeases(keys, self._server)
        self._steps = RedisStatements(keys, self._server, self._document)
        self.statements: Statements | None = self._steps

    def revisions(self) -> Sequence[Revision]:
        """Every document as a revision, in the order of their numbers.

        Raises ConfigError, or Several, for everything that is wrong in any file.
        """
        from provision.stores.redis.source import revision_of

        listed = self._read()
        return [
            revision_of(self._options, each, listed[place - 1] if place else None) for place, each in enumerate(listed)
        ]

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `server.connect` does."""
        from provision.stores.redis.server import TLS, VERIFY, connect
        from provision.tls import with_tls

        try:
            server = connect(with_tls(url, self._options, TLS, VERIFY))
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

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        """The commands of each step as redis-cli takes them."""
        return [self._described(step) for step in steps]

    def losses(self, step: Step) -> tuple[str, ...]:
        """What the operations of the step can lose; nothing for a step with no way down, which is never run."""
        if step.direction is Direction.DOWN and step.revision.irreversible is not None:
            return ()
        return tuple(each.destructive for each in self._steps.of(step) if each.destructive)

    def _described(self, step: Step) -> Description:
        if step.direction is Direction.DOWN and step.revision.irreversible is not None:
            return Description(step, None, f"there is no way down: {step.revision.irreversible}")
        texts = tuple(each.text for each in self._steps.of(step))
        return Description(step, texts, destructive=self.losses(step))

    def _read(self) -> list[Document]:
        if self._documents is None:
            from provision.stores.redis.source import read_all

            self._documents = read_all(self._options)
        return self._documents

    def _document(self, revision: str) -> Document:
        for each in self._read():
            if f"{self.name}/{each.number}" == revision:
                return each
        raise ConfigError("no-such-revision", f"no file is {revision}", where=self._options.shown(self._options.path))

    def _server(self) -> Server:
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

    def _refuse_old(self, server: Server) -> None:
        needing = [
            f"{document.shown}:{each.line}"
            for document in self._read()
            for each in document.up
            if each.name in _NEEDS_7
        ]
        if needing and server.version < (7,):
            self.close()
            raise ConfigError(
                "server-too-old",
                f"functions need Redis 7.0 or later, the server is {'.'.join(str(part) for part in server.version)}",
                where=", ".join(needing),
                fix="upgrade the server, or take the functions out of the document",
            )

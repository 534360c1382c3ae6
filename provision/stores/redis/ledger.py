"""The ledger of a Redis store: a stream whose entry ids are `<token>-<n>`, so that the server refuses a late writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from provision.errors import ConfigError, LeaseLost
from provision.model import Event
from provision.stores.redis import scripts
from provision.stores.redis.entries import event_of
from provision.stores.redis.fence import Fence
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server

PAGE = 1000


class RedisLedger:
    """Append-only; `n` counts from 1, since Redis has no id 0-0."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys = keys
        self._server = server

    def read(self) -> Sequence[Event]:
        """Every event in the order `(token, n)`; empty when there is no ledger.

        Raises UnreachableError, or ConfigError (ledger-unreadable, not-allowed).
        """
        with self._server().reading():
            return [self._event(entry_id, fields) for entry_id, fields in self._entries()]

    def create(self) -> None:
        """Make the stream if it is absent. Raises FailedError."""
        with self._server().writing():
            self._server().script(scripts.CREATE_EMPTY_STREAM, [self._keys.ledger])

    def append(self, event: Event) -> None:
        """Add one event. Raises LeaseLost when its id is taken or a later one is there, FailedError."""
        with self._server().writing():
            Fence(self._server(), self._keys).apply((), event)

    def raise_fence(self, token: int) -> None:
        """Refuse lower tokens from now on. Raises LeaseLost when a higher one was here first, FailedError."""
        server = self._server()
        with server.writing():
            code, *_ = server.script(scripts.RAISE_FENCE, [self._keys.ledger], token, 0)
            if code == -1:
                raise LeaseLost(Fence(server, self._keys).newest())

    def _entries(self) -> Iterator[tuple[str, dict[str, str]]]:
        start = "-"
        while True:
            page = self._server().entries(self._keys.ledger, start, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            start = f"({page[-1][0]}"

    def _event(self, entry_id: str, fields: dict[str, str]) -> Event:
        try:
            return event_of(self._keys.project, entry_id, fields)
        except (KeyError, ValueError):
            raise ConfigError(
                "ledger-unreadable",
                f"entry {entry_id} of {self._keys.ledger} was not written by provision",
                where=self._server().shown,
                fix="remove the entry with XDEL, or set another project name",
            ) from None

"""The ledger of an Influx store: points in a database of its own, which no retention reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError, LeaseLost
from provision.model import Event
from provision.stores.influx.entries import FENCE, event_of, fence_of, key, line_of
from provision.stores.influx.names import OWN
from provision.stores.influx.server import Point, Server


class InfluxLedger:
    """Append-only; `n` counts from 1, since a token's time 0 is its fence.

    The server writes one point over another of the same time without a word. So an append looks first whether its
    time, or a later one, is taken; between the look and the write the holder's own deadline is all there is.
    """

    def __init__(self, project: str, store: str, server: Callable[[], Server]) -> None:
        self._project, self._server = project, server
        self._tags = {"project": project, "store": store}
        self.database = f"{OWN}{project}"

    def read(self) -> Sequence[Event]:
        """Every event in the order `(token, n)`; empty when there is no ledger.

        Raises UnreachableError, or ConfigError (ledger-unreadable, not-allowed).
        """
        return [self._event(each) for each in self._points(0) if each[1].get("kind") != FENCE]

    def create(self) -> None:
        """Make the database if it is absent. Raises ConfigError (not-allowed), FailedError (server-lost)."""
        server = self._server()
        try:
            server.make_log(self.database)
        except Refused as refused:
            raise ConfigError(
                "not-allowed",
                f"the ledger's database {self.database} cannot be made: {refused}",
                where=server.shown,
                fix=refused.fix or "give the user the right to make databases",
            ) from None

    def append(self, event: Event) -> None:
        """Add one event. Raises LeaseLost when its time is taken or a later one is there, FailedError."""
        self._refuse_after(key(event.token, event.n))
        self._write(line_of(event, self._tags))

    def raise_fence(self, token: int) -> None:
        """Refuse lower tokens from now on. Raises LeaseLost when a higher one was here first, FailedError."""
        self._refuse_after(key(token + 1, 0))
        self._write(fence_of(token, self._tags))

    def _points(self, since: int) -> Sequence[Point]:
        return self._server().points(self.database, self._tags, since)

    def _refuse_after(self, time: int) -> None:
        taken = self._points(time)
        if taken:
            newest, fields = taken[-1]
            raise LeaseLost(f"{fields.get('actor') or 'a newer run'} (ledger entry {newest})")

    def _write(self, line: str) -> None:
        server = self._server()
        try:
            server.write(self.database, line)
        except Refused as refused:
            raise FailedError(
                "server-refused",
                f"the server refused a ledger entry: {refused}",
                where=server.shown,
                fix="see to the cause, run again",
            ) from None

    def _event(self, point: Point) -> Event:
        time, fields = point
        try:
            return event_of(self._project, time, fields)
        except (KeyError, ValueError, TypeError):
            raise ConfigError(
                "ledger-unreadable",
                f"the point at {time} ns of {self.database} was not written by provision",
                where=self._server().shown,
                fix="delete the point, or set another project name",
            ) from None

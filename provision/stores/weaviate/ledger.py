"""The ledger of a Weaviate store: a collection of its own, one object an event, under an id made of the event's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents.ensure import Refused
from provision.errors import ConfigError, FailedError, LeaseLost
from provision.http import path_of
from provision.model import Event
from provision.stores.weaviate.entries import collection, event_of, key, object_of
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import PAGE, Server


class WeaviateLedger:
    """Append-only. The server refuses a key that is taken; it cannot refuse a late writer."""

    def __init__(self, names: Names, server: Callable[[], Server]) -> None:
        self._names = names
        self._server = server

    def read(self) -> Sequence[Event]:
        """Every event in the order `(token, n)`; empty when there is no ledger.

        Raises UnreachableError, or ConfigError (ledger-unreadable, not-allowed, server-refused).
        """
        with self._server().reading():
            found = [self._event(each) for each in self._objects()]
        mine = [event for event in found if event.project == self._names.project]
        return sorted(mine, key=lambda event: (event.token, event.n))

    def create(self) -> None:
        """Make the collection if it is absent. Raises ConfigError (not-allowed), FailedError."""
        server = self._server()
        with server.writing():
            if server.collection(self._names.ledger) is not None:
                return
            try:
                server.send("POST", "/schema", collection(self._names))
            except Refused as refused:
                # Another run may have been first.
                if server.collection(self._names.ledger) is None:
                    raise self._refused(refused) from None

    def append(self, event: Event) -> None:
        """Add one event. Raises LeaseLost when its key is taken, FailedError."""
        server = self._server()
        with server.writing():
            try:
                server.send("POST", "/objects", object_of(self._names, event))
            except Refused as refused:
                there = self._there(event)
                if there is None:
                    raise self._refused(refused) from None
                # A gateway may have sent ours twice; the second is refused by the first.
                if there != event:
                    raise LeaseLost(there.actor) from None

    def raise_fence(self, token: int) -> None:
        """Nothing: the server cannot compare an event with those before it."""

    def _there(self, event: Event) -> Event | None:
        answer = self._server().ask("GET", path_of("objects", self._names.ledger, key(self._names, event)))
        return self._event(answer.body) if answer else None

    def _objects(self) -> Iterator[Mapping[str, Any]]:
        after = ""
        while True:
            query = {"class": self._names.ledger, "limit": PAGE, "after": after}
            answer = self._server().ask("GET", "/objects", query=query)
            page: list[Mapping[str, Any]] = (answer.body["objects"] or []) if answer else []
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1]["id"]

    def _event(self, found: Mapping[str, Any]) -> Event:
        try:
            return event_of(found["properties"])
        except (KeyError, TypeError, ValueError):
            raise ConfigError(
                "ledger-unreadable",
                f"object {found.get('id')} of {self._names.ledger} was not written by provision",
                where=self._server().shown,
                fix="delete that object, or set another project name",
            ) from None

    def _refused(self, refused: Refused) -> FailedError:
        fix = refused.fix or "see to the cause, run again"
        return FailedError("server-refused", f"the server refused: {refused}", where=self._server().shown, fix=fix)

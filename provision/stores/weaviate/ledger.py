"""The ledger of a Weaviate store: a collection of its own, one object an event, under an id made of the event's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents.refused import Refused
from provision.errors import ConfigError, LeaseLost
from provision.model import Event
from provision.net.http import path_of
from provision.stores.weaviate import own_collections
from provision.stores.weaviate.entries import collection, key, object_of
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
            # Names that differ in a hyphen alone have one collection.
            found = [self._event(each) for each in self._objects() if self._mine(each)]
        return sorted(found, key=lambda event: (event.token, event.n))

    def create(self) -> None:
        """Make the collection if it is absent. Raises ConfigError (not-allowed), FailedError."""
        server = self._server()
        with server.writing():
            own_collections.make(server, collection(self._names))

    def append(self, event: Event) -> None:
        """Add one event. Raises LeaseLost when its key is taken, FailedError."""
        server = self._server()
        with server.writing():
            try:
                server.send("POST", "/objects", object_of(self._names, event))
            except Refused as refused:
                there = self._there(event)
                if there is None:
                    raise own_collections.refused(server, refused) from None
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

    def _mine(self, found: Mapping[str, Any]) -> bool:
        """Whether an object is of this project and store; one that says neither is for `_event` to refuse."""
        said = found.get("properties") or {}
        names = (said.get("project", self._names.project), said.get("store", self._names.store))
        return names == (self._names.project, self._names.store)

    def _event(self, found: Mapping[str, Any]) -> Event:
        try:
            return Event.of(found["properties"])
        except (KeyError, TypeError, ValueError):
            raise ConfigError(
                "ledger-unreadable",
                f"object {found.get('id')} of {self._names.ledger} was not written by provision",
                where=self._server().shown,
                fix="delete that object, or set another project name",
            ) from None

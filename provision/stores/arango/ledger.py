"""The ledger of an ArangoDB store: documents that the server lets nobody write twice, and no late run at all.

A document's `_key` is made of project, store, token and n. Each also takes the next `position`, which a unique index
keeps to one writer: a new run puts a fence document at the next position, so that an older one, which still believes
that position free, is refused with the same request that would have written its event. No transaction is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provision.errors import ConfigError, FailedError, LeaseLost
from provision.model import Event
from provision.model.schema import not_ours
from provision.net.http import path_of
from provision.stores.arango.names import LEDGER, Keys
from provision.stores.arango.server import (
    CONFLICT,
    DUPLICATE_NAME,
    NO_COLLECTION,
    NO_DATABASE,
    NO_DOCUMENT,
    UNIQUE_VIOLATED,
    Server,
    ServerRefused,
)

# The kind of a document that is no event.
FENCE = "fence"
_MINE = "FOR d IN @@c FILTER d.project == @project AND d.store == @store"
# In a cluster a unique index needs its fields in the shard keys, or a single shard.
_COLLECTION = {"name": LEDGER, "waitForSync": True, "numberOfShards": 1}
_INDEX = {"type": "persistent", "name": "by_position", "fields": ["project", "store", "position"], "unique": True}
# Writers of one token that meet at a position try the next one; more than that is no coincidence.
ATTEMPTS = 20


class Head(NamedTuple):
    """The newest document of the ledger; `by` names its writer for people."""

    position: int = 0
    token: int = 0
    by: str = ""


class ArangoLedger:
    """Append-only. `_head` is where this run believes the ledger to end; the server has the last word."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server
        self._head: Head | None = None

    def read(self) -> Sequence[Event]:
        """Every event in the order `(token, n)`; empty when there is no ledger or no database.

        Raises UnreachableError, or ConfigError (ledger-unreadable, not-allowed).
        """
        with self._server().reading():
            found = self._rows(f"{_MINE} SORT d.token, d.n RETURN d")
        return [self._event(each) for each in found if each.get("kind") != FENCE]

    def create(self) -> None:
        """Make the collection and its index if they are absent.

        Raises ConfigError (read-only, not-allowed, …), UnreachableError: nothing was done yet.
        """
        with self._server().reading():
            make_collection(self._server(), _COLLECTION)
            self._server().ask("POST", "/_api/index", _INDEX, query={"collection": LEDGER})

    def append(self, event: Event) -> None:
        """Add one event. Raises LeaseLost when its key is taken or a newer run has written, FailedError."""
        key = self._keys.event(event.token, event.n)
        with self._server().writing():
            self._insert(key, event.token, event.actor, {**event.record(), "detail": event.kept_detail()})

    def raise_fence(self, token: int) -> None:
        """Refuse lower tokens from now on. Raises LeaseLost when a higher one was here first, FailedError."""
        with self._server().writing():
            self._head = self._read_head()
            if self._head.token != token:
                fields = {"token": token, "n": 0, "kind": FENCE, "actor": self._keys.store}
                self._insert(self._keys.fence(token), token, f"the run with token {token}", fields)

    def _insert(self, key: str, token: int, by: str, fields: Mapping[str, Any]) -> None:
        for _ in range(ATTEMPTS):
            head = self._head or self._read_head()
            if head.token > token:
                raise LeaseLost(head.by)
            position = head.position + 1
            own = {"project": self._keys.project, "store": self._keys.store, "position": position}
            if self._inserted({"_key": key, **own, **fields}):
                self._head = Head(position, token, by)
                return
            self._head = None
            if (there := self._there(key)) is not None:
                if any(there.get(name) != value for name, value in fields.items()):
                    raise LeaseLost(f"{there.get('actor', 'another run')} (ledger entry {key})")
                return  # the very same document: an earlier attempt got through
        what = f"{ATTEMPTS} writers were quicker than this one"
        raise FailedError("server-refused", what, where=self._server().shown, fix="run the same command again")

    def _inserted(self, document: Mapping[str, Any]) -> bool:
        """Whether the server took the document; False when its key or its position is another one's."""
        path, query = "/_api/document" + path_of(LEDGER), {"waitForSync": "true"}
        try:
            self._server().ask("POST", path, document, query=query)
        except ServerRefused as refused:
            if refused.number in (UNIQUE_VIOLATED, CONFLICT):
                return False
            raise
        return True

    def _there(self, key: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._server().ask(
            "GET", "/_api/document" + path_of(LEDGER, key), missing=(NO_DOCUMENT,)
        )
        return found

    def _read_head(self) -> Head:
        rows = self._rows(f"{_MINE} SORT d.position DESC LIMIT 1 RETURN d")
        if not rows:
            return Head()
        last = rows[0]
        by = f"the run with token {last['token']}"
        if last["kind"] != FENCE:
            by = f"{last['actor']} (ledger entry {last['_key']})"
        return Head(last["position"], last["token"], by)

    def _rows(self, query: str) -> list[Any]:
        bind = {"@c": LEDGER, "project": self._keys.project, "store": self._keys.store}
        try:
            return self._server().rows(query, bind, reads=True)
        except ServerRefused as refused:
            if refused.number in (NO_COLLECTION, NO_DATABASE):
                return []
            raise

    def _event(self, found: Mapping[str, Any]) -> Event:
        try:
            return Event.of(found)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                "ledger-unreadable",
                not_ours(f"document {found.get('_key')} of {LEDGER}", error),
                where=self._server().shown,
                fix="remove the document, or set another project name",
            ) from None


def make_collection(server: Server, body: Mapping[str, Any]) -> None:
    """Make one of our own collections if it is absent. Raises ServerRefused, http.Unanswered."""
    path = "/_api/collection" + path_of(body["name"])
    if server.ask("GET", path, missing=(NO_COLLECTION,)) is None:
        server.ask("POST", "/_api/collection", body, missing=(DUPLICATE_NAME,))

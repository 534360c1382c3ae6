"""Named run locks in ArangoDB: one document a lease, replaced only while its revision is the one that was read.

Times are of the server's clock, asked for before each write: a lease that had expired then is still expired when the
document is replaced, and one that we take lives no longer than asked for. In a cluster it is the coordinator's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from provision.errors import FailedError
from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.model.stores import lock_unreadable
from provision.net.http import path_of
from provision.stores.arango.ledger import make_collection
from provision.stores.arango.names import LEASES, Keys
from provision.stores.arango.server import (
    CONFLICT,
    NO_COLLECTION,
    NO_DATABASE,
    NO_DOCUMENT,
    UNIQUE_VIOLATED,
    Server,
    ServerRefused,
)

_COLLECTION = {"name": LEASES, "waitForSync": True}
_DURABLE = {"waitForSync": "true"}
ATTEMPTS = 50

Lease = Mapping[str, Any]


class ArangoLeases:
    """`highest` survives a release, and in a document of its own a deletion: no token is given out twice."""

    def __init__(self, keys: Keys, server: Callable[[], Server], prepare: Callable[[], None]) -> None:
        self._keys, self._server, self._prepare = keys, server, prepare

    def create(self) -> None:
        """Make the database and the collection if they are absent. Raises ConfigError (not-allowed), FailedError."""
        self._prepare()
        with self._server().writing():
            make_collection(self._server(), _COLLECTION)

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        """Take the lease if it is free or expired; the holding that is in force afterwards. Raises FailedError."""
        with self._server().writing():
            for _ in range(ATTEMPTS):
                found, now = self._stored_lease(name), self._server().now()
                if found is not None and found["holder"] is not None and found["expires"] > now:
                    if Owner.of(found["holder"]) == owner:
                        self._remember(name, found["highest"])  # taken by a request whose answer was lost
                    return _holding(name, found, now)
                ends, given = now + round(seconds * 1000), self._highest(name)
                if found is None and given:
                    wanted = self._document(name, UNKNOWN_HOLDER.kept(), given, now, ends)
                else:
                    token = max(floor, given, found["highest"] if found else 0) + 1
                    wanted = self._document(name, owner.kept(), token, now, ends)
                if self._put(self._keys.lease(name), found, wanted):
                    self._remember(name, wanted["highest"])
                    return _holding(name, wanted, now)
        raise self._contended(name)

    def extend(self, name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        """An expired lease that nobody took is still its holder's. Raises FailedError."""

        def later(found: Lease) -> Lease | None:
            if found.get("asked_back_by"):
                return None
            return {**_plain(found), "expires": self._server().now() + round(seconds * 1000)}

        found = self._changed(name, owner, token, later)
        if found is None:
            return Heartbeat.LOST
        return Heartbeat.ASKED_BACK if found.get("asked_back_by") else Heartbeat.KEPT

    def ask_back(self, name: str, owner: Owner, token: int, by: str) -> bool:
        """Raises FailedError."""
        return self._changed(name, owner, token, lambda found: {**_plain(found), "asked_back_by": by}) is not None

    def release(self, name: str, owner: Owner, token: int) -> bool:
        """The highest token stays. Raises FailedError."""
        free = self._document(name, None, token, 0, 0)
        return self._changed(name, owner, token, lambda _: free) is not None

    def _changed(self, name: str, owner: Owner, token: int, change: Callable[[Lease], Lease | None]) -> Lease | None:
        """The lease before the change, if `owner` holds it with `token`; a change to None is none."""
        with self._server().writing():
            for _ in range(ATTEMPTS):
                found = self._stored_lease(name)
                if found is None or found["holder"] is None or found["highest"] != token:
                    return None
                if Owner.of(found["holder"]) != owner:
                    return None
                after = change(found)
                if after is None or self._put(self._keys.lease(name), found, after):
                    return found
        raise self._contended(name)

    def _highest(self, name: str) -> int:
        found = self._read(self._keys.highest(name))
        return int(found["highest"]) if found is not None else 0

    def _remember(self, name: str, token: int) -> None:
        """Keep the token beside the lease: it is not given out again should that be deleted."""
        key = self._keys.highest(name)
        for _ in range(ATTEMPTS):
            found = self._read(key)
            if found is not None and found["highest"] >= token:
                return
            if self._put(key, found, {"_key": key, "project": self._keys.project, "name": name, "highest": token}):
                return
        raise self._contended(name)

    def read(self, name: str) -> LeaseRecord | None:
        """The holding in force or expired, None when there is none. Raises UnreachableError, ConfigError."""
        with self._server().reading():
            found = self._stored_lease(name)
            if found is None or found.get("holder") is None:
                return None
            return _holding(name, found, self._server().now())

    def _stored_lease(self, name: str) -> Lease | None:
        return self._read(self._keys.lease(name))

    def _read(self, key: str) -> Lease | None:
        path = "/_api/document" + path_of(LEASES, key)
        found: Lease | None = self._server().ask("GET", path, missing=(NO_DOCUMENT, NO_COLLECTION, NO_DATABASE))
        return found

    def _put(self, key: str, before: Lease | None, document: Lease) -> bool:
        """Whether the document took the place of the one that was read, or of none."""
        try:
            if before is None:
                self._server().ask("POST", "/_api/document" + path_of(LEASES), document, query=_DURABLE)
            else:
                match = {"if-match": f'"{before["_rev"]}"'}
                path = "/_api/document" + path_of(LEASES, key)
                self._server().ask("PUT", path, document, query=_DURABLE, headers=match)
        except ServerRefused as refused:
            if refused.number in (UNIQUE_VIOLATED, CONFLICT, NO_DOCUMENT):
                return False
            raise
        return True

    def _document(
        self, name: str, holder: Mapping[str, Any] | None, token: int, taken_at: int, expires: int
    ) -> dict[str, Any]:
        return {
            "_key": self._keys.lease(name),
            "project": self._keys.project,
            "name": name,
            "holder": holder,
            "highest": token,
            "taken_at": taken_at,
            "expires": expires,
        }

    def _contended(self, name: str) -> FailedError:
        what = f"{ATTEMPTS} writers were quicker at lease {name} than this one"
        return FailedError("server-refused", what, where=self._server().shown, fix="run the same command again")


def _plain(found: Lease) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key == "_key" or not key.startswith("_")}


def _holding(name: str, found: Lease, now: int) -> LeaseRecord:
    try:
        taken = datetime.fromtimestamp(found["taken_at"] / 1000, UTC)
        ends, asked_back_by = (found["expires"] - now) / 1000, found.get("asked_back_by", "")
    except (KeyError, TypeError) as error:
        raise lock_unreadable(error) from None
    return LeaseRecord(name, Owner.of(found["holder"]), found["highest"], taken, ends, asked_back_by)

"""The log of backfill runs: a document of our own for each run and each of its parts, replaced by its next version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provision.backfill.log import RunLogEntry
from provision.net.http import path_of
from provision.stores.arango.ledger import make_collection
from provision.stores.arango.names import BACKFILLS, Keys
from provision.stores.arango.server import (
    CONFLICT,
    NO_COLLECTION,
    NO_DATABASE,
    NO_DOCUMENT,
    UNIQUE_VIOLATED,
    Server,
    ServerRefused,
)

_COLLECTION = {"name": BACKFILLS, "waitForSync": True, "numberOfShards": 1}
_INDEX = {"type": "persistent", "name": "by_run", "fields": ["project", "store", "run"]}
_MINE = "FOR d IN @@c FILTER d.project == @project AND d.store == @store"
_DURABLE = {"waitForSync": "true"}


class ArangoLog:
    """`provision.backfill.log.Entries`. A version is written once, by whoever replaces the one before it first.

    What was sent and not answered may be sent again: so no answer is said to be a server that cannot be reached.
    """

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server

    def create(self) -> None:
        server = self._server()
        with server.reading():
            make_collection(server, _COLLECTION)
            server.ask("POST", "/_api/index", _INDEX, query={"collection": BACKFILLS})

    def newest(self, run: str | None = None) -> Iterator[RunLogEntry]:
        query, bind = _MINE, {"@c": BACKFILLS, "project": self._keys.project, "store": self._keys.store}
        if run is not None:
            query, bind = f"{query} AND d.run == @run", {**bind, "run": run}
        with self._server().reading():
            found = self._rows(f"{query} RETURN d", bind)
        yield from (RunLogEntry(each["run"], int(each["n"]), int(each["version"]), each["body"]) for each in found)

    def add(self, entry: RunLogEntry) -> bool:
        wanted = self._document(entry)
        with self._server().reading():
            before = self._read_entry(entry)
            if (-1 if before is None else before["version"]) != entry.version - 1:
                return False
            if self._put(before, wanted):
                return True
            now = self._read_entry(entry)  # ours, where the answer was lost and the request sent again
        return now is not None and {key: now.get(key) for key in wanted} == wanted

    def _put(self, before: Mapping[str, Any] | None, document: Mapping[str, Any]) -> bool:
        """Whether the document took the place of the one that was read, or of none."""
        path = "/_api/document" + path_of(BACKFILLS)
        try:
            if before is None:
                self._server().ask("POST", path, document, query=_DURABLE)
            else:
                match = {"if-match": f'"{before["_rev"]}"'}
                self._server().ask("PUT", path + path_of(document["_key"]), document, query=_DURABLE, headers=match)
        except ServerRefused as refused:
            if refused.number in (UNIQUE_VIOLATED, CONFLICT, NO_DOCUMENT):
                return False
            raise
        return True

    def _read_entry(self, entry: RunLogEntry) -> Mapping[str, Any] | None:
        path = "/_api/document" + path_of(BACKFILLS, self._keys.entry(entry.run, entry.n))
        found: Mapping[str, Any] | None = self._server().ask(
            "GET", path, missing=(NO_DOCUMENT, NO_COLLECTION, NO_DATABASE)
        )
        return found

    def _rows(self, query: str, bind: Mapping[str, object]) -> list[Any]:
        try:
            return self._server().rows(query, bind)
        except ServerRefused as refused:
            if refused.number in (NO_COLLECTION, NO_DATABASE):
                return []
            raise

    def _document(self, entry: RunLogEntry) -> dict[str, Any]:
        return {
            "_key": self._keys.entry(entry.run, entry.n),
            "project": self._keys.project,
            "store": self._keys.store,
            "run": entry.run,
            "n": entry.n,
            "version": entry.version,
            "body": dict(entry.body),
        }

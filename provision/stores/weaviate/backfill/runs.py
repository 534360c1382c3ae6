"""The log of backfill runs in a collection beside the ledger: an object an entry, its id made of run, number, version.

The server refuses a second entry of one version. Of a part only the newest entry is kept: every batch writes one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provision.backfill.log import RUN, RunLogEntry
from provision.documents.refused import Refused
from provision.net.http import path_of
from provision.stores.weaviate import own_collections
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Server, refusal

_SOUGHT = ("project", "store", "run")
_TEXTS = (*_SOUGHT, "body")
_NUMBERS = ("n", "version")
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:provision:weaviate:backfills")
MOST = 10_000  # QUERY_MAXIMUM_RESULTS


class RunEntries:
    """`provision.backfill.log.Entries`. Raises UnreachableError, ConfigError, FailedError (server-refused)."""

    def __init__(self, names: Names, server: Callable[[], Server]) -> None:
        self._names, self._server = names, server

    def create(self) -> None:
        server = self._server()
        with server.reading():
            own_collections.make(server, _collection(self._names))

    def newest(self, run: str | None = None) -> Iterator[RunLogEntry]:
        newest: dict[tuple[str, int], RunLogEntry] = {}
        for each in self._read(run):
            entry = RunLogEntry(each["run"], int(each["n"]), int(each["version"]), json.loads(each["body"]))
            before = newest.get((entry.run, entry.n))
            if before is None or before.version < entry.version:
                newest[entry.run, entry.n] = entry
        yield from newest.values()

    def add(self, entry: RunLogEntry) -> bool:
        server, sent = self._server(), self._object(entry)
        with server.reading():
            try:
                server.send("POST", "/objects", sent)
            except Refused as refused:
                answer = server.ask("GET", path_of("objects", self._names.backfills, sent["id"]))
                if answer is None:
                    raise own_collections.refused(server, refused) from None
                # A gateway may have sent ours twice; the second is refused by the first.
                return bool(answer.body["properties"]["body"] == sent["properties"]["body"])
            if entry.n != RUN and entry.version > 0:
                server.send("DELETE", path_of("objects", self._names.backfills, self._key(entry, entry.version - 1)))
        return True

    def _read(self, run: str | None) -> list[Mapping[str, Any]]:
        """Of one run, or of all, what is this store's: names that differ in a hyphen alone have one collection."""
        operands = [_equal(name, value) for name, value in self._owner().items()]
        operands += [_equal("run", run)] if run is not None else []
        where = f"{{operator:And,operands:[{','.join(operands)}]}}"
        fields = " ".join((*_TEXTS, *_NUMBERS))
        query = f"{{Get{{{self._names.backfills}(limit:{MOST},where:{where}){{{fields}}}}}}}"
        server = self._server()
        with server.reading():
            answer = server.ask("POST", "/graphql", {"query": query})
            if answer is not None and not answer.body.get("errors"):
                return list(answer.body["data"]["Get"][self._names.backfills] or ())
            if answer is None or server.collection(self._names.backfills) is None:
                return []
            raise refusal(answer, server.shown)

    def _object(self, entry: RunLogEntry) -> dict[str, Any]:
        body = json.dumps(dict(entry.body), ensure_ascii=False, sort_keys=True)
        properties = {**self._owner(), "run": entry.run, "n": entry.n, "version": entry.version, "body": body}
        return {"class": self._names.backfills, "id": self._key(entry, entry.version), "properties": properties}

    def _key(self, entry: RunLogEntry, version: int) -> str:
        return str(uuid.uuid5(_SPACE, "\n".join((*self._owner().values(), entry.run, str(entry.n), str(version)))))

    def _owner(self) -> dict[str, str]:
        return {"project": self._names.project, "store": self._names.store}


def _equal(name: str, value: str) -> str:
    return f"{{path:[{json.dumps(name)}],operator:Equal,valueText:{json.dumps(value)}}}"


def _collection(names: Names) -> dict[str, Any]:
    description = f"provision's backfill runs of {names.store} in project {names.project}"
    return own_collections.collection(names.backfills, description, _TEXTS, _NUMBERS, sought=_SOUGHT)

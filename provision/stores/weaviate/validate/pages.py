"""Every object of a collection for data checks, page by page, in the order of ids, with nothing changed on the server.

An object with NaN or infinity in a vector (gRPC stores them, REST cannot) makes the server answer a whole page with
200 and nothing: seen with 1.39.0. Such a page is asked for again in halves, down to the object itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provision.stores.weaviate.server import PAGE, Class, Server
from provision.validate.scan import Deadline

# The word by which a vector without a name goes.
UNNAMED = "vector"
_UNSUPPORTED = re.compile(r"unsupported value: ([+-]?\w+)")
_WORDS = {"NaN": "NaN", "+Inf": "Infinity", "-Inf": "-Infinity"}


@dataclass(frozen=True, slots=True)
class NotFinite:
    """A vector that the server cannot write down; `word` is the value in it that it cannot."""

    word: str


Vector = Sequence[float] | NotFinite | None
"""None where the object has no such vector."""


@dataclass(frozen=True, slots=True)
class PagePart:
    """One collection, or one tenant of it, to be read."""

    server: Server
    name: str
    tenant: str | None
    vectors: Sequence[str]

    def rows(self, deadline: Deadline) -> Iterator[dict[str, Any]]:
        """Each object: its properties, `_id`, `_tenant`, `_created`, `_updated`, and `_vectors` by their names.

        Raises http.Unanswered, ConfigError, FailedError (check-timeout).
        """
        after = ""
        while page := self._page(after, PAGE, deadline):
            yield from map(self._row, page)
            if len(page) < PAGE:
                return
            after = page[-1]["id"]

    def _page(self, after: str, size: int, deadline: Deadline) -> list[dict[str, Any]]:
        deadline.check()
        found = self._objects_after(after, size, {"include": "vector"} if self.vectors else {})
        if found is not None:
            return found
        if size == 1:
            return [self._unwritable(each) for each in self._objects_after(after, 1, {}) or ()]
        first = self._page(after, size // 2, deadline)
        if len(first) < size // 2:
            return first
        return [*first, *self._page(first[-1]["id"], size - size // 2, deadline)]

    def _objects_after(self, after: str, size: int, more: Mapping[str, str]) -> list[dict[str, Any]] | None:
        """The objects behind an id; None where the server cannot write one of them down."""
        narrowed = {} if self.tenant is None else {"tenant": self.tenant}
        query = {"class": self.name, "limit": size, "after": after, **narrowed, **more}
        answer = self.server.ask("GET", "/objects", query=query)
        if answer is None:
            return []
        return None if answer.body is None else list(answer.body.get("objects") or ())

    def _unwritable(self, found: dict[str, Any]) -> dict[str, Any]:
        return {**found, "vectors": {name: self._vector(found["id"], name) for name in self.vectors}}

    def _vector(self, key: str, name: str) -> Vector:
        """One vector of an object, asked for alone; the server's words say what is in it."""
        tenant = "" if self.tenant is None else f"tenant:{json.dumps(self.tenant)},"
        where = f'where:{{path:["id"],operator:Equal,valueText:{json.dumps(key)}}}'
        shown = "vector" if name == UNNAMED else f"vectors{{{name}}}"
        query = f"{{Get{{{self.name}({tenant}{where}){{_additional{{{shown}}}}}}}}}"
        status, body, text = self.server.graphql(query)
        if (match := _UNSUPPORTED.search(text)) is not None:
            return NotFinite(_WORDS.get(match[1], match[1]))
        if status >= 400 or not isinstance(body, dict) or body.get("errors"):
            return NotFinite("a value that the server cannot write down")
        listed = body["data"]["Get"][self.name] or [{"_additional": {}}]
        told = listed[0]["_additional"].get("vector" if name == UNNAMED else "vectors")
        vector: Vector = told if name == UNNAMED else (told or {}).get(name)
        return vector or None

    def _row(self, found: Mapping[str, Any]) -> dict[str, Any]:
        vectors: dict[str, Vector] = dict(found.get("vectors") or {})
        if found.get("vector"):
            vectors[UNNAMED] = found["vector"]
        times = {f"_{word}": _moment(found.get(key)) for word, key in _TIMES.items()}
        own = {"_id": found["id"], "_tenant": self.tenant, "_vectors": vectors}
        return {**(found.get("properties") or {}), **own, **times}


_TIMES = {"created": "creationTimeUnix", "updated": "lastUpdateTimeUnix"}


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def vectors_of(collection: Class) -> tuple[str, ...]:
    """The names of a collection's vectors."""
    return tuple(collection.get("vectorConfig") or ()) or (UNNAMED,)

"""A collection behind an alias, the document that replaces it, and a writer that never stops."""

from __future__ import annotations

import random
import struct
import threading
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tests.stores.weaviate.conftest import up
from tests.stores.weaviate.raw import Raw

_PROPERTIES = "properties: [{{name: t, dataType: [text], tokenization: {0}}}, {{name: n, dataType: [int]}}]"
_STAMPED = "invertedIndexConfig: {indexTimestamps: true}"
CLASS = "{{class: {1}, vectorizer: none, " + _STAMPED.replace("{", "{{").replace("}", "}}") + ", " + _PROPERTIES + "}}"

Content = dict[str, tuple[dict[str, Any], bytes]]


def first() -> str:
    """The document of the collection and its alias."""
    return up(f"create_collection: {CLASS.format('word', 'Signals_v1')}", ALIAS)


def second(extra: str = "keep: 1s", name: str = "Signals_v2") -> str:
    """The document that replaces it."""
    return up(f"replace_collection: {{alias: Signals, {extra}, class: {CLASS.format('field', name)}}}")


ALIAS = "create_alias: {alias: Signals, class: Signals_v1}"


def vector(chance: random.Random, size: int = 128) -> list[float]:
    return [chance.gauss(0, 1) for _ in range(size)]


def packed(values: Iterable[float]) -> bytes:
    """A vector as the server keeps it."""
    listed = list(values)
    return struct.pack(f"<{len(listed)}f", *listed)


def load(raw: Raw, count: int, name: str = "Signals", size: int = 128) -> Content:
    """Fill the collection; returns what it then holds."""
    chance = random.Random(7)
    held: Content = {}
    for start in range(0, count, 500):
        objects = []
        for number in range(start, min(start + 500, count)):
            key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            each = {"class": name, "id": key, "properties": {"t": f"text {number}", "n": number}}
            objects.append({**each, "vector": vector(chance, size)})
            held[key] = dict(objects[-1]["properties"]), packed(objects[-1]["vector"])
        answer = raw.send("POST", "/batch/objects", {"objects": objects})
        assert [each["result"]["status"] for each in answer] == ["SUCCESS"] * len(objects)
    return held


def objects_of(raw: Raw, name: str, tenant: str = "") -> list[Mapping[str, Any]]:
    """Every object of a collection, in the order of ids."""
    found: list[Mapping[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else ""
        narrowed = f"&tenant={tenant}" if tenant else ""
        page = raw.get(f"/objects?class={name}&limit=1000&include=vector&after={after}{narrowed}")["objects"]
        found += page
        if len(page) < 1000:
            return found


def content(raw: Raw, name: str) -> Content:
    return {each["id"]: (each["properties"], packed(each["vector"])) for each in objects_of(raw, name)}


class Writer(threading.Thread):
    """Inserts, updates and deletes through the alias; `held` is what the server acknowledged.

    A write that met a shard on its way to read-only may be there although it was refused (1.39: "store object in LSM
    store: update inverted indices: … read-only"), so that any that was refused since the last one taken is right.
    """

    def __init__(self, url: str, held: Content) -> None:
        super().__init__(daemon=True)
        self._raw, self.held = Raw(url), dict(held)
        self._keys = list(held)
        self._chance = random.Random(11)
        self._stopped = threading.Event()
        self.done, self.refused, self.wrong = 0, 0, ""
        self._unsure: dict[str, list[tuple[dict[str, Any], bytes] | None]] = {}

    def run(self) -> None:
        try:
            while not self._stopped.wait(0.01):
                self._one()
        except Exception as error:
            self.wrong = repr(error)

    def stop(self) -> Content:
        """End it; returns what must be there. Fails when it met an answer that is none."""
        self._stopped.set()
        self.join(30)
        assert not self.is_alive()
        assert self.wrong == ""
        for key, refused in self._unsure.items():
            status, answer = self._raw.ask("GET", f"/objects/Signals/{key}?include=vector")
            there = (answer["properties"], packed(answer["vector"])) if status == 200 else None
            if there not in refused:
                continue
            if there is None:
                self.held.pop(key, None)
            else:
                self.held[key] = there
        return self.held

    def _one(self) -> None:
        what = self._chance.choice(("insert", "update", "update", "delete"))
        key = str(uuid.uuid4()) if what == "insert" else self._keys[self._chance.randrange(len(self._keys))]
        if what == "delete":
            status, answer = self._raw.ask("DELETE", f"/objects/Signals/{key}")
        else:
            values: dict[str, Any] = {"t": f"{what} {self.done}", "n": self.done}
            made: dict[str, Any] = {"class": "Signals", "id": key, "properties": values, "vector": vector(self._chance)}
            path = ("POST", "/objects") if what == "insert" else ("PUT", f"/objects/Signals/{key}")
            status, answer = self._raw.ask(*path, made)
        if status == 500 and "read-only" in str(answer):
            self.refused += 1
            self._unsure.setdefault(key, []).append(None if what == "delete" else (values, packed(made["vector"])))
            return
        assert status < 300, (what, status, answer)
        self._unsure.pop(key, None)
        self.done += 1
        if what == "delete":
            del self.held[key]
            self._keys[self._keys.index(key)] = self._keys[-1]
            self._keys.pop()
            return
        if what == "insert":
            self._keys.append(key)
        self.held[key] = values, packed(made["vector"])


def unlike(wanted: Content, found: Content) -> dict[str, list[str]]:
    """Ids that are lost, revived, or not as they were last written; empty lists when all is right."""
    return {
        "lost": sorted(wanted.keys() - found.keys()),
        "revived": sorted(found.keys() - wanted.keys()),
        "stale": sorted(key for key in wanted.keys() & found.keys() if wanted[key] != found[key]),
    }


LEVEL: dict[str, list[str]] = {"lost": [], "revived": [], "stale": []}

"""An object of one collection as it is in another, and the digest by which two are held against each other."""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from provision.stores.weaviate.copy.grpc_pages import TYPES
from provision.stores.weaviate.server import Class

_NUMBERS = frozenset({"int", "number", "int[]", "number[]"})
Object = Mapping[str, Any]
# As JSON has it, or as gRPC brings it; rows of them for a multi-vector.
Vector: TypeAlias = "list[Any] | array[float]"
NAMELESS = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What is carried from `source` to `target`: these properties, and each vector under its name there.

    `lost` names what the target has no place for. A nameless vector and the only named one stand for each other.
    """

    source: str
    target: str
    properties: frozenset[str]
    vectors: Mapping[str, str]
    lost: tuple[str, ...]
    references: frozenset[str]
    tenants: bool
    # Lists of numbers in the target: JSON writes 1.0 as 1, and gRPC tells whole numbers from others.
    numbers: frozenset[str] = frozenset()
    # Numbers on both sides, which are compared as the server keeps them: JSON writes 1.0 as 1 and cuts long ones.
    floats: frozenset[str] = frozenset()
    # The names of each side's vectors where gRPC reads its objects as REST does, else None.
    source_vectors: tuple[str, ...] | None = None
    target_vectors: tuple[str, ...] | None = None

    @classmethod
    def between(cls, source: Class, target: Class) -> Form:
        """The form of objects on their way from one collection to the other, both as the server has them."""
        here, there = _types(source), _types(target)
        vectors = _vectors(vector_names(source), vector_names(target))
        lost = [*sorted(here.keys() - there.keys())]
        lost += [name or "vector" for name in vector_names(source) if name not in vectors]
        references = frozenset(name for name, kind in here.items() if kind[:1].isupper())
        carried = frozenset(here.keys() & there.keys())
        numbers = frozenset(name for name, kind in there.items() if kind == "number[]")
        floats = frozenset(name for name in carried if {here[name], there[name]} <= _NUMBERS)
        over_grpc = (
            tuple(vector_names(each)) if TYPES.issuperset(_types(each).values()) else None for each in (source, target)
        )
        names = (source["class"], target["class"])
        return cls(*names, carried, vectors, tuple(lost), references, tenanted(source), numbers, floats, *over_grpc)

    def made(self, found: Object, over: Object | None = None) -> dict[str, Any]:
        """The object as it is sent to the target; `over` is the one there now, which keeps what is not carried."""
        made: dict[str, Any] = {
            "class": self.target,
            "id": found["id"],
            "properties": {**self._unknown_properties(over), **self._properties(found)},
        }
        vectors = {name: _as_lists(each) for name, each in self._carried(found)}
        if over is not None:
            kept = {name: _as_lists(each) for name, each in _all(over) if name not in self.vectors.values()}
            vectors = {**kept, **vectors}
        for name in self.numbers & made["properties"].keys():
            made["properties"][name] = [float(each) for each in made["properties"][name] or ()]
        if NAMELESS in vectors:
            made["vector"] = vectors.pop(NAMELESS)
        if vectors:
            made["vectors"] = vectors
        return made

    def expected(self, found: Object) -> bytes:
        """The digest that the object must have in the target."""
        return _digest(found["id"], self._compared(found), sorted(self._carried(found), key=_name))

    def digest(self, found: Object) -> bytes:
        """The digest of an object in the target, by what is carried alone."""
        wanted = set(self.vectors.values())
        vectors = sorted(((name, each) for name, each in _all(found) if name in wanted), key=_name)
        return _digest(found["id"], self._compared(found), vectors)

    def _carried(self, found: Object) -> Iterator[tuple[str, Vector]]:
        for name, vector in _all(found):
            if name in self.vectors:
                yield self.vectors[name], vector

    def _unknown_properties(self, over: Object | None) -> dict[str, Any]:
        properties = (over or {}).get("properties") or {}
        return {name: value for name, value in properties.items() if name not in self.properties}

    def _properties(self, found: Object) -> dict[str, Any]:
        carried = {
            name: value
            for name, value in (found.get("properties") or {}).items()
            if name in self.properties and value is not None
        }
        for name in self.references & carried.keys():
            carried[name] = [{"beacon": each["beacon"]} for each in carried[name]]
        return carried

    def _compared(self, found: Object) -> dict[str, Any]:
        """The properties as the digest has them; nothing tells -0.0 from 0 once JSON has carried it."""
        properties = self._properties(found)
        for name in self.floats & properties.keys():
            value = properties[name]
            many = isinstance(value, list)
            properties[name] = [float(each) + 0.0 for each in value] if many else float(value) + 0.0
        return properties


def tenanted(found: Class) -> bool:
    """Whether the collection keeps its objects by tenant."""
    return bool((found.get("multiTenancyConfig") or {}).get("enabled"))


def vector_names(found: Class) -> list[str]:
    """The names of a collection's vectors; the nameless one is an empty text."""
    nameless = [NAMELESS] if found.get("vectorIndexType") else []
    return [*nameless, *sorted(found.get("vectorConfig") or ())]


def _types(found: Class) -> dict[str, str]:
    return {each["name"]: each["dataType"][0] for each in found.get("properties") or ()}


def _vectors(here: list[str], there: list[str]) -> dict[str, str]:
    shared = {name: name for name in here if name in there}
    rest_here = [name for name in here if name not in shared]
    rest_there = [name for name in there if name not in shared]
    if len(rest_here) == len(rest_there) == 1 and NAMELESS in (*rest_here, *rest_there):
        shared[rest_here[0]] = rest_there[0]
    return shared


def _name(vector: tuple[str, Vector]) -> str:
    return vector[0]


def _as_lists(vector: Vector) -> list[Any]:
    if isinstance(vector, array):
        return vector.tolist()
    return [each.tolist() if isinstance(each, array) else each for each in vector]


def _all(found: Object) -> Iterator[tuple[str, Vector]]:
    if found.get("vector"):
        yield NAMELESS, found["vector"]
    for name, vector in (found.get("vectors") or {}).items():
        if vector:
            yield name, vector


def _digest(key: str, properties: Mapping[str, Any], vectors: list[tuple[str, Vector]]) -> bytes:
    text = json.dumps(properties, sort_keys=True, separators=(",", ":"))
    made = hashlib.blake2b(f"{key}{text}".encode(), digest_size=16)
    for name, vector in vectors:
        made.update(name.encode())
        rows: list[Any] = list(vector) if isinstance(vector[0], list | array) else [vector]
        for row in rows:
            # As the server keeps them: four bytes a number.
            made.update(row.tobytes() if isinstance(row, array) else struct.pack(f"<{len(row)}f", *row))
    return made.digest()

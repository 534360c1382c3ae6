"""What the operations of Weaviate documents leave on a server that began empty: collections and aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.documents.operation import Problem, World
from provision.stores.weaviate.migrate.compare import Difference
from provision.stores.weaviate.migrate.defaults import filled
from provision.stores.weaviate.migrate.immutable import reason, way_round


@dataclass(slots=True)
class WeaviateWorld(World):
    """`makers` say where each is made, `gone` where a collection that was made is deleted."""

    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)

    def put(self, stated: Mapping[str, Any]) -> None:
        """A new collection."""
        self.collections[stated["class"]] = filled(stated)
        self.makers[stated["class"]] = self.place
        self.gone.pop(stated["class"], None)

    def remove(self, name: str) -> None:
        """A collection that is deleted."""
        self.collections.pop(name, None)
        self.gone[name] = self.place

    def point(self, alias: str, name: str) -> None:
        """An alias that stands for the collection from now on."""
        self.aliases[alias] = name
        self.makers[alias] = self.place

    def alias_of(self, name: str) -> str:
        """An alias that stands for the collection; empty where there is none."""
        return next((alias for alias, target in self.aliases.items() if target == name), "")

    def of(self, name: str) -> str:
        """The collection in the words of a message."""
        return f"collection {name} of {self.makers[name]}"

    def missing(self, name: str, key: str) -> Iterator[Problem]:
        """The problem of naming a collection that an earlier document deleted, or an alias in its place."""
        if name in self.gone:
            yield Problem(key, f"the collection {name} is gone since {self.gone[name]}", "name one that is there")
        elif name in self.aliases:
            target = self.aliases[name]
            yield Problem(key, f"{name} is an alias of {target}, made in {self.makers[name]}", f"write {target}")

    def way(self, difference: Difference, name: str) -> str:
        """What to write for a collection that is there and is to be otherwise."""
        if reason(difference, self.collections[name]) is not None:
            return way_round(difference, name, self.alias_of(name))
        return f"write `update_collection: {{class: {name}, {difference.path[0]}: …}}`"

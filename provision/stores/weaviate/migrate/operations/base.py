"""The server as an operation meets it, and what operations on collections have in common."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provision.documents.ensure import EnsuredKind
from provision.documents.operation import Body, Stopped
from provision.model import StoreOptions
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.compare import Difference
from provision.stores.weaviate.migrate.world import WeaviateWorld
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Class, Server

Schema = dict[str, Any]

# The parts that schemas of several operations share. How names are spelled is checked with better words elsewhere.
CLASS_NAME: Schema = {"type": "string", "minLength": 1, "description": "the name of a collection"}
ALIAS_NAME: Schema = {"type": "string", "minLength": 1, "description": "the name of an alias"}
PROPERTY_NAME: Schema = {"type": "string", "minLength": 1, "description": "the name of a property"}


@dataclass(frozen=True, slots=True)
class Live:
    """The open server; `options` say which store and project it is open for."""

    server: Server
    names: Names
    options: StoreOptions

    def collection(self, name: str) -> Class:
        """The collection of that name. Raises Stopped when there is none."""
        found = self.server.collection(name)
        if found is None:
            raise Stopped(f"the collection {name} is not there{self.behind(name)}")
        return found

    def behind(self, name: str) -> str:
        """`; it is an alias of …`, where the name is one; else nothing."""
        target = self.server.alias(name)
        return f": {name} is an alias of {target}" if target else ""

    def aliases_of(self, name: str) -> list[str]:
        """The aliases that stand for a collection, there or not."""
        return [alias for alias, target in self.server.aliases().items() if target == name]


class WeaviateOperation(EnsuredKind[Live, WeaviateWorld]):
    """One operation of a document. It holds no state: a body goes in."""

    @abstractmethod
    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        """Method, path and JSON of each request to a server that has none of it."""

    def text(self, body: Body) -> str:
        return "\n".join(shown(*each) for each in self.requests(body))

    def run(self, body: Body, live: Live) -> None:
        for method, path, sent in self.requests(body):
            live.server.send(method, path, sent)


def shown(method: str, path: str, body: Any) -> str:
    """A request as the vendor's documents write it."""
    tail = "" if body is None else f" {json.dumps(body, ensure_ascii=False)}"
    return f"{method} /v1{path}{tail}"


def fate(found: Sequence[Difference], subject: str) -> Fate:
    """Done when there is no difference; else not done, with the first one as the reason."""
    if not found:
        return Fate(Outcome.DONE, f"{subject} is as the file says")
    return Fate(Outcome.NOT_DONE, found[0].words(subject))

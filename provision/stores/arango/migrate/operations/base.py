"""What every operation of an ArangoDB document can say of itself, and the server as it meets it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from provision.documents.ensure import EnsuredKind
from provision.documents.operation import Body, Problem
from provision.model.statements import Fate, Mark, Outcome
from provision.net.http import path_of
from provision.stores.arango.migrate.name_rules import illegal
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.server import NO_COLLECTION, NO_GRAPH, Server

NAME = {"type": "string", "minLength": 1, "description": "a name"}


@dataclass(frozen=True, slots=True)
class Live:
    """The server as an operation meets it. A query that may run long carries `mark`, so that it can be found again."""

    server: Server
    mark: Mark | None = None

    def collection(self, name: str) -> Mapping[str, Any] | None:
        """The properties of a collection, or None."""
        path = "/_api/collection" + path_of(name) + "/properties"
        found: Mapping[str, Any] | None = self.server.ask("GET", path, missing=(NO_COLLECTION,))
        return found

    def graph(self, name: str) -> Mapping[str, Any] | None:
        """The definition of a named graph, or None."""
        found = self.server.ask("GET", "/_api/gharial" + path_of(name), missing=(NO_GRAPH,))
        return None if found is None else found["graph"]

    def graphs(self) -> list[Mapping[str, Any]]:
        return list(self.server.ask("GET", "/_api/gharial")["graphs"])


class ArangoOperation(EnsuredKind[Live, ArangoWorld]):
    """One operation of a document. It holds no state. `makes` is the thing, if any, that gets its name by it."""

    makes: ClassVar[str] = ""

    def problems(self, body: Body) -> Iterable[Problem]:
        wrong = illegal(self.makes, body["name"]) if self.makes else None
        if wrong is not None:
            yield Problem("name", *wrong)


def request(method: str, path: str, body: object = None) -> str:
    """A request as the vendor's documents write it."""
    return f"{method} {path}" + ("" if body is None else f"\n{json.dumps(body, ensure_ascii=False)}")


def without(body: Body, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys}


def done(reason: str) -> Fate:
    return Fate(Outcome.DONE, reason)


def not_done(reason: str) -> Fate:
    return Fate(Outcome.NOT_DONE, reason)


def different(reason: str) -> Fate:
    return Fate(Outcome.DIFFERENT, reason)


def judged(differs: str, subject: str) -> Fate:
    """What a comparison comes to: the difference, or that `subject` is as the file says."""
    return different(differs) if differs else done(f"{subject} is there")


def uses(graph: Mapping[str, Any], collection: str) -> bool:
    """Whether a graph is made of the collection."""
    return collection in members(graph)


def members(graph: Mapping[str, Any]) -> set[str]:
    """Every collection that a graph's definition names."""
    named = set(graph.get("orphanCollections", ()))
    for each in graph.get("edgeDefinitions", ()):
        named |= {each["collection"], *each["from"], *each["to"]}
    return named

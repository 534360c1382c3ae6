"""`create_analyzer`: how a view or an inverted index cuts text into what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provision.documents.operation import Body
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.operations.base import ArangoOperation, Live, judged, not_done, request, without
from provision.stores.arango.server import NO_COLLECTION, NO_DOCUMENT


class CreateAnalyzer(ArangoOperation):
    name = "create_analyzer"
    makes = "analyzer"
    schema = body_of("create_analyzer")

    def summary(self, body: Body) -> str:
        return f"analyzer {body['name']} ({body['type']})"

    def text(self, body: Body) -> str:
        return request("POST", "/_api/analyzer", body)

    def probe(self, body: Body, live: Live) -> Fate:
        found = analyzer(body["name"], live)
        if found is None:
            return not_done(f"there is no analyzer {body['name']}")
        subject = f"analyzer {body['name']}"
        return judged(difference(subject, _ordered(without(body, "name")), _ordered(found)), subject)

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("POST", "/_api/analyzer", body)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_analyzer", {"name": body["name"]}


def analyzer(name: str, live: Live) -> Mapping[str, Any] | None:
    """The definition of an analyzer, or None."""
    found: Mapping[str, Any] | None = live.server.ask(
        "GET", "/_api/analyzer" + path_of(name), missing=(NO_DOCUMENT, NO_COLLECTION)
    )
    return found


def _ordered(body: Body) -> dict[str, Any]:
    made = dict(body)
    if "features" in made:
        made["features"] = sorted(made["features"])
    return made

"""`create_view`: a view for search, over links to collections or as an alias of inverted indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, renewed
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.operations.base import ArangoOperation, Live, different, judged, not_done, request
from provision.stores.arango.server import LONG_SECONDS, NO_COLLECTION


class CreateView(ArangoOperation):
    name = "create_view"
    makes = "view"
    schema = body_of("create_view")

    def summary(self, body: Body) -> str:
        over = sorted({*body.get("links", ()), *(each["collection"] for each in body.get("indexes", ()))})
        return f"view {body['name']}" + (f" over {', '.join(over)}" if over else "")

    def text(self, body: Body) -> str:
        return request("POST", "/_api/view", body)

    def probe(self, body: Body, live: Live) -> Fate:
        found = properties(body["name"], live)
        if found is None:
            return not_done(f"there is no view {body['name']}")
        subject = f"view {body['name']}"
        extra = sorted({*found.get("links", ())} - {*body.get("links", ())})
        if extra:
            return different(f"{subject} is there with a link to {', '.join(extra)}, the file says none")
        return judged(difference(subject, _ordered(body), _ordered(found)), subject)

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("POST", "/_api/view", body, seconds=LONG_SECONDS)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_view", {"name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return renewed(self, before, after)


def properties(name: str, live: Live) -> Mapping[str, Any] | None:
    """The properties of a view, or None."""
    path = "/_api/view" + path_of(name) + "/properties"
    found: Mapping[str, Any] | None = live.server.ask("GET", path, missing=(NO_COLLECTION,))
    return found


def _ordered(body: Body) -> dict[str, Any]:
    """An alias lists its indexes in no order."""
    made = dict(body)
    if "indexes" in made:
        made["indexes"] = sorted(made["indexes"], key=lambda each: (each["collection"], each["index"]))
    return made

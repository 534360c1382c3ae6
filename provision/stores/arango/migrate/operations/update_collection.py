"""`update_collection`: those properties of a collection that the vendor lets change."""

from __future__ import annotations

from provision.documents.operation import Body
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.operations.base import (
    ArangoOperation,
    Live,
    different,
    done,
    not_done,
    request,
    without,
)
from provision.stores.arango.migrate.operations.create_collection import FIXED, properties_differ

_NOTHING = {"not": {}, "description": "nothing here: it is fixed when the collection is made; make another collection"}


class UpdateCollection(ArangoOperation):
    """Documents that are there already are not validated: `schema` holds from the next write of each."""

    name = "update_collection"
    schema = body_of("update_collection", also=dict.fromkeys(FIXED, _NOTHING))

    def summary(self, body: Body) -> str:
        return f"set {', '.join(without(body, 'name'))} of collection {body['name']}"

    def text(self, body: Body) -> str:
        return request("PUT", _path(body), without(body, "name"))

    def probe(self, body: Body, live: Live) -> Fate:
        found = live.collection(body["name"])
        if found is None:
            return different(f"there is no collection {body['name']}")
        subject = f"collection {body['name']}"
        # A server alone does not tell what only a cluster has.
        wanted = {key: value for key, value in body.items() if key in found or key != "replicationFactor"}
        differs = properties_differ(subject, wanted, found)
        return not_done(differs) if differs else done(f"{subject} is so")

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("PUT", _path(body), without(body, "name"))


def _path(body: Body) -> str:
    return "/_api/collection" + path_of(body["name"]) + "/properties"

"""Edges that belong to no graph."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, World


def whole(world: World) -> Iterator[Hit]:
    used = {
        each.get("collection")
        for unit in world.named("create_graph", "alter_graph")
        for each in unit.body.get("edgeDefinitions") or ()
    }
    for unit in world.named("create_collection"):
        if unit.body.get("type") == 3 and unit.body["name"] not in used:
            what = (
                f"no graph has the edges {unit.body['name']}: nothing checks that their ends exist, and no GRAPH "
                "query finds them"
            )
            yield Hit(
                unit, what, 'require("@arangodb/general-graph")._create(…), or create_graph', str(unit.body["name"])
            )


RULE = Rule("edges-without-graph", Severity.WARNING, "Edges that belong to no graph", whole=whole)

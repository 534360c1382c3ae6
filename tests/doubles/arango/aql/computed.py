"""Computed values of a collection, evaluated when a document is written."""

from __future__ import annotations

from typing import Any

from tests.doubles.arango.collections import Collection


def compute(collection: Collection, document: dict[str, Any], event: str) -> dict[str, Any]:
    """The document with what its collection computes on this event: insert, update or replace. Raises Refused."""
    rules = [each for each in collection.properties["computedValues"] or () if event in each["computeOn"]]
    if not rules:
        return document
    from tests.doubles.arango.aql.run import Query
    from tests.doubles.arango.databases import Database

    made = dict(document)
    for rule in rules:
        if rule["name"] in made and not rule["overwrite"]:
            continue
        nowhere = Database("computed", collection.ticks, "0")
        binds = {"doc": document} if "@doc" in rule["expression"] else {}
        [value] = Query(nowhere, rule["expression"], binds).result()
        made[rule["name"]] = value
        if value is None and not rule["keepNull"]:
            del made[rule["name"]]
    return made

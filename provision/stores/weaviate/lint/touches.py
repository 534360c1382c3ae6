"""What Weaviate documents touch: collections and their parts, aliases, tenants."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from provision.documents import touches
from provision.model import Revision, StoreOptions
from provision.model.touches import Touch, Touched, reads, writes
from provision.stores.weaviate.lint.reader import WeaviateReader

NEEDS: Sequence[str] = ()


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    return touches.touched(WeaviateReader(), _RULES, options, revisions, wanted)


def _collection(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("collection", body["class"])
    for each in body.get("properties") or ():
        # A reference names another collection, which must be there.
        yield from (reads("collection", name, "name") for name in each.get("dataType") or () if name[:1].isupper())


def _updated(body: Mapping[str, Any]) -> Iterator[Touch]:
    # The whole definition is sent: what another added meanwhile is compared with it.
    yield writes("collection", body["class"])


def _property(body: Mapping[str, Any]) -> Iterator[Touch]:
    named = body["property"]
    name = named["name"] if isinstance(named, Mapping) else named
    yield reads("collection", body["class"], "name")
    yield writes("collection", body["class"], "property", str(name))
    if isinstance(named, Mapping):
        yield writes("collection", body["class"], "order of properties")


def _vector(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield reads("collection", body["class"], "name")
    yield from (writes("collection", body["class"], "vector", name) for name in body["vectorConfig"])


def _alias(body: Mapping[str, Any]) -> Iterator[Touch]:
    # An alias and a collection share their names.
    yield writes("collection", body["alias"])
    yield from (reads("collection", body[key], "name") for key in ("class", "from", "to") if key in body)


def _tenants(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield reads("collection", body["class"], "name")
    for each in body["tenants"]:
        yield writes("collection", body["class"], "tenant", str(each["name"] if isinstance(each, Mapping) else each))


_RULES: touches.Rules = {
    "create_collection": _collection,
    "update_collection": _updated,
    "delete_collection": _updated,
    "add_property": _property,
    "drop_property_index": _property,
    "add_vector": _vector,
    "create_alias": _alias,
    "delete_alias": _alias,
    "move_alias": _alias,
    "create_tenants": _tenants,
    "update_tenants": _tenants,
    "delete_tenants": _tenants,
}

"""What the documents make, one after another, and which of their operations the server would refuse or ignore.

Nothing is asked: a collection or alias that no document made may be there all the same, and is left to the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.documents.operation import Body, Problem
from provision.stores.weaviate.copy.plan import replaced
from provision.stores.weaviate.migrate.compare import Difference, by_name, differences
from provision.stores.weaviate.migrate.defaults import filled, property_defaults, vector_defaults
from provision.stores.weaviate.migrate.immutable import reason, replacement, way_round
from provision.stores.weaviate.migrate.operations.drop_property_index import FLAGS
from provision.stores.weaviate.migrate.operations.update_collection import merged


@dataclass(slots=True)
class Catalogue:
    """Collections and aliases as the documents read so far leave them; `makers` say which document made each."""

    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)

    def take(self, operation: str, body: Body, shown: str) -> Iterator[Problem]:
        """Take one operation of the document `shown` in, and tell what is wrong with it."""
        if operation in _TAKEN:
            yield from _TAKEN[operation](self, body, shown)

    def put(self, stated: Mapping[str, Any], shown: str) -> None:
        """A new collection."""
        self.collections[stated["class"]] = filled(stated)
        self.makers[stated["class"]] = shown
        self.gone.pop(stated["class"], None)

    def remove(self, name: str, shown: str) -> None:
        """A collection that is deleted."""
        self.collections.pop(name, None)
        self.gone[name] = shown

    def alias_of(self, name: str) -> str:
        """An alias that stands for the collection; empty where there is none."""
        return next((alias for alias, target in self.aliases.items() if target == name), "")

    def missing(self, name: str, key: str) -> Iterator[Problem]:
        """The problem of naming a collection that an earlier document deleted, or an alias in its place."""
        if name in self.gone:
            yield Problem(key, f"the collection {name} is gone since {self.gone[name]}", "name one that is there")
        elif name in self.aliases:
            target = self.aliases[name]
            yield Problem(key, f"{name} is an alias of {target}, made in {self.makers[name]}", f"write {target}")


def _create_collection(catalogue: Catalogue, body: Body, shown: str) -> Iterator[Problem]:
    name = body["class"]
    if name in catalogue.aliases:
        yield Problem("class", f"{name} is an alias, made in {catalogue.makers[name]}", "choose another name")
        return
    for other in catalogue.collections:
        if other != name and other.casefold() == name.casefold():
            what = (
                f"{name} differs from {other} of {catalogue.makers[other]} in case alone, the server takes one of them"
            )
            yield Problem("class", what, "choose another name")
            return
    found = catalogue.collections.get(name)
    for each in differences(filled(body), found) if found is not None else ():
        words = each.words(f"collection {name} of {catalogue.makers[name]}")
        yield Problem("class", words, _way(each, name, catalogue))
        return
    catalogue.put(body, shown)


def _update_collection(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    name = body["class"]
    yield from catalogue.missing(name, "class")
    found = catalogue.collections.get(name)
    if found is None:
        return
    refused = False
    for each in differences(body, found):
        why = reason(each, found)
        if why is not None:
            refused = True
            words = f"{each.words(f'collection {name} of {catalogue.makers[name]}')}, which cannot be changed: {why}"
            yield Problem(_key(each, body), words, way_round(each, name, catalogue.alias_of(name)))
    if not refused:
        catalogue.collections[name] = merged(found, body)


def _delete_collection(catalogue: Catalogue, body: Body, shown: str) -> Iterator[Problem]:
    name = body["class"]
    yield from catalogue.missing(name, "class")
    for alias, target in catalogue.aliases.items():
        if target == name:
            what = f"the alias {alias} of {catalogue.makers[alias]} stands for {name}, and would stay behind"
            yield Problem("class", what, f"write `delete_alias: {{alias: {alias}}}` or a `move_alias` before it")
    catalogue.remove(name, shown)


def _add_property(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    name, stated = body["class"], body["property"]
    yield from catalogue.missing(name, "class")
    found = catalogue.collections.get(name)
    if found is None:
        return
    there = by_name(found.get("properties") or ())
    whole = {**property_defaults(stated), **stated}
    like = next((each for each in there.values() if each["name"].casefold() == stated["name"].casefold()), None)
    for each in differences(whole, like) if like is not None else ():
        words = each.words(f"{name}.{like['name'] if like else ''} of {catalogue.makers[name]}")
        why = "which cannot be changed: the values that are there are stored and indexed by it"
        yield Problem("property", f"{words}, {why}", replacement(name, catalogue.alias_of(name)))
        return
    found["properties"] = list({**there, stated["name"]: whole}.values())


def _drop_property_index(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    yield from catalogue.missing(body["class"], "class")
    found = catalogue.collections.get(body["class"])
    if found is None:
        return
    there = by_name(found.get("properties") or ())
    if body["property"] not in there:
        what = f"collection {body['class']} of {catalogue.makers[body['class']]} has no property {body['property']}"
        yield Problem("property", what, f"name one of {', '.join(there) or 'its properties'}")
        return
    changed = {**there[body["property"]], FLAGS[body["index"]]: False}
    found["properties"] = list({**there, body["property"]: changed}.values())


def _add_vector(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    name = body["class"]
    yield from catalogue.missing(name, "class")
    found = catalogue.collections.get(name)
    if found is None:
        return
    there = found.get("vectorConfig") or {}
    stated = {vector: {**vector_defaults(each), **each} for vector, each in body["vectorConfig"].items()}
    present = {vector: each for vector, each in body["vectorConfig"].items() if vector in there}
    for each in differences({"vectorConfig": present}, {"vectorConfig": there}):
        words = each.words(f"collection {name} of {catalogue.makers[name]}")
        yield Problem("vectorConfig", words, _way(each, name, catalogue))
        return
    found["vectorConfig"] = {**stated, **there}


def _create_alias(catalogue: Catalogue, body: Body, shown: str) -> Iterator[Problem]:
    alias, name = body["alias"], body["class"]
    yield from catalogue.missing(name, "class")
    if alias in catalogue.collections:
        yield Problem("alias", f"{alias} is a collection, made in {catalogue.makers[alias]}", "choose another name")
    elif catalogue.aliases.get(alias, name) != name:
        target = catalogue.aliases[alias]
        fix = f"write `move_alias: {{alias: {alias}, from: {target}, to: {name}}}`"
        yield Problem("alias", f"{alias} stands for {target} since {catalogue.makers[alias]}", fix)
    else:
        catalogue.aliases[alias] = name
        catalogue.makers[alias] = shown


def _move_alias(catalogue: Catalogue, body: Body, shown: str) -> Iterator[Problem]:
    alias = body["alias"]
    yield from catalogue.missing(body["to"], "to")
    target = catalogue.aliases.get(alias)
    if target is not None and target != body["from"]:
        yield Problem("from", f"{alias} stands for {target} since {catalogue.makers[alias]}", f"write {target}")
    else:
        catalogue.aliases[alias] = body["to"]
        catalogue.makers[alias] = shown


def _delete_alias(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    target = catalogue.aliases.get(body["alias"])
    if target is not None and body.get("class", target) != target:
        what = f"{body['alias']} stands for {target} since {catalogue.makers[body['alias']]}"
        yield Problem("class", what, f"write {target}")
    else:
        catalogue.aliases.pop(body["alias"], None)


def _tenants(catalogue: Catalogue, body: Body, _shown: str) -> Iterator[Problem]:
    name = body["class"]
    yield from catalogue.missing(name, "class")
    found = catalogue.collections.get(name)
    if found is not None and not found["multiTenancyConfig"]["enabled"]:
        what = f"collection {name} of {catalogue.makers[name]} was made without tenants"
        yield Problem("class", what, "state `multiTenancyConfig: {enabled: true}` where it is made")


def _key(difference: Difference, body: Body) -> tuple[str | int, ...]:
    """The part of the body that a difference is in, as deep as the body goes."""
    place: Any = body
    key: list[str | int] = []
    for part in difference.path:
        step: str | int = part
        if isinstance(place, list):
            step = next(index for index, each in enumerate(place) if each["name"] == part)
        elif part not in place:
            break
        key.append(step)
        place = place[step]
    return tuple(key)


def _way(difference: Difference, name: str, catalogue: Catalogue) -> str:
    if reason(difference, catalogue.collections[name]) is not None:
        return way_round(difference, name, catalogue.alias_of(name))
    return f"write `update_collection: {{class: {name}, {difference.path[0]}: …}}`"


_TAKEN: Mapping[str, Callable[[Catalogue, Body, str], Iterator[Problem]]] = {
    "create_collection": _create_collection,
    "update_collection": _update_collection,
    "delete_collection": _delete_collection,
    "add_property": _add_property,
    "drop_property_index": _drop_property_index,
    "add_vector": _add_vector,
    "create_alias": _create_alias,
    "move_alias": _move_alias,
    "delete_alias": _delete_alias,
    "replace_collection": replaced,
    "create_tenants": _tenants,
    "update_tenants": _tenants,
    "delete_tenants": _tenants,
}

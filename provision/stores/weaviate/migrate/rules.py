"""The vendor's rules for names, types and combinations in a class, checked before any server is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Problem
from provision.stores.weaviate.migrate.defaults import TEXTS
from provision.stores.weaviate.names import NAME, OWN, PROPERTY, TENANT, VECTOR, own

TYPES = (
    *("text", "int", "number", "boolean", "date", "uuid", "object", "blob", "geoCoordinates", "phoneNumber"),
    *("text[]", "int[]", "number[]", "boolean[]", "date[]", "uuid[]", "object[]"),
)
RESERVED = ("id", "_id", "_additional")
Key = str | tuple[str | int, ...]


def name_problems(name: str, thing: str, key: Key) -> Iterator[Problem]:
    """What is wrong with the name of a collection or alias."""
    right = name[:1].upper() + name[1:]
    if own(name):
        yield Problem(key, f"names that begin with {OWN} are provision's own", "choose another name")
    elif name != right and re.fullmatch(NAME, right):
        what = f"the {thing} {name} begins with a small letter, the server would make it {right}"
        yield Problem(key, what, f"write {right}")
    elif not re.fullmatch(NAME, name):
        what = f"{_abbreviated(name)} is no name of {'an' if thing == 'alias' else 'a'} {thing}"
        yield Problem(key, what, "write at most 255 letters a to z, digits and _, a capital letter first")


def class_problems(stated: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Everything that is wrong with a class, `path` being where it stands in the body."""
    yield from name_problems(stated["class"], "collection", (*path, "class"))
    yield from property_problems(stated.get("properties", ()), (*path, "properties"))
    yield from vector_problems(stated.get("vectorConfig", {}), (*path, "vectorConfig"))
    single = [key for key in ("vectorizer", "vectorIndexType", "vectorIndexConfig") if key in stated]
    if stated.get("vectorConfig") and single:
        what = f"{single[0]} beside vectorConfig: a collection has one nameless vector or named ones"
        yield Problem((*path, single[0]), what, "state it inside vectorConfig")
    tenancy = stated.get("multiTenancyConfig", {})
    for key in ("autoTenantCreation", "autoTenantActivation"):
        if tenancy.get(key) and not tenancy.get("enabled"):
            what = f"{key} in a collection without tenants"
            yield Problem((*path, "multiTenancyConfig", key), what, "state `enabled: true` beside it, or leave it out")


def property_problems(listed: Sequence[Mapping[str, Any]], path: tuple[str | int, ...]) -> Iterator[Problem]:
    """What is wrong with properties, those of an object's own included."""
    seen: dict[str, str] = {}
    for index, each in enumerate(listed):
        place = (*path, index)
        yield from one_property_problems(each, place)
        first = seen.get(each["name"].casefold())
        if first is not None:
            what = f"property {each['name']} is there already, as {first}"
            yield Problem((*place, "name"), what, "keep one of them; names differ by more than case")
        seen[each["name"].casefold()] = each["name"]


def one_property_problems(stated: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[Problem]:
    """What is wrong with one property."""
    yield from _property_name_problems(stated["name"], (*place, "name"))
    yield from _type_problems(stated, place)
    yield from property_problems(stated.get("nestedProperties", ()), (*place, "nestedProperties"))


def vector_problems(stated: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Problem]:
    """What is wrong with named vectors."""
    for name, each in stated.items():
        if not re.fullmatch(VECTOR, name):
            fix = "write at most 230 letters a to z, digits and _, no digit first"
            yield Problem((*path, name), f"{_abbreviated(name)} is no name of a vector", fix)
        if "self_provided" in each["vectorizer"]:
            what = f"vector {name} has the vectorizer self_provided, which is a word of the client library's alone"
            yield Problem((*path, name, "vectorizer"), what, "write `vectorizer: {none: {}}`")


def tenant_problems(listed: Sequence[Mapping[str, Any]], path: tuple[str | int, ...]) -> Iterator[Problem]:
    """What is wrong with the tenants of an operation."""
    seen = set()
    for index, each in enumerate(listed):
        name = each["name"]
        if not re.fullmatch(TENANT, name):
            fix = "write 1 to 64 letters a to z, digits, _ and -"
            yield Problem((*path, index, "name"), f"{_abbreviated(name)} is no name of a tenant", fix)
        if name in seen:
            yield Problem((*path, index, "name"), f"tenant {name} is given twice", "keep one of them")
        seen.add(name)


def _property_name_problems(name: str, key: Key) -> Iterator[Problem]:
    right = name[:1].lower() + name[1:]
    if name in RESERVED:
        yield Problem(key, f"{name} is a name the server keeps for itself", "choose another name")
    elif name != right and re.fullmatch(PROPERTY, right):
        what = f"the property {name} begins with a capital letter, the server would make it {right}"
        yield Problem(key, what, f"write {right}")
    elif not re.fullmatch(PROPERTY, name):
        fix = "write at most 231 letters a to z, digits and _, no digit first"
        yield Problem(key, f"{_abbreviated(name)} is no name of a property", fix)


def _type_problems(stated: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[Problem]:
    name, types = stated["name"], stated["dataType"]
    key = (*place, "dataType")
    if types[0] in ("string", "string[]"):
        right = types[0].replace("string", "text")
        what = f"property {name} is of type {types[0]}, which the server turns into {right} without a word"
        yield Problem(key, what, f"write `dataType: [{right}]` and `tokenization: field` for what is matched whole")
    elif types[0] not in TYPES and not all(re.fullmatch(NAME, each) for each in types):
        fix = f"write one of {', '.join(TYPES)}, or the name of a collection"
        yield Problem(key, f"property {name} is of type {types[0]}, which the server does not know", fix)
    elif types[0] in TYPES and len(types) > 1:
        yield Problem(key, f"property {name} has {len(types)} types", "write one")
    if "tokenization" in stated and types[0] not in TEXTS:
        what = f"property {name} is no text and has a tokenization"
        yield Problem((*place, "tokenization"), what, "leave it out")
    nested = types[0] in ("object", "object[]")
    if nested != bool(stated.get("nestedProperties")):
        what = f"property {name} is {'an object without' if nested else 'no object and has'} nestedProperties"
        yield Problem(key, what, "state at least one of them" if nested else "leave them out")


def _abbreviated(name: str) -> str:
    text = name or "an empty text"
    return text if len(text) <= 40 else f"{text[:39]}…"

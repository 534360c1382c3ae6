"""What a Weaviate server holds, as documents would make it: collections with their tenants and aliases.

What the server fills in by itself is left out, and so is what is provision's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.model import StoreOptions
from provision.model.statements import Found
from provision.stores.weaviate.copy.marks import Stage, mark_of, plain
from provision.stores.weaviate.files import schema
from provision.stores.weaviate.migrate.defaults import bare
from provision.stores.weaviate.names import NAME, own
from provision.stores.weaviate.server import Class, Server, connect
from provision.stores.weaviate.setup.health import WITH_ALIASES

_Operation = tuple[str, Mapping[str, Any]]


def found(options: StoreOptions, url: str) -> Sequence[Found]:
    """One document a collection, and one of the references that would go round in circles.

    Raises UnreachableError, ConfigError.
    """
    server = connect(options, url)
    try:
        with server.reading():
            return _read_collections(server)
    finally:
        server.close()


def _read_collections(server: Server) -> list[Found]:
    there = {
        name: _unmarked(each) for name, each in server.collections().items() if not own(name) and not _is_replaced(each)
    }
    aliases = server.aliases() if server.numbers >= WITH_ALIASES else {}
    made = []
    left: list[_Operation] = []
    done: set[str] = set()
    for name in _ordered(there):
        done.add(name)
        stated = bare(there[name])
        later = [each for each in stated.get("properties", ()) if _references(each) - done]
        if later:
            stated["properties"] = [each for each in stated["properties"] if each not in later]
            left += [("add_property", {"class": name, "property": each}) for each in later]
        made.append(
            _checked(f"collection {name}", [("create_collection", stated), *_rest(server, there[name], aliases)])
        )
    circle = _checked("references in a circle", left)._replace(irreversible="a property cannot be removed")
    return [*made, *([circle] if left else ())]


def _is_replaced(collection: Class) -> bool:
    """Whether another collection took its place and it only waits for its end."""
    mark = mark_of(collection)
    return mark is not None and mark.stage is Stage.KEPT


def _unmarked(collection: Class) -> Class:
    words = plain(collection)
    rest = {key: value for key, value in collection.items() if key != "description"}
    return {**rest, "description": words} if words else rest


def _rest(server: Server, collection: Class, aliases: Mapping[str, str]) -> Iterator[_Operation]:
    name = collection["class"]
    if collection.get("multiTenancyConfig", {}).get("enabled"):
        tenants = [_tenant(*each) for each in server.tenants(name).items()]
        if tenants:
            yield "create_tenants", {"class": name, "tenants": tenants}
    for alias, target in aliases.items():
        if target == name and not own(alias):
            yield "create_alias", {"alias": alias, "class": name}


def _tenant(name: str, status: str) -> dict[str, str]:
    # A tenant can be made awake or at rest; what lies elsewhere is brought there by an update.
    return {"name": name, "activityStatus": "INACTIVE"} if status == "INACTIVE" else {"name": name}


def _ordered(there: Mapping[str, Class]) -> list[str]:
    """A collection after those that its references name, as far as that goes; otherwise by name."""
    waiting = sorted(there)
    made: list[str] = []
    while waiting:
        free = [name for name in waiting if not (_referenced(there[name]) & set(waiting)) - {name}]
        made += free or waiting[:1]
        waiting = [name for name in waiting if name not in made]
    return made


def _referenced(collection: Class) -> set[str]:
    return {name for each in collection.get("properties") or () for name in _references(each)}


def _references(stated: Mapping[str, Any]) -> set[str]:
    """The collections that a property refers to: types with a capital letter are names."""
    return {each for each in stated["dataType"] if re.fullmatch(NAME, each)}


def _checked(message: str, operations: Sequence[_Operation]) -> Found:
    """Without what the server allows and a document does not."""
    import jsonschema_rs

    known = schema()
    bodies = known["$defs"]["operation"]["properties"]
    good, bad = [], []
    for name, body in operations:
        if jsonschema_rs.is_valid({**bodies[name], "$defs": known["$defs"]}, body):
            good.append((name, body))
        else:
            bad.append(f"{name} {json.dumps(body, ensure_ascii=False)}")
    return Found(message, tuple(good), tuple(bad))

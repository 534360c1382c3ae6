"""The operations by which one class becomes another of its name, as far as the server lets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provision.documents.operation import Body
from provision.stores.weaviate.migrate.compare import by_name, differences
from provision.stores.weaviate.migrate.defaults import filled
from provision.stores.weaviate.migrate.immutable import reason


def altered(before: Body, after: Body) -> Sequence[tuple[str, Body]]:
    """Properties and vectors that are new, then what can be changed; none where something would have to go."""
    was, wanted = _named(before), _named(after)
    fresh = {key: [name for name in wanted[key] if name not in was[key]] for key in ("properties", "vectorConfig")}
    there = {**wanted, **{key: _without(wanted[key], names) for key, names in fresh.items()}}
    changed = _changed(was, there)
    if _lacks(wanted, was):
        return ()
    properties = changed.pop("properties", {})
    if properties:
        changed["properties"] = [{"name": name, **each} for name, each in properties.items()]
    if any(reason(each, filled(before)) for each in differences(changed, filled(before))):
        return ()
    name, stated = after["class"], by_name(after.get("properties") or ())
    vectors = {each: after["vectorConfig"][each] for each in fresh["vectorConfig"]}
    return (
        *(("add_property", {"class": name, "property": stated[each]}) for each in fresh["properties"]),
        *([("add_vector", {"class": name, "vectorConfig": vectors})] if vectors else ()),
        *([("update_collection", {"class": name, **changed})] if changed else ()),
    )


def _named(stated: Body) -> dict[str, Any]:
    """The class as the server would answer it, its properties by their names."""
    made = {"description": "", **filled(stated)}
    properties = by_name(made.get("properties") or ())
    return {**made, "properties": properties, "vectorConfig": made.get("vectorConfig") or {}}


def _changed(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted otherwise, as deep as it goes."""
    made = {}
    for key, value in wanted.items():
        if was.get(key) == value:
            continue
        below = was.get(key)
        made[key] = _changed(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return {key: value for key, value in made.items() if value != {}}


def _lacks(wanted: Mapping[str, Any], was: Mapping[str, Any]) -> bool:
    """Whether something was stated that is no longer: the server keeps what it is not told."""
    return any(
        key not in wanted or (isinstance(value, dict) and isinstance(wanted[key], dict) and _lacks(wanted[key], value))
        for key, value in was.items()
    )


def _without(named: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: each for name, each in named.items() if name not in names}

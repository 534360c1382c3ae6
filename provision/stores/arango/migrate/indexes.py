"""When two definitions are one index to the server, and which of those in a collection a document means.

The server compares type, fields in order, uniqueness, sparseness and a few keys of the type; asked for a definition
that it has under another name, it answers with that one and makes none. No index can be altered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provision.model.statements import Fate, Outcome
from provision.stores.arango.migrate.compare import same
from provision.stores.arango.migrate.operations.base import different, done, not_done

Index = Mapping[str, Any]

# Older servers answer with the type's old name.
_RENAMED = {"hash": "persistent", "skiplist": "persistent", "zkd": "mdi"}
BUILT_IN = ("primary", "edge")
_UNIQUE_SPARSE = {"unique": False, "sparse": False}
# Type → the keys that make it that index besides its fields, with what they are unstated.
_IDENTITY: Mapping[str, Mapping[str, object]] = {
    "persistent": _UNIQUE_SPARSE,
    "mdi": _UNIQUE_SPARSE,
    "mdi-prefixed": {**_UNIQUE_SPARSE, "prefixFields": None},
    "ttl": {"expireAfter": None},
    "geo": {"geoJson": False},
    "fulltext": {},
    "vector": {"sparse": False, "params": None},
    "inverted": {},
}
# How the server works, not what the index is; not kept with it.
_PASSING = ("collection", "inBackground", "parallelism", "name")


def normal(index: Index) -> dict[str, Any]:
    """The definition with the type's present name and each field of an inverted index written out."""
    kind = _RENAMED.get(str(index["type"]), str(index["type"]))
    made = {key: value for key, value in index.items() if key not in _PASSING} | {"type": kind}
    if kind == "inverted":
        made["fields"] = [{"name": each} if isinstance(each, str) else each for each in index["fields"]]
    return made


def equal(wanted: Index, found: Index) -> bool:
    """Whether the server would answer with `found` when asked for `wanted`."""
    mine, theirs = normal(wanted), normal(found)
    if mine["type"] != theirs["type"] or not same(mine["fields"], theirs["fields"]):
        return False
    identity = _IDENTITY.get(mine["type"], {})
    return all(same(mine.get(key, unstated), theirs.get(key, unstated)) for key, unstated in identity.items())


def judge(wanted: Index, listed: Iterable[Index]) -> Fate:
    """Whether the index of the document is among those of its collection."""
    name, place = wanted["name"], wanted["collection"]
    others = [each for each in listed if each["type"] not in BUILT_IN]
    for each in others:
        if each["name"] == name:
            if equal(wanted, each) and same(normal(wanted), normal(each)):
                return done(f"index {name} of {place} is there")
            return different(f"{what(each)} is there, the file says {what(wanted)}; no index can be altered")
    for each in others:
        if equal(wanted, each):
            return different(f"{place} has that index under the name {each['name']}: the server makes no second one")
    return not_done(f"{place} has no index {name}")


def what(index: Index) -> str:
    """The index in a few words: `index by_name of c (persistent, name, unique)`."""
    made = normal(index)
    fields = ", ".join(each["name"] if isinstance(each, Mapping) else str(each) for each in made["fields"])
    flags = [key for key in ("unique", "sparse") if made.get(key) and key in _IDENTITY.get(made["type"], ())]
    after = [f"after {made['expireAfter']} s"] if made["type"] == "ttl" else []
    collection = index.get("collection") or str(index.get("id", "")).split("/")[0]
    return f"index {index['name']} of {collection} ({', '.join([made['type'], fields, *flags, *after])})"


def building(wanted: Index, hidden: Iterable[Index]) -> Fate | None:
    """That the server still builds it, as an earlier run asked, or None."""
    for each in hidden:
        if each.get("name") == wanted["name"] and each.get("type") not in BUILT_IN:
            return Fate(Outcome.RUNNING, f"the server still builds index {wanted['name']} of {wanted['collection']}")
    return None

"""The objects that a plan touches, as digests, and which of them moved since."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from provision.errors import RefusedError
from provision.model.plans import ObjectDigests
from provision.ports.kind import Objects

_OFTEN = frozenset(("type", "function"))
NAMED = 5  # objects that are named where more moved
Look = Callable[[Iterable[str]], Mapping[str, Objects]]
"""Names of stores → what each is made of now."""


class MovedObject(NamedTuple):
    """An object that is not what it was; `how` in one word."""

    store: str
    name: str
    how: str


def digested(objects: Objects, names: Iterable[str] | None) -> ObjectDigests:
    """Of the objects, those that have one of the names or speak of it; of None, all."""
    wanted = None if names is None else tuple(sorted(set(names)))
    kept = objects if wanted is None else {key: text for key, text in objects.items() if _speaks(key, text, wanted)}
    return ObjectDigests(wanted, {key: _digest(kept[key]) for key in sorted(kept)})


def moved_objects(planned: Mapping[str, ObjectDigests], look: Look) -> Iterator[MovedObject]:
    """Every object that was touched by the plan and is another now. Raises UnreachableError, ConfigError."""
    live = look(planned)
    for store, then in planned.items():
        now = digested(live.get(store, {}), then.names).digests
        for name in sorted({*then.digests, *now}):
            if name not in now:
                yield MovedObject(store, name, "gone")
            elif name not in then.digests:
                yield MovedObject(store, name, "new")
            elif now[name] != then.digests[name]:
                yield MovedObject(store, name, "changed")


def refuse_moved(planned: Mapping[str, ObjectDigests], look: Look) -> None:
    """Refuse a plan that touches what is not as it was, naming each object. Raises RefusedError (stale-plan)."""
    found = list(moved_objects(planned, look))
    if found:
        named = [f"{each.store}: {each.name} is {each.how}" for each in found[:NAMED]]
        more = [f"{len(found) - NAMED} more"] if len(found) > NAMED else []
        what = "the plan was made from another state: objects that it touches were changed since"
        fix = "make the plan again: `provision plan --out FILE`; `provision drift` names what was changed by hand"
        raise RefusedError("stale-plan", what, where="; ".join([*named, *more]), fix=fix)


def _speaks(key: str, text: str, names: Iterable[str]) -> bool:
    """Whether an object is one of those, or its definition names it, as an index does its table."""
    return any(_named(each, key, text) for each in names)


def _named(name: str, key: str, text: str) -> bool:
    kind, _, rest = name.partition(" ")
    # Nearly every definition names a type or calls a function: of these the object itself is meant.
    where = f"{key}\n{text}" if kind not in _OFTEN else key if key.startswith(kind) else ""
    bare = rest.rpartition(".")[2] or rest  # a definition may leave the schema out
    return re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", where) is not None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

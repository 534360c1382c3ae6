"""What things are called: classes that share a name, and what the folders of the stores have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.house.source import Module, Modules, classes

RULE = (
    "A public class name has two meanings when several files define it; "
    "the same file of several stores, such as stores/*/server.py, is one."
)
OPERATIONS = "operations"


@dataclass(frozen=True)
class Meanings:
    """A class name and the modules that define it, in the order of their names."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Shared:
    """Names of files and folders by how many stores have them."""

    names: int
    in_all: tuple[str, ...]
    in_one: Mapping[str, tuple[str, ...]]  # store → the names that no other store has; every store has an entry


def two_meanings(modules: Modules) -> list[Meanings]:
    """The public class names that mean more than one thing, as RULE says, in alphabetical order."""
    found: dict[str, list[Module]] = {}
    for module in modules.values():
        for each in classes(module):
            if not each.name.startswith("_"):
                found.setdefault(each.name, []).append(module)
    return [
        Meanings(name, tuple(sorted({each.name for each in defining})))
        for name, defining in sorted(found.items())
        if len({_role(each) for each in defining}) > 1
    ]


def stores(modules: Modules) -> list[str]:
    """The kinds of stores: the packages right below `stores`."""
    return sorted({place[0] for each in modules.values() if (place := in_store(each)) and place[1:] == ("__init__",)})


def in_store(module: Module) -> tuple[str, ...]:
    """Kind, folders and file of a module of a store, without `.py`; empty for any other module."""
    _, *inside = module.path.removesuffix(".py").split("/")
    return tuple(inside[1:]) if inside[:1] == ["stores"] and len(inside) > 2 else ()


def own_folder(modules: Modules) -> Shared:
    """The files and folders right in the folder of each store."""
    return _shared(modules, depth=1)


def every_folder(modules: Modules) -> Shared:
    """The files and folders at any depth, as paths from the store's folder, but for the operations.

    An operation is a store's own by nature: a folder `operations` counts, what is in it does not.
    """
    return _shared(modules, depth=None)


def _role(module: Module) -> tuple[str, ...]:
    place = in_store(module)
    return ("stores/*", *place[1:]) if place else (module.name,)


def _shared(modules: Modules, depth: int | None) -> Shared:
    kinds = stores(modules)
    having: dict[str, set[str]] = {}
    for place in filter(None, map(in_store, modules.values())):
        for name in _names(place[1:])[:depth]:
            having.setdefault(name, set()).add(place[0])
    in_all = tuple(sorted(name for name, each in having.items() if each == set(kinds)))
    in_one = {kind: tuple(sorted(name for name, each in having.items() if each == {kind})) for kind in kinds}
    return Shared(len(having), in_all, in_one)


def _names(place: Sequence[str]) -> list[str]:
    """The folders on the way to a file, with a slash at the end, and the file itself; `__init__` is its folder."""
    ways = ["/".join(place[:deep]) + "/" for deep in range(1, len(place))]
    if OPERATIONS in place[:-1]:
        return ways[: place.index(OPERATIONS) + 1]
    return ways if place[-1] == "__init__" else [*ways, "/".join(place)]

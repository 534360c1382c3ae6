"""Reads every revision of every store before anything else happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from provision.core.graph import Graph
from provision.errors import ProvisionError, for_each
from provision.model import Revision
from provision.ports import Store


def read(stores: Iterable[Store], many_heads: Iterable[str] = ()) -> Graph:
    """The graph of all files. Raises every ConfigError that any file has, together."""
    return Graph(read_all(stores), many_heads)


def read_all(stores: Iterable[Store]) -> list[Revision]:
    """Every file of the stores. Raises every ConfigError that any has, together."""
    return [each for found in for_each(stores, lambda store: store.revisions()) for each in found]


@runtime_checkable
class Outlined(Protocol):
    """A store that can say of its files what a run needs which finds them all applied."""

    def outline(self) -> Sequence[Revision] | None: ...


def outline(stores: Iterable[Store], many_heads: Iterable[str] = ()) -> tuple[Graph, frozenset[str]]:
    """The graph, and the stores of which only an outline was read. Raises every ConfigError as `read` does."""
    listed = list(stores)
    try:
        outlines = {each.name: each.outline() for each in listed if isinstance(each, Outlined)}
        found = [revision for each in listed for revision in (outlines.get(each.name) or each.revisions())]
        return Graph(found, many_heads), frozenset(name for name, each in outlines.items() if each)
    except ProvisionError:
        return read(listed, many_heads), frozenset()  # in the words of those who read all


def by_store(graph: Graph, stores: Iterable[Store]) -> Mapping[str, tuple[Revision, ...]]:
    return {store.name: graph.of(store.name) for store in stores}

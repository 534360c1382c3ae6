"""Reads every revision of every store before anything else happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provision.core.graph import Graph
from provision.errors import ProvisionError, Several, raise_all
from provision.model import Revision
from provision.ports import Store


def read(stores: Iterable[Store], many_heads: Iterable[str] = ()) -> Graph:
    """The graph of all files. Raises every ConfigError that any file has, together."""
    found: list[Revision] = []
    errors: list[ProvisionError] = []
    for store in stores:
        try:
            found.extend(store.revisions())
        except Several as several:
            errors.extend(several.errors)
        except ProvisionError as error:
            errors.append(error)
    raise_all(errors)
    return Graph(found, many_heads)


def by_store(graph: Graph, stores: Iterable[Store]) -> Mapping[str, tuple[Revision, ...]]:
    return {store.name: graph.of(store.name) for store in stores}

"""What the operations of ArangoDB documents leave on a server that began empty: collections, indexes and graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.documents.operation import Body, World

DOCUMENT, EDGE = 2, 3
KINDS = {DOCUMENT: "a document collection", EDGE: "an edge collection"}


@dataclass(slots=True)
class ArangoWorld(World):
    """By name (an index by that of its collection too): the body that made it and where that is written."""

    collections: dict[str, tuple[Body, str]] = field(default_factory=dict)
    indexes: dict[tuple[str, str], tuple[Body, str]] = field(default_factory=dict)
    graphs: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def type_of(self, collection: str) -> int | None:
        """DOCUMENT or EDGE; None for a collection that no document makes."""
        found = self.collections.get(collection)
        return None if found is None else int(found[0].get("type", DOCUMENT))

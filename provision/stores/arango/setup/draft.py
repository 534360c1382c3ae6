"""Writes the next document of an ArangoDB store, commented so that it can be filled without looking anything up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.documents import folder
from provision.model import StoreOptions

_EXAMPLE = """\
#  - create_collection: {name: orders}
#  - create_collection: {name: order_items, type: 3}  # 2 documents, 3 edges
#  - create_index: {collection: orders, name: by_customer, type: persistent, fields: [customer, placed_at]}
#  - create_graph:
#      name: shop
#      edgeDefinitions: [{collection: order_items, from: [orders], to: [orders]}]
"""


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
    return folder.write(options, message, requires, _EXAMPLE)

"""A new operation of the documents of Weaviate, Redis, ArangoDB or InfluxDB."""

from __future__ import annotations

from typing import NamedTuple

from docs.generate.tree import Name, Refused, Tree


class Place(NamedTuple):
    """How a store lists its operations, and where its page is; `row` goes before the text that matches `before`."""

    entry: str
    end: str
    page: str = ""
    before: str = ""
    row: str = ""


_LISTED = ("        {Class}(),\n", r"^    \)\n\}")
STORES = {
    "weaviate": Place(*_LISTED, "docs/stores.md", r"^\| `rest` ", "| `{snake}` | `class`, `description` |\n"),
    "arango": Place(*_LISTED, "docs/stores.md", r"^\| `aql` ", "| `{snake}` | `name`, `waitForSync` |\n"),
    "influx": Place(
        "    {Class},\n", r"^\)\n", "docs/stores.md", r"^\| `influxql`, `flux` ", "| `{snake}` | `name` |\n"
    ),
    # The published schema is the page of Redis' operations.
    "redis": Place(*_LISTED),
}


def write(tree: Tree, name: Name, store: str) -> None:
    """Raises Refused for a store without documents of operations, or a name that is taken."""
    if store not in STORES:
        raise Refused(f"{store!r} has no YAML files of operations: STORE is one of {', '.join(sorted(STORES))}")
    place, forms = STORES[store], name.forms
    folder = f"provision/stores/{store}/migrate/operations"
    tree.new(f"{folder}/{name.snake}.py", f"operation/{store}.txt", forms)
    tree.new(f"tests/stores/{store}/test_{name.snake}.py", f"operation/{store}_test.txt", forms)
    module = f"provision.stores.{store}.migrate.operations.{name.snake}"
    tree.add_import(f"{folder}/__init__.py", f"from {module} import {forms['Class']}")
    tree.insert(f"{folder}/__init__.py", place.end, place.entry.format(**forms))
    if place.page:
        tree.insert(place.page, place.before, place.row.format(**forms))
    tree.schema(store)

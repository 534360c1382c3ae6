"""The documents of a Redis store, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.documents import Document
from provision.documents.source import Documents
from provision.errors import ProvisionError
from provision.model import StoreOptions
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.patterns import families_overlap
from provision.stores.redis.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, _colliding)


def _colliding(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """Key families that could share a key, as the documents would leave them one after another."""
    there: dict[str, tuple[str, str]] = {}
    for document in found:
        for index, each in enumerate(document.up):
            if each.name == "drop_key_family":
                there.pop(each.body["name"], None)
            if each.name != "key_family":
                continue
            name, pattern = each.body["name"], each.body["pattern"]
            for other, (shown, theirs) in there.items():
                if other == name or families_overlap(pattern, theirs):
                    what = f"key family {name} ({pattern}) overlaps {other} ({theirs}) of {shown}"
                    yield document.wrong(
                        what, ("up", index, "key_family"), "change a segment so that no key is in both"
                    )
            there[name] = f"{document.shown}:{each.line}", pattern

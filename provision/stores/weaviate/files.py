"""The documents of a Weaviate store, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.documents import Document
from provision.documents.source import Documents
from provision.errors import ProvisionError
from provision.model import StoreOptions
from provision.stores.weaviate.migrate.catalogue import Catalogue
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, _contradicting)


def _contradicting(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """What the server would refuse or ignore, given what the documents before it made."""
    catalogue = Catalogue()
    for document in found:
        for index, each in enumerate(document.up):
            for problem in catalogue.take(each.name, each.body, f"{document.shown}:{each.line}"):
                key = (problem.key,) if isinstance(problem.key, str) else problem.key
                yield document.wrong(problem.what, ("up", index, each.name, *key), problem.fix)

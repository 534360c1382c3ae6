"""An event as an object of the ledger's collection, and that collection itself."""

from __future__ import annotations

import uuid
from typing import Any

from provision.model import Event
from provision.stores.weaviate import own_collections
from provision.stores.weaviate.names import Names

_TEXTS = ("project", "store", "revision", "kind", "checksum", "at", "actor", "detail")
_NUMBERS = ("token", "n", "duration_ms", "statement")
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:provision:weaviate:ledger")


def collection(names: Names) -> dict[str, Any]:
    """The class of the ledger. Nothing is searched for, so nothing is indexed."""
    description = f"provision's ledger of {names.store} in project {names.project}; append-only"
    return own_collections.collection(names.ledger, description, _TEXTS, _NUMBERS)


def key(names: Names, event: Event) -> str:
    """The object's id: the server refuses a second one, and so a second event with the same token and number."""
    return str(uuid.uuid5(_SPACE, "\n".join((names.project, names.store, str(event.token), str(event.n)))))


def object_of(names: Names, event: Event) -> dict[str, Any]:
    """The event as it is sent."""
    record = {**event.record(), "store": names.store}
    properties = {name: each for name, each in record.items() if each is not None}
    return {"class": names.ledger, "id": key(names, event), "properties": properties}

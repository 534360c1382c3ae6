"""An event as an object of the ledger's collection, and back; and that collection itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from provision.model import Event, EventKind
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
    """The event as it is sent; the time keeps its microseconds."""
    properties = {
        "project": event.project,
        "store": names.store,
        "revision": event.revision,
        "kind": event.kind.value,
        "checksum": event.checksum,
        "token": event.token,
        "n": event.n,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "duration_ms": event.duration_ms,
        "detail": event.detail_json(),
    }
    if event.statement is not None:
        properties["statement"] = event.statement
    return {"class": names.ledger, "id": key(names, event), "properties": properties}


def event_of(properties: Mapping[str, Any]) -> Event:
    """The event of an object. Raises KeyError, TypeError or ValueError for an object of something else."""
    statement = properties.get("statement")
    return Event(
        project=properties["project"],
        revision=properties["revision"],
        kind=EventKind(properties["kind"]),
        checksum=properties["checksum"],
        token=int(properties["token"]),
        n=int(properties["n"]),
        at=datetime.fromisoformat(properties["at"]),
        actor=properties["actor"],
        duration_ms=int(properties["duration_ms"]),
        statement=None if statement is None else int(statement),
        detail=json.loads(properties["detail"]),
    )

"""An event as a document of the ledger, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from provision.model import Event, EventKind

FENCE = "fence"


def fields_of(event: Event) -> dict[str, Any]:
    """What the document says of the event; the time keeps its microseconds."""
    return {
        "token": event.token,
        "n": event.n,
        "revision": event.revision,
        "kind": event.kind.value,
        "checksum": event.checksum,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "duration_ms": event.duration_ms,
        "statement": event.statement,
        "detail": dict(event.detail),
    }


def event_of(project: str, found: Mapping[str, Any]) -> Event:
    """The event of a document. Raises KeyError, TypeError or ValueError for a document of something else."""
    return Event(
        project=project,
        revision=found["revision"],
        kind=EventKind(found["kind"]),
        checksum=found["checksum"],
        token=int(found["token"]),
        n=int(found["n"]),
        at=datetime.fromisoformat(found["at"]),
        actor=found["actor"],
        duration_ms=int(found["duration_ms"]),
        statement=found["statement"],
        detail=dict(found["detail"]),
    )

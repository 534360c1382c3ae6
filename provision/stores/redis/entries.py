"""An event as the fields of a stream entry, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from provision.model import Event, EventKind


def fields_of(event: Event) -> list[str]:
    """Names and values in turn; the time keeps its microseconds."""
    fields = {
        "revision": event.revision,
        "kind": event.kind.value,
        "checksum": event.checksum,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "duration_ms": str(event.duration_ms),
        "detail": event.detail_json(),
    }
    if event.statement is not None:
        fields["statement"] = str(event.statement)
    return [text for pair in fields.items() for text in pair]


def event_of(project: str, entry_id: str, fields: Mapping[str, str]) -> Event:
    """The event of a stream entry. Raises KeyError or ValueError for an entry of something else."""
    token, n = entry_id.split("-")
    return Event(
        project=project,
        revision=fields["revision"],
        kind=EventKind(fields["kind"]),
        checksum=fields["checksum"],
        token=int(token),
        n=int(n),
        at=datetime.fromisoformat(fields["at"]),
        actor=fields["actor"],
        duration_ms=int(fields["duration_ms"]),
        statement=int(fields["statement"]) if "statement" in fields else None,
        detail=json.loads(fields["detail"]),
    )

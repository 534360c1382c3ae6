"""An event as the fields of a stream entry, and back. Token and n are the entry's id, the project is in the key."""

from __future__ import annotations

from collections.abc import Mapping

from provision.model import Event

_ELSEWHERE = ("project", "token", "n")


def fields_of(event: Event) -> list[str]:
    """Names and values in turn."""
    kept = {name: each for name, each in event.record().items() if name not in _ELSEWHERE and each is not None}
    return [str(text) for pair in kept.items() for text in pair]


def event_of(project: str, entry_id: str, fields: Mapping[str, str]) -> Event:
    """The event of a stream entry. Raises KeyError or ValueError for an entry of something else."""
    token, n = entry_id.split("-")
    return Event.of({**fields, "project": project, "token": token, "n": n})

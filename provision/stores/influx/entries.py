"""An event as a point, and back. Its time is `token x 10^6 + n` ns, so that no point is written over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provision.model import Event
from provision.stores.influx.server import LOG_MEASUREMENT

EVENTS_OF_A_TOKEN = 10**6
# A string of a field may be 64 KiB long; four bytes are the most that a character takes.
_PIECE = 16_000
# Of a record: in a tag, in the time of the point, in pieces.
_ELSEWHERE = ("project", "token", "n", "detail")
# What says only that lower tokens are over; no event.
FENCE = "fence"


def key(token: int, n: int) -> int:
    """The time of a point, in nanoseconds since 1970."""
    return token * EVENTS_OF_A_TOKEN + n


def line_of(event: Event, tags: Mapping[str, str]) -> str:
    """The event in line protocol."""
    detail = event.detail_json()
    fields = {
        **event.record(),
        **{f"detail_{start // _PIECE}": detail[start : start + _PIECE] for start in range(0, len(detail), _PIECE)},
    }
    kept = {name: value for name, value in fields.items() if name not in _ELSEWHERE and value is not None}
    return _line(tags, kept, key(event.token, event.n))


def fence_of(token: int, tags: Mapping[str, str]) -> str:
    """The point that stands before every event of a token."""
    return _line(tags, {"kind": FENCE}, key(token, 0))


def event_of(project: str, time: int, fields: Mapping[str, Any]) -> Event:
    """The event of a point. Raises KeyError, ValueError or TypeError for a point of something else."""
    token, n = divmod(time, EVENTS_OF_A_TOKEN)
    pieces = (fields.get(f"detail_{number}") for number in range(len(fields)))
    detail = "".join(piece for piece in pieces if piece)
    return Event.of({**fields, "project": project, "token": token, "n": n, "detail": detail})


def _line(tags: Mapping[str, str], fields: Mapping[str, str | int], time: int) -> str:
    tagged = "".join(f",{name}={_tag(value)}" for name, value in sorted(tags.items()))
    valued = ",".join(f"{name}={_field(value)}" for name, value in fields.items())
    return f"{LOG_MEASUREMENT}{tagged} {valued} {time}"


def _tag(value: str) -> str:
    for sign in (",", "=", " "):
        value = value.replace(sign, f"\\{sign}")
    return value


def _field(value: str | int) -> str:
    if isinstance(value, int):
        return f"{value}i"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""What the operations share: the parts of their schemas, and the words that they are sent in."""

from __future__ import annotations

from provision.documents.ensure import EnsuredKind
from provision.stores.influx.migrate.model import HOUR, shown
from provision.stores.influx.migrate.world import InfluxWorld
from provision.stores.influx.names import OWN
from provision.stores.influx.server import Rendering, Server
from provision.text.durations import DURATION

_CHARACTERS = r'[^/\\"\u0000-\u001f\u007f]+'
NAME = {
    "type": "string",
    "pattern": f"^(?!\\.{{1,2}}$)(?!_){_CHARACTERS}$",
    "description": 'a name without / \\ " and control characters that does not begin with _',
}
DATABASE = {
    "type": "string",
    "pattern": f"^(?!\\.{{1,2}}$)(?!_)(?!{OWN}){_CHARACTERS}$",
    "description": f'a name without / \\ " and control characters that does not begin with _ or {OWN}',
}
KEPT = {"type": "string", "pattern": rf"{DURATION}|^inf$", "description": "a duration such as 24h, 30d, 52w, or inf"}
SPAN = {"type": "string", "pattern": DURATION, "description": "a duration such as 30s, 10m, 1h, 7d"}
DEFAULT = {"type": "boolean", "description": "true: points whose writer names no tier go here"}
TEXT = {"type": "string", "minLength": 1, "description": "text"}


class InfluxOperation(EnsuredKind[Server, InfluxWorld]):
    """One operation of a document; `words` is how the server is told."""

    def __init__(self, words: Rendering) -> None:
        self.words = words


def too_short(key: str, duration: int) -> str:
    """What is wrong with a duration below the least that any version takes, in seconds; empty when nothing."""
    if not duration or duration >= HOUR:
        return ""
    return f"{key} is {shown(duration)}, the shortest that InfluxDB takes is 1h"

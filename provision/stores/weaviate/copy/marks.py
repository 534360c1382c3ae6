"""What is noted on a collection that another replaces: a line of JSON at the end of its own description.

It comes back with the collection in a restored backup, and goes with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provision.documents.refused import Refused
from provision.net.http import path_of
from provision.stores.weaviate.server import Class, Server

_LINE = re.compile(r"\n?\[provision (\{.*\})\]$")


class Stage(StrEnum):
    COPYING = "copying"  # the new collection is there, objects are on their way
    COPIED = "copied"  # every object was copied and read back
    KEPT = "kept"  # about to be replaced, or replaced, as the alias tells
    RETURNING = "returning"  # the new collection is about to be left for the old one, or was


@dataclass(frozen=True, slots=True)
class CopyMark:
    """`alias` moves to collection `into`. `seen`: what was written before that instant (milliseconds of the server's
    clock, with room for requests under way) is copied. `until` is when what was kept may go, in ISO 8601. `by` is the
    project and store whose run it is, where it was noted.
    """

    alias: str
    into: str
    stage: Stage
    seen: int
    until: str = ""
    objects: int = 0
    checksum: str = ""
    by: str = ""

    @property
    def due(self) -> datetime:
        return datetime.fromisoformat(self.until).astimezone(UTC)


def plain(found: Class) -> str:
    """The description of the collection as its author wrote it."""
    return _LINE.sub("", str(found.get("description") or ""))


def mark_of(found: Class) -> CopyMark | None:
    """The mark on a collection, or None."""
    line = _LINE.search(str(found.get("description") or ""))
    if line is None:
        return None
    try:
        values = json.loads(line[1])
        return CopyMark(**{**values, "stage": Stage(values["stage"])})
    except (KeyError, TypeError, ValueError):
        return None  # somebody else's words


def write(server: Server, name: str, mark: CopyMark | None) -> None:
    """Put the mark on the collection in place of the one it has; None takes it off.

    Its shards must take writes: on one that is read-only the server changes the schema and then answers 422. Raises
    Refused, http.Unanswered.
    """
    found = server.collection(name)
    if found is None:
        raise Refused(f"the collection {name} is gone")
    wanted = plain(found)
    if mark is not None:
        wanted += f"{chr(10) if wanted else ''}[provision {json.dumps(asdict(mark), ensure_ascii=False)}]"
    if wanted != (found.get("description") or ""):
        server.send("PUT", path_of("schema", name), {**found, "description": wanted})

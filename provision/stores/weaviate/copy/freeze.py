"""A collection that takes no writes: its shards are read-only, which takes milliseconds and ends with a restart."""

from __future__ import annotations

from provision.documents.refused import Refused
from provision.net.http import path_of
from provision.stores.weaviate.server import Server

READY, READ_ONLY = "READY", "READONLY"


def freeze(server: Server, name: str) -> None:
    """Refuse writes from now on; reads go on. Raises Refused, http.Unanswered."""
    _set(server, name, READ_ONLY)


def thaw(server: Server, name: str) -> None:
    """Take writes again. Raises Refused, http.Unanswered."""
    _set(server, name, READY)


def _set(server: Server, name: str, wanted: str) -> None:
    for shard, status in _shards(server, name).items():
        # A shard that is INDEXING takes writes too.
        if (status == READ_ONLY) != (wanted == READ_ONLY):
            server.send("PUT", path_of("schema", name, "shards", shard), {"status": wanted})
    for shard, status in _shards(server, name).items():
        if (status == READ_ONLY) != (wanted == READ_ONLY):
            raise Refused(f"shard {shard} of {name} stays {status}", "look at `GET /v1/schema/<collection>/shards`")


def _shards(server: Server, name: str) -> dict[str, str]:
    answer = server.ask("GET", path_of("schema", name, "shards"))
    return {each["name"]: each["status"] for each in (answer.body if answer else None) or ()}

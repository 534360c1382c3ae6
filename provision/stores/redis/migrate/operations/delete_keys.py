"""`delete_keys`: UNLINKs every key of a pattern, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, Earlier, mapping
from provision.model import Event
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import GLOB, Live
from provision.stores.redis.migrate.operations.loop import Loop
from provision.stores.redis.names import Keys


class DeleteKeys(Loop):
    name = "delete_keys"
    schema = mapping(["pattern"], pattern=GLOB)

    def summary(self, body: Body) -> str:
        return f"delete the keys {body['pattern']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("SCAN", "<cursor>", "MATCH", body["pattern"]), ("UNLINK", "<keys>")]

    def page(self, _body: Body, live: Live, keys: list[str], event: Event) -> None:
        live.fence.batch([("UNLINK", *keys)], event)

    def left(self, _body: Body, _live: Live, keys: list[str]) -> list[str]:
        return keys

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"every key {body['pattern']} is deleted"

"""`drop_stream`: deletes a stream with its entries and groups, and its place in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, Earlier, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import KEY, Live, RedisOperation
from provision.stores.redis.names import Keys


class DropStream(RedisOperation):
    name = "drop_stream"
    schema = mapping(["name"], name=KEY)

    def summary(self, body: Body) -> str:
        return f"delete stream {body['name']}"

    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        return [("UNLINK", body["name"]), ("HDEL", keys.streams, body["name"])]

    def probe(self, body: Body, live: Live) -> Fate:
        kind = live.server.call("TYPE", body["name"])
        if kind not in ("stream", "none"):
            return Fate(Outcome.DIFFERENT, f"{body['name']} is a {kind}, not a stream")
        if kind == "none" and live.catalogued(live.keys.streams, body["name"]) is None:
            return Fate(Outcome.DONE, f"{body['name']} is not there")
        return Fate(Outcome.NOT_DONE, f"{body['name']} is still there")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"the entries and groups of stream {body['name']} are lost"

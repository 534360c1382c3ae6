"""`drop_group`: removes a consumer group; the entries of the stream stay."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, Earlier, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import KEY, NAME, Live, RedisOperation
from provision.stores.redis.migrate.operations.create_group import group_exists
from provision.stores.redis.names import Keys


class DropGroup(RedisOperation):
    name = "drop_group"
    schema = mapping(["stream", "name"], stream=KEY, name=NAME)

    def summary(self, body: Body) -> str:
        return f"remove group {body['name']} from stream {body['stream']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("XGROUP", "DESTROY", body["stream"], body["name"])]

    def probe(self, body: Body, live: Live) -> Fate:
        kind = live.server.call("TYPE", body["stream"])
        if kind not in ("stream", "none"):
            return Fate(Outcome.DIFFERENT, f"{body['stream']} is a {kind}, not a stream")
        if kind == "stream" and group_exists(live, body["stream"], body["name"]):
            return Fate(Outcome.NOT_DONE, f"{body['stream']} still has group {body['name']}")
        return Fate(Outcome.DONE, f"{body['stream']} has no group {body['name']}")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"position and pending entries of group {body['name']} of {body['stream']} are lost"

"""`create_group`: a consumer group on a stream that is there."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import KEY, NAME, Live, RedisOperation
from provision.stores.redis.names import Keys

START = {
    "anyOf": [{"type": "string", "pattern": r"^(\$|[0-9]+-[0-9]+)$"}, {"type": "integer", "minimum": 0}],
    "description": "`$` (new entries only, the default), 0 (from the first entry) or an entry id",
}


class CreateGroup(RedisOperation):
    """A group of that name counts as done, wherever it has got to: its position is its readers'."""

    name = "create_group"
    schema = mapping(["stream", "name"], stream=KEY, name=NAME, start=START)

    def summary(self, body: Body) -> str:
        return f"group {body['name']} on stream {body['stream']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("XGROUP", "CREATE", body["stream"], body["name"], str(body.get("start", "$")))]

    def probe(self, body: Body, live: Live) -> Fate:
        kind = live.server.call("TYPE", body["stream"])
        if kind != "stream":
            found = "is not there" if kind == "none" else f"is a {kind}, not a stream"
            return Fate(Outcome.DIFFERENT, f"{body['stream']} {found}")
        if group_exists(live, body["stream"], body["name"]):
            return Fate(Outcome.DONE, f"{body['stream']} has group {body['name']}")
        return Fate(Outcome.NOT_DONE, f"{body['stream']} has no group {body['name']}")

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_group", {"stream": body["stream"], "name": body["name"]}


def group_exists(live: Live, stream: str, group: str) -> bool:
    """True when the stream has the group. The stream must be there."""
    groups = live.server.call("XINFO", "GROUPS", stream)
    return any(group == dict(zip(each[::2], each[1::2], strict=True))["name"] for each in groups)

"""`set_ttl`: gives an expiry to the keys of a pattern, to those without one or to all."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, Earlier, mapping
from provision.model import Event
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import GLOB, Live
from provision.stores.redis.migrate.operations.loop import Loop
from provision.stores.redis.names import Keys
from provision.text.durations import DURATION, seconds


class SetTtl(Loop):
    """With `only: all` a resumed loop begins the time of every key anew."""

    name = "set_ttl"
    schema = mapping(
        ["pattern", "ttl"],
        pattern=GLOB,
        ttl={
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": DURATION}],
            "description": "seconds, or a duration such as 15m, 2h or 1d",
        },
        only={"enum": ["missing", "all"]},
    )

    def summary(self, body: Body) -> str:
        whose = "every key" if _all(body) else "the keys without expiry of"
        return f"let {whose} {body['pattern']} expire after {seconds(body['ttl'])} s"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        scan: Command = ("SCAN", "<cursor>", "MATCH", body["pattern"])
        return [scan, ("EXPIRE", "<key>" if _all(body) else "<key without expiry>", seconds(body["ttl"]))]

    def page(self, body: Body, live: Live, keys: list[str], event: Event) -> None:
        ttl = seconds(body["ttl"])
        if _all(body):
            live.fence.batch([("EXPIRE", key, ttl) for key in keys], event)
        else:
            live.fence.expire_missing(keys, ttl, event)

    def left(self, body: Body, live: Live, keys: list[str]) -> list[str]:
        times = live.server.together(*[("PTTL", key) for key in keys])
        longest = seconds(body["ttl"]) * 1000 if _all(body) else None
        return [key for key, ms in zip(keys, times, strict=True) if ms == -1 or (longest and ms > longest)]

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"keys {body['pattern']} are deleted when {seconds(body['ttl'])} s have passed"


def _all(body: Body) -> bool:
    return bool(body.get("only", "missing") == "all")

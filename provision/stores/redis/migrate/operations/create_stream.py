"""`create_stream`: an empty stream with its first consumer group, and its length limit in the catalogue.

Redis keeps no limit with a stream: every XADD names its own. So the catalogue is where writers read `maxlen`
(`XADD key MAXLEN ~ <maxlen> …`). A stream that an application already made is taken over as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provision.documents.operation import Body, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import (
    FIELDS,
    KEY,
    NAME,
    TEXT,
    Live,
    RedisOperation,
    canonical,
    difference,
)
from provision.stores.redis.migrate.operations.create_group import START, group_exists
from provision.stores.redis.names import Keys

# Redis makes an empty stream only together with a group.
_PASSING_GROUP = "provision"


class CreateStream(RedisOperation):
    name = "create_stream"
    schema = mapping(
        ["name", "maxlen"],
        name=KEY,
        maxlen={
            "type": "integer",
            "minimum": 1,
            "description": "a whole number, about how many entries its writers keep (XADD … MAXLEN ~)",
        },
        group=NAME,
        start=START,
        fields=FIELDS,
        owner=TEXT,
        description=TEXT,
    )

    def summary(self, body: Body) -> str:
        group = f", group {body['group']}" if "group" in body else ""
        return f"stream {body['name']} (about {body['maxlen']} entries{group})"

    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        return [*_make(body), _catalogue(body, keys)]

    def missing(self, body: Body, live: Live) -> Sequence[Command]:
        there = live.server.call("EXISTS", body["name"])
        group = "group" in body and (not there or not group_exists(live, body["name"], body["group"]))
        return [*(_make(body) if group or not there else ()), _catalogue(body, live.keys)]

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["name"]
        kind = live.server.call("TYPE", name)
        if kind not in ("stream", "none"):
            return Fate(Outcome.DIFFERENT, f"{name} is a {kind}, not a stream")
        found = live.catalogued(live.keys.streams, name)
        differs = "" if found is None else difference(f"stream {name}", _entry(body), found)
        if differs:
            return Fate(Outcome.DIFFERENT, differs)
        if kind == "none" or found is None:
            return Fate(Outcome.NOT_DONE, f"{name} is not there" if kind == "none" else f"{name} is not catalogued")
        if "group" in body and not group_exists(live, name, body["group"]):
            return Fate(Outcome.NOT_DONE, f"{name} has no group {body['group']}")
        return Fate(Outcome.DONE, f"{name} is there")

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_stream", {"name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        """Another group; what the catalogue says of the stream stays as it was made."""
        was, wanted = before.get("group"), after.get("group")
        if {**before, "group": wanted} != {**after, "group": wanted}:
            return ()
        gone = (("drop_group", {"stream": after["name"], "name": was}),) if was else ()
        return (*gone, *((("create_group", {"stream": after["name"], "name": wanted, "start": 0}),) if wanted else ()))


def _make(body: Body) -> list[Command]:
    group, start = body.get("group", _PASSING_GROUP), str(body.get("start", "$"))
    made: list[Command] = [("XGROUP", "CREATE", body["name"], group, start, "MKSTREAM")]
    if "group" not in body:
        made.append(("XGROUP", "DESTROY", body["name"], group))
    return made


def _catalogue(body: Body, keys: Keys) -> Command:
    return "HSET", keys.streams, body["name"], canonical(_entry(body))


def _entry(body: Body) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ("name", "start")}

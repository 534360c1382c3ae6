"""`trim_stream`: removes the oldest entries of a stream, down to a length or up to an entry id, as XTRIM does.

A server drops whole nodes of a stream, and cuts one open where it must be exact. `approximate` does without the cut: it
leaves less than one node more than it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provision.documents.operation import Body, Earlier, Problem, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import KEY, Live, RedisOperation
from provision.stores.redis.migrate.operations.raw import words
from provision.stores.redis.migrate.operations.set_config import setting
from provision.stores.redis.names import Keys
from provision.stores.redis.patterns import overlap, renamed
from provision.stores.redis.server import Word

_HIGHEST = 2**64 - 1  # of either number of an entry id
_LONGEST = 2**63 - 1
# How many entries one XTRIM removes at most, so that the server is not held up by a long stream.
_PAGE = 10_000
# Redis' own entries of a node, where a server does not tell.
_NODE = 100
# The entries stay on the server.
_BEFORE = "return #redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', ARGV[2])"

_SCHEMA = {
    **mapping(
        ["name"],
        name=KEY,
        max_length={
            "type": "integer",
            "minimum": 0,
            "maximum": _LONGEST,
            "description": "a whole number, how many of the newest entries stay",
        },
        min_id={
            "anyOf": [
                {"type": "string", "pattern": r"^(?!0+(-0+)?$)[0-9]{1,20}(-[0-9]{1,20})?$"},
                {"type": "integer", "minimum": 1},
            ],
            "description": "an entry id above 0-0 (1767225600000-0, or the milliseconds alone): what is older goes",
        },
        approximate={
            "type": "boolean",
            "description": "true to remove whole nodes of the stream alone, as XTRIM does with ~; less than one "
            "node (stream-node-max-entries, 100 by default) too many stays",
        },
    ),
    "oneOf": [{"required": ["max_length"]}, {"required": ["min_id"]}],
    "description": "a mapping with `name` and one of `max_length` and `min_id`",
}


class TrimStream(RedisOperation):
    """Done when no entry is left to remove. A stream that is not there has none: its application makes it later."""

    name = "trim_stream"
    schema = _SCHEMA

    def summary(self, body: Body) -> str:
        nearly = "about " if _approximate(body) else ""
        if "max_length" in body:
            return f"trim stream {body['name']} to its newest {nearly}{body['max_length']} entries"
        return f"trim stream {body['name']} to the entries from {nearly}{_entry_id(body)} on"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        # Without LIMIT 0 a server stops at its own limit and answers as if all was done.
        return [_trim(body, "~", "LIMIT", 0) if _approximate(body) else _trim(body, "=")]

    def run(self, body: Body, live: Live, event: Event) -> None:
        """Whole nodes first, a page in a script; then what is left to do, together with the event.

        Killed in between it goes on. A page that was half full was the last, whatever is written meanwhile.
        """
        if self.probe(body, live).outcome is Outcome.NOT_DONE:
            while live.fence.batch([_trim(body, "~", "LIMIT", _PAGE)], event)[0] > _PAGE // 2:
                pass
        super().run(body, live, event)

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["name"]
        kind = live.server.call("TYPE", name)
        if kind == "none":
            return Fate(Outcome.DONE, f"{name} is not there")
        if kind != "stream":
            return Fate(Outcome.DIFFERENT, f"{name} is a {kind}, not a stream")
        left = _left(body, name, live)
        what = "has entries" if left else "has no entry"
        return Fate(Outcome.NOT_DONE if left else Outcome.DONE, f"{name} {what} to remove")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        if "max_length" in body:
            return f"the entries of stream {body['name']} but its newest {body['max_length']} are lost"
        return f"the entries of stream {body['name']} before {_entry_id(body)} are lost"

    def loses(self, body: Body, live: Live, planned: Earlier = ()) -> str | None:
        """A stream that the plan renames is looked at under its name of now.

        What the plan's own commands write to it cannot be known, and is nothing in a database that is empty.
        """
        names = {body["name"]}
        for each in reversed(planned):
            if each.name == "rename_keys":
                old, new = each.body["pattern"], each.body["to"]
                names |= {renamed(name, new, old) for name in names if overlap(name, new)}
            elif each.name == "redis" and any(names & set(words(command)) for command in each.body["commands"]):
                return None if live.empty else self.destructive(body)
        there = [name for name in names if live.server.call("TYPE", name) == "stream" and _left(body, name, live)]
        return self._counted(body, there[0], live) if there else None

    def _counted(self, body: Body, name: str, live: Live) -> str:
        if "max_length" not in body:
            return self.destructive(body)
        length, about = live.server.call("XLEN", name), "about " if _approximate(body) else ""
        return f"{self.destructive(body)}: {about}{length - body['max_length']} of {length}"

    def problems(self, body: Body) -> Iterable[Problem]:
        if "min_id" in body and any(number > _HIGHEST for number in _numbers(body)):
            yield Problem("min_id", f"{_entry_id(body)} is higher than any entry id", f"write numbers up to {_HIGHEST}")


def _approximate(body: Body) -> bool:
    return bool(body.get("approximate", False))


def _numbers(body: Body) -> tuple[int, int]:
    milliseconds, _, sequence = str(body["min_id"]).partition("-")
    return int(milliseconds), int(sequence or 0)


def _entry_id(body: Body) -> str:
    # Whole: the end of a range takes milliseconds alone for their last entry, XTRIM for their first.
    return "{}-{}".format(*_numbers(body))


def _trim(body: Body, how: str, *limit: Word) -> Command:
    sort, bound = ("MAXLEN", body["max_length"]) if "max_length" in body else ("MINID", _entry_id(body))
    return "XTRIM", body["name"], sort, how, bound, *limit


def _left(body: Body, name: str, live: Live) -> bool:
    """Whether the stream holds an entry that is to be removed: for an approximate one, a whole node of them."""
    enough = _node(live) if _approximate(body) else 1
    if "max_length" in body:
        return bool(live.server.call("XLEN", name) >= body["max_length"] + enough)
    return bool(live.server.script(_BEFORE, (name,), f"({_entry_id(body)}", enough) == enough)


def _node(live: Live) -> int:
    """How many entries a node holds at most. Not every server lets itself be asked."""
    import redis

    try:
        return int(setting(live, "stream-node-max-entries") or 0) or _NODE
    except redis.ResponseError:
        return _NODE

"""What every operation can say of itself, and how one is carried out: look, then act and record in one step."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provision.documents.operation import Body, Earlier, Stopped
from provision.documents.statements import ProbedKind
from provision.model import Event
from provision.model.statements import Outcome
from provision.stores.redis.fence import Command, Fence
from provision.stores.redis.migrate.world import RedisWorld
from provision.stores.redis.names import OWN, Keys
from provision.stores.redis.server import Server

# The parts that schemas of several operations share.
KEY = {"type": "string", "pattern": f"^(?!{OWN})[^*?\\[\\]\\s]+$", "description": "a key that is not provision's own"}
GLOB = {
    "type": "string",
    "pattern": f"^(?!{OWN})[^?\\[\\]\\\\\\s]+$",
    "description": "a key pattern with `*` for any text, not of provision's own keys",
}
NAME = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.-]*$", "description": "a name of letters, digits and _ . -"}
TEXT = {"type": "string", "minLength": 1, "description": "text"}
FIELDS = {
    "type": "object",
    "minProperties": 1,
    "description": "a mapping of field names to what they hold",
    "additionalProperties": TEXT,
}


@dataclass(frozen=True, slots=True)
class Live:
    """The server as an operation meets it."""

    server: Server
    keys: Keys

    @property
    def fence(self) -> Fence:
        return Fence(self.server, self.keys)

    @property
    def empty(self) -> bool:
        """True while the database holds no key but provision's own."""
        return all(key.startswith(OWN) for page in self.server.pages("*") for key in page)

    def catalogued(self, key: str, name: str) -> dict[str, Any] | None:
        """What a catalogue says of `name`, or None."""
        text = self.server.call("HGET", key, name)
        return None if text is None else json.loads(text)


class RedisOperation(ProbedKind[Live, RedisWorld]):
    """One operation of a document. It holds no state: a body in, commands or a fate out."""

    @abstractmethod
    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        """What it sends to a server that has none of it."""

    def missing(self, body: Body, live: Live) -> Sequence[Command]:
        """What is left to send; all of it unless an operation can be there in part."""
        return self.commands(body, live.keys)

    def loses(self, body: Body, live: Live, planned: Earlier = ()) -> str | None:
        """What of `destructive` would be lost if it was sent now, after the `planned` operations; None when nothing.

        Changes nothing. One that does not look at the server says what it can lose.
        """
        del live, planned
        return self.destructive(body)

    def run(self, body: Body, live: Live, event: Event) -> None:
        """Make the server so and append the event, in one script.

        Raises Stopped, fence.CommandRefused, LeaseLost.
        """
        fate = self.probe(body, live)
        if fate.outcome is Outcome.DIFFERENT:
            raise Stopped(fate.reason)
        live.fence.apply(() if fate.outcome is Outcome.DONE else self.missing(body, live), event)


def canonical(value: Mapping[str, Any]) -> str:
    """JSON that is equal for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def difference(subject: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first thing in which `found` is not `wanted`, as a sentence; empty when they are equal."""
    for key in sorted({*wanted, *found}):
        if wanted.get(key) != found.get(key):
            here, there = (json.dumps(side.get(key), ensure_ascii=False) for side in (found, wanted))
            return f"{subject} is there with {key} {here}, the file says {there}"
    return ""

"""`function`: loads a library of functions (Redis 7) and never replaces one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from provision.documents.operation import Body, Problem, Stopped, mapping, renewed
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import TEXT, Live, RedisOperation
from provision.stores.redis.names import Keys

LIBRARY = {"type": "string", "pattern": "^[A-Za-z0-9_]+$", "description": "a name of letters, digits and _"}
_SHEBANG = re.compile(r"#!\w+ +name=(\w+)")


class Function(RedisOperation):
    name = "function"
    schema = mapping(["library", "code"], library=LIBRARY, code=TEXT)

    def summary(self, body: Body) -> str:
        return f"load function library {body['library']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("FUNCTION", "LOAD", body["code"])]

    def probe(self, body: Body, live: Live) -> Fate:
        found = library_code(live, body["library"])
        if found is None:
            return Fate(Outcome.NOT_DONE, f"there is no library {body['library']}")
        if found != body["code"]:
            return Fate(Outcome.DIFFERENT, f"library {body['library']} is there with other code")
        return Fate(Outcome.DONE, f"library {body['library']} is there")

    def run(self, body: Body, live: Live, event: Event) -> None:
        """FUNCTION is not for scripts: the library first, then the event; the probe compares the code."""
        fate = self.probe(body, live)
        if fate.outcome is Outcome.DIFFERENT:
            raise Stopped(fate.reason)
        live.fence.transaction(() if fate.outcome is Outcome.DONE else self.commands(body, live.keys), event)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "delete_function", {"library": body["library"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return renewed(self, before, after)

    def problems(self, body: Body) -> Iterable[Problem]:
        match = _SHEBANG.match(body["code"])
        if match is None or match[1] != body["library"]:
            first = f"#!lua name={body['library']}"
            yield Problem("code", f"the code does not begin with {first}", f"make {first} its first line")


def library_code(live: Live, library: str) -> str | None:
    """The code of a library on the server, or None."""
    for each in live.server.call("FUNCTION", "LIST", "LIBRARYNAME", library, "WITHCODE"):
        about = dict(zip(each[::2], each[1::2], strict=True))
        return str(about["library_code"])
    return None

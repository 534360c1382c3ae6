"""`delete_function`: removes a library of functions (Redis 7)."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import Live, RedisOperation
from provision.stores.redis.migrate.operations.function import LIBRARY, library_code
from provision.stores.redis.names import Keys


class DeleteFunction(RedisOperation):
    name = "delete_function"
    schema = mapping(["library"], library=LIBRARY)

    def summary(self, body: Body) -> str:
        return f"remove function library {body['library']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("FUNCTION", "DELETE", body["library"])]

    def probe(self, body: Body, live: Live) -> Fate:
        if library_code(live, body["library"]) is None:
            return Fate(Outcome.DONE, f"there is no library {body['library']}")
        return Fate(Outcome.NOT_DONE, f"library {body['library']} is still there")

    def run(self, body: Body, live: Live, event: Event) -> None:
        done = self.probe(body, live).outcome is Outcome.DONE
        live.fence.transaction(() if done else self.commands(body, live.keys), event)

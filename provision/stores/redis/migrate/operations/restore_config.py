"""`restore_config`: puts back the value that `set_config` found."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.operation import Body, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import Live, RedisOperation
from provision.stores.redis.migrate.operations.set_config import PARAMETER
from provision.stores.redis.names import Keys


class RestoreConfig(RedisOperation):
    name = "restore_config"
    schema = mapping(["parameter"], parameter=PARAMETER)

    def summary(self, body: Body) -> str:
        return f"put {body['parameter']} back to what it was"

    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        kept = f"<{keys.config_before} {body['parameter']}>"
        return [("CONFIG", "SET", body["parameter"], kept), self._forget(body, keys)]

    def probe(self, body: Body, live: Live) -> Fate:
        kept = live.server.call("HGET", live.keys.config_before, body["parameter"])
        if kept is None:
            return Fate(Outcome.DONE, f"no earlier value of {body['parameter']} is kept")
        return Fate(Outcome.NOT_DONE, f"{body['parameter']} was {kept}")

    def run(self, body: Body, live: Live, event: Event) -> None:
        """The setting first; the kept value is forgotten together with the event."""
        kept = live.server.call("HGET", live.keys.config_before, body["parameter"])
        if kept is None:
            live.fence.apply((), event)
            return
        live.fence.transaction(
            [("CONFIG", "SET", body["parameter"], kept)], event, last=[self._forget(body, live.keys)]
        )

    def _forget(self, body: Body, keys: Keys) -> Command:
        return "HDEL", keys.config_before, body["parameter"]

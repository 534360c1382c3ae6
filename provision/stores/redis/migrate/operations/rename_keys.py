"""`rename_keys`: moves every key of a pattern to a new name and never over a key that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provision.documents.operation import Body, Problem, Stopped, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import GLOB, Live
from provision.stores.redis.migrate.operations.loop import Loop
from provision.stores.redis.names import Keys
from provision.stores.redis.patterns import overlap, renamed


class RenameKeys(Loop):
    name = "rename_keys"
    schema = mapping(["pattern", "to"], pattern=GLOB, to=GLOB)

    def summary(self, body: Body) -> str:
        return f"rename the keys {body['pattern']} to {body['to']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        scan: Command = ("SCAN", "<cursor>", "MATCH", body["pattern"])
        return [scan, ("RENAMENX", body["pattern"], body["to"])]

    def page(self, body: Body, live: Live, keys: list[str], event: Event) -> None:
        pairs = [(key, renamed(key, body["pattern"], body["to"])) for key in keys]
        there = live.server.together(*[("EXISTS", key) for key, _ in pairs])
        # SCAN may name a key twice or after it expired; RENAMENX would refuse the whole page for it.
        present = [pair for pair, found in zip(pairs, there, strict=True) if found]
        answers = live.fence.batch([("RENAMENX", *pair) for pair in present], event)
        taken = [pair for pair, moved in zip(present, answers, strict=True) if not moved]
        if taken:
            raise Stopped(_taken(*taken[0]))

    def left(self, _body: Body, _live: Live, keys: list[str]) -> list[str]:
        return keys

    def probe(self, body: Body, live: Live) -> Fate:
        """Looks at every key first, so that nothing is moved when one of them cannot be."""
        left = 0
        for keys in self.pages(body, live):
            left += len(keys)
            targets = [renamed(key, body["pattern"], body["to"]) for key in keys]
            there = live.server.together(*[("EXISTS", target) for target in targets])
            taken = [pair for pair, found in zip(zip(keys, targets, strict=True), there, strict=True) if found]
            if taken:
                return Fate(Outcome.DIFFERENT, _taken(*taken[0]))
        return Fate(Outcome.NOT_DONE, f"{left} keys are to be renamed") if left else Fate(Outcome.DONE, "none is left")

    def run(self, body: Body, live: Live, event: Event) -> None:
        fate = self.probe(body, live)
        if fate.outcome is Outcome.DIFFERENT:
            raise Stopped(fate.reason)
        super().run(body, live, event)

    def problems(self, body: Body) -> Iterable[Problem]:
        if body["pattern"].count("*") != body["to"].count("*"):
            yield Problem("to", f"{body['to']} has not as many * as {body['pattern']}", "write one for each")
        elif overlap(body["pattern"], body["to"]):
            yield Problem(
                "to",
                f"a key named like {body['to']} could match {body['pattern']} again",
                "rename by way of a name that the pattern does not match",
            )


def _taken(old: str, new: str) -> str:
    return f"{old} cannot become {new}, which is there already"

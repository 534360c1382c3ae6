"""Does things on the server only while no newer run has written to the ledger, and records them with the same step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from provision.errors import LeaseLost
from provision.model import Event
from provision.stores.redis import scripts
from provision.stores.redis.entries import fields_of
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server, Word, queue

Command = Sequence[Word]


class CommandRefused(Exception):
    """Raised when the server refused command `number` (1-based); those before it took effect."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


class Fence(NamedTuple):
    """The ledger of one store, as what stands between a late run and the keys."""

    server: Server
    keys: Keys

    def apply(self, commands: Iterable[Command], event: Event, begun: str = "") -> None:
        """Run the commands and append the event, all in one script.

        When one is refused, `begun` (if given) is the field under which those before it are counted.
        Raises CommandRefused, LeaseLost.
        """
        fields = fields_of(event)
        self._run(event, scripts.APPLY, begun, len(fields), *fields, *_flat(commands))

    def batch(self, commands: Iterable[Command], event: Event) -> list[Any]:
        """Run the commands in one script without the event; their answers. Raises CommandRefused, LeaseLost."""
        answers: list[Any] = self._run(event, scripts.APPLY, "", 0, *_flat(commands))
        return answers

    def expire_missing(self, names: Sequence[str], seconds: int, event: Event) -> None:
        """Give an expiry to those keys that have none. Raises LeaseLost."""
        self._run(event, scripts.EXPIRE_MISSING, seconds, *names)

    def transaction(self, commands: Sequence[Command], event: Event, last: Sequence[Command] = ()) -> None:
        """Run commands that no script may send, in MULTI; then, in a script, those of `last` and the event.

        A crash between the two is for the probe. Raises CommandRefused, LeaseLost.
        """
        import redis

        with self.server.client.pipeline(transaction=True) as pipe:
            pipe.watch(self.keys.ledger)
            self.batch((), event)
            pipe.multi()
            queue(pipe, commands)
            try:
                answers = pipe.execute(raise_on_error=False)
            except redis.WatchError:
                raise LeaseLost(self.newest()) from None
        for number, answer in enumerate(answers, 1):
            if isinstance(answer, Exception):
                raise CommandRefused(number, str(answer))
        self.apply(last, event)

    def newest(self) -> str:
        """Who wrote the newest event, for people."""
        entries = self.server.call("XREVRANGE", self.keys.ledger, "+", "-", "COUNT", 1)
        if not entries:
            return "a newer run"
        entry_id, fields = entries[0]
        return f"{fields.get('actor', 'another run')} (ledger entry {entry_id})"

    def _run(self, event: Event, script: str, *words: Word) -> Any:
        code, *answer = self.server.script(script, (self.keys.ledger, self.keys.begun), event.token, event.n, *words)
        if code == -1:
            raise LeaseLost(self.newest())
        if code > 0:
            raise CommandRefused(code, answer[0])
        return answer[0] if answer else []


def _flat(commands: Iterable[Command]) -> list[Word]:
    return [word for command in commands for word in (len(command), *command)]

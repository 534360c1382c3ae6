"""Carries out one operation of a document at a time and can tell what became of one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence

from provision.documents import Operation
from provision.documents.operation import AS_WRITTEN, Stopped, operation_of
from provision.documents.source import Documents
from provision.model import Event, Fate, Mark, Outcome, Statement, Step
from provision.stores.redis.fence import Command, CommandRefused, Fence
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.migrate.operations.base import Live
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server


class RedisStatements:
    def __init__(self, keys: Keys, server: Callable[[], Server], documents: Documents) -> None:
        self._keys = keys
        self._server = server
        self._documents = documents

    def of(self, step: Step) -> Sequence[Statement]:
        """One statement an operation. Raises ConfigError (irreversible, no-such-revision)."""
        return [self._statement(each, loss) for each, loss in self._documents.operations(step)]

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None] | None = None,
    ) -> None:
        """Carry out the operation and append the event, in one script where Redis allows it.

        Raises StatementFailed, LeaseLost, FailedError (server-lost: what was in flight is for the probe).
        """
        del upcoming, check_lease  # the server itself refuses a late run
        operation = operation_of(statement)
        live = Live(self._server(), self._keys)
        with live.server.writing():
            try:
                OPERATIONS[operation.name].run(operation.body, live, event)
            except Stopped as stopped:
                raise self._documents.failed(str(stopped), statement, mark, AS_WRITTEN) from None
            except CommandRefused as refused:
                what = f"{statement.summary}: {refused.reason} (command {refused.number})"
                raise self._documents.failed(what, statement, mark, "") from None

    def probe(self, statement: Statement, event: Event) -> Fate:
        """Whether the operation took effect. Changes nothing. Raises UnreachableError, ConfigError."""
        del event
        operation = operation_of(statement)
        live = Live(self._server(), self._keys)
        with live.server.reading():
            try:
                return OPERATIONS[operation.name].probe(operation.body, live)
            except Stopped as stopped:
                return Fate(Outcome.CANNOT_TELL, str(stopped))

    def record(self, event: Event, upcoming: Statement | None) -> None:
        """Append the event alone. Raises LeaseLost, FailedError."""
        del upcoming
        with self._server().writing():
            Fence(self._server(), self._keys).apply((), event)

    def _statement(self, operation: Operation, loss: str | None) -> Statement:
        kind = OPERATIONS[operation.name]
        return Statement(
            text="\n".join(_shown(command) for command in kind.commands(operation.body, self._keys)),
            summary=kind.summary(operation.body),
            sent=operation,
            destructive=loss,
        )


def _shown(command: Command) -> str:
    """A command as redis-cli takes it."""
    return " ".join(_word(str(word)) for word in command)


def _word(word: str) -> str:
    plain = word and shlex.quote(word) == word
    return word if plain or word in ("$", "*") else json.dumps(word, ensure_ascii=False)

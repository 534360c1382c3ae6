"""Carries out one operation of a document at a time and can tell what became of one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from provision.documents import Operation
from provision.documents.operation import AS_WRITTEN, Stopped, operation_of
from provision.documents.source import Documents
from provision.documents.statements import DocumentStatements
from provision.model import Event, Step
from provision.model.statements import Mark, Statement
from provision.stores.redis.fence import Command, CommandRefused, Fence
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.migrate.operations.base import Live
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server


class RedisStatements(DocumentStatements[Live]):
    def __init__(self, keys: Keys, server: Callable[[], Server], documents: Documents) -> None:
        super().__init__(documents, OPERATIONS, lambda _: Live(server(), keys), server)
        self._keys, self._server = keys, server
        self._began: tuple[int, bool] | None = None  # token of the run, and whether it found an empty database

    def text(self, operation: Operation) -> str:
        commands = OPERATIONS[operation.name].commands(operation.body, self._keys)
        return "\n".join(_shown(command) for command in commands)

    def remember(self, token: int) -> None:
        if self._began is None or self._began[0] != token:
            with self._server().reading():
                self._began = token, self._live(None).empty

    def loses(self, statement: Statement) -> str | None:
        if statement.destructive is None or (self._began is not None and self._began[1]):
            return None
        operation = operation_of(statement)
        with self._server().reading():
            return OPERATIONS[operation.name].loses(operation.body, self._live(None))

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        """As `provision.ports.Foretelling` says."""
        found: dict[str, list[str]] = {}
        planned: list[Operation] = []
        with self._server().reading():
            for step in steps:
                found[step.id] = []
                for operation, loss in self._documents.operations(step):
                    kind = OPERATIONS[operation.name]
                    lost = kind.loses(operation.body, self._live(None), planned) if loss else None
                    found[step.id] += [lost] if lost else []
                    planned.append(operation)
        return found

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
        with self._server().writing():
            try:
                OPERATIONS[operation.name].run(operation.body, self._live(mark), event)
            except Stopped as stopped:
                raise self._documents.failed(str(stopped), statement, mark, AS_WRITTEN) from None
            except CommandRefused as refused:
                what = f"{statement.summary}: {refused.reason} (command {refused.number})"
                raise self._documents.failed(what, statement, mark, "") from None

    def record(self, event: Event, upcoming: Statement | None) -> None:
        """Append the event alone. Raises LeaseLost, FailedError."""
        del upcoming
        with self._server().writing():
            Fence(self._server(), self._keys).apply((), event)


def _shown(command: Command) -> str:
    """A command as redis-cli takes it."""
    return " ".join(_word(str(word)) for word in command)


def _word(word: str) -> str:
    plain = word and shlex.quote(word) == word
    return word if plain or word in ("$", "*") else json.dumps(word, ensure_ascii=False)

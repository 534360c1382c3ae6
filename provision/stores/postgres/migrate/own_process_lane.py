"""What the process of a lane does: Alembic's loop; questions to the run go to the process that started this one."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from provision import outlet
from provision.errors import FailedError, ProvisionError
from provision.model import Event, EventKind, Step, StoreOptions
from provision.model.statements import Mark
from provision.stores.postgres.ledger import PostgresLedger
from provision.stores.postgres.migrate.alembic_lane import AlembicLane
from provision.stores.postgres.migrate.losses.targets import DatabaseContent
from provision.stores.postgres.migrate.repeatable import PostgresRepeatables, revisions
from provision.stores.postgres.migrate.shared_clock import Until
from provision.stores.postgres.server import open_store
from provision.text.raised import raised


@contextmanager
def ends_with_run() -> Iterator[None]:
    """End this process, without a word, once the one that started it is gone: a killed run has nobody left to tell."""
    try:
        yield
    except (EOFError, ConnectionError):
        os._exit(1)


def run(connection: Connection, until: int) -> int:
    """Serve one lane; the exit code."""
    out = outlet.text(1, sys.stdout)
    sys.stdout, sys.stderr = out, outlet.text(2, sys.stderr)
    with ends_with_run():
        options, url, token, before = connection.recv()
    run = _Run(connection, Until(until), options, token)
    error: ProvisionError | None = None
    try:
        _lane(options, url, before).run(run.steps(), run)
    except ProvisionError as said:
        error = said
    except BaseException as said:  # the process's last line: nothing may end a lane unsaid
        fix = "run `provision status`; the ledger says what was done"
        error = FailedError("unexpected", raised(said), where=run.where, fix=fix)
    for stream in (out, sys.stderr):
        if stream is not None and not stream.closed:  # by a revision
            stream.flush()  # the process is ended once it has said its last word
    with ends_with_run():
        connection.send(("ended", (error,)))
    return 0


def _lane(options: StoreOptions, url: str, before: DatabaseContent) -> AlembicLane:
    connection = open_store(options, url)
    ledger = PostgresLedger(connection, options.project, options.name)
    repeatables = PostgresRepeatables(options, connection, ledger, revisions(options))
    return AlembicLane(options, url, connection, ledger, repeatables, before)


class _Run:
    """`provision.ports.Journal`, kept by the other process."""

    alone = True

    def __init__(self, connection: Connection, until: Until, options: StoreOptions, token: int) -> None:
        self._connection, self._until, self._options, self.token = connection, until, options, token
        self._turn = threading.Lock()  # notes come from a thread that watches who blocks a statement
        self._begins: dict[str, int | None] = {}
        self._losing: list[str] = []  # of the step in hand and the one that follows
        self._following: Step | None = None
        self.where = ""
        # As they are now: env.py may put others in their place.
        self._now = time.monotonic

    def steps(self) -> Iterator[Step]:
        while (pulled := self._ask("pull")) is not None:
            step, self._begins[step.id], self._following, self._losing = pulled
            self.where = step.revision.path
            yield step

    def event(self, step: Step, kind: EventKind, **fields: object) -> Event:
        made: Event = self._ask("event", step.id, kind, fields)
        return made

    def mark(self, step: Step, statement: int | None = None) -> Mark:
        return Mark(self._options.project, self.token, step.id, statement)

    @property
    def until(self) -> float:
        return self._until.get()

    def check(self) -> None:
        if self._now() >= self._until.get():
            self._ask("check")

    check_lease = check

    def begin_at(self, step: Step) -> int | None:
        return self._begins.get(step.id)

    def may_lose(self, step: Step) -> bool:
        return step.id in self._losing

    def follow(self) -> Step | None:
        return self._following

    def note(self, text: str, *, live: bool = False) -> None:
        self._ask("note", text, live)

    def _ask(self, name: str, *arguments: object) -> Any:
        """The answer of the other process. Raises what it raised there."""
        with self._turn, ends_with_run():
            self._connection.send((name, arguments))
            kind, answer = self._connection.recv()
        if kind == "raise":
            raise answer
        return answer

"""A PostgreSQL store's lane: Alembic in this process where nobody else uses it there, else in a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from provision.model import State, Step, StoreOptions
from provision.model.statements import Fate
from provision.ports import Journal
from provision.stores.postgres.ledger import PostgresLedger
from provision.stores.postgres.migrate.repeatable import PostgresRepeatables
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.server import Connection

if TYPE_CHECKING:
    from provision.stores.postgres.migrate.losses.targets import DatabaseContent

# `alembic.context` and `alembic.op` are one for the whole process: two lanes there would write where the other one is.
ALEMBIC = threading.Lock()


class PostgresLane:
    """`provision.ports.Lane`. Alembic, and what else only a run needs, is imported where it runs."""

    def __init__(
        self,
        options: StoreOptions,
        url: str,
        connection: Connection,
        ledger: PostgresLedger,
        repeatables: PostgresRepeatables,
    ) -> None:
        self._options, self._url, self._connection = options, url, connection
        self._ledger, self._repeatables = ledger, repeatables
        self._before: tuple[int, DatabaseContent] | None = None

    def run(self, steps: Iterator[Step], journal: Journal) -> None:
        from provision.stores.postgres.migrate import patching

        if not journal.alone or patching.possible(self._options) or not ALEMBIC.acquire(blocking=False):
            self._run_apart(steps, journal)
            return
        try:
            self._run_here(steps, journal)
        finally:
            ALEMBIC.release()

    def probe(self, _step: Step, state: State) -> Fate:
        from provision.stores.postgres.migrate import probe

        return probe.probe(self._connection, state)

    def _run_here(self, steps: Iterator[Step], journal: Journal) -> None:
        from provision.stores.postgres.migrate.alembic_lane import AlembicLane

        before = self._content(journal.token)
        lane = AlembicLane(self._options, self._url, self._connection, self._ledger, self._repeatables, before)
        lane.run(steps, journal)

    def _run_apart(self, steps: Iterator[Step], journal: Journal) -> None:
        from provision.stores.postgres.migrate import own_process

        own_process.run(self._options, self._url, steps, journal, self._content(journal.token))

    def _content(self, token: int) -> DatabaseContent:
        """What was there when the run began, which may come here more than once: what it made itself is no loss."""
        from provision.stores.postgres.migrate.losses.targets import found

        if self._before is None or self._before[0] != token:
            self._before = token, found(self._connection, version_table(self._options))
        return self._before[1]

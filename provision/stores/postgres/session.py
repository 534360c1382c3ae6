"""The connection env.py chose, as a lane uses it: marks, time limits, a boundary before each autocommit statement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event as hooks

from provision.errors import ConfigError, LeaseLost
from provision.model import Kind, Step, StoreOptions
from provision.ports import Journal
from provision.stores.postgres import direct
from provision.stores.postgres.blockers import watched
from provision.stores.postgres.concurrently import drop_invalid
from provision.stores.postgres.connection import Connection
from provision.stores.postgres.guard import Guard, Rows
from provision.stores.postgres.guarded_cursor import arm
from provision.stores.postgres.ledger import PostgresLedger, values
from provision.stores.postgres.peer import stands_on
from provision.stores.postgres.version_table import DEFAULTS, NAMES, version_table

_WHICH = """
select current_database()::text, (select oid::int8 from pg_database where datname = current_database()),
       pg_postmaster_start_time()::text
"""


class Session:
    """A lane's view of the connection, over all Alembic runs of the lane.

    `external`: env.py hands over a connection that is already in a transaction, so that each run carries one step.
    Of the step in hand: `sent` counts its statements, `autocommitted` those outside a transaction; `committed` says
    that something of it cannot be rolled back any more.
    """

    def __init__(
        self, own: Connection, ledger: PostgresLedger, options: StoreOptions, journal: Journal, guard: Guard
    ) -> None:
        self.guard, self._guarded, self._asks = guard, False, False
        self._own, self._ledger, self._journal = own, ledger, journal
        self._role = str(options.extra.get("role", ""))
        self._table = version_table(options)
        self._expected = tuple(own.execute(_WHICH).fetchone() or ())
        self._connection: Any = None
        self._step: Step | None = None
        self._began = 0.0
        self._autocommit = False
        self.external = False
        self._reset()

    def configured(self, connection: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Look at what env.py chose before Alembic does. Raises ConfigError (wrong-database, wrong-version-table)."""
        self._same_table(given)
        options = {"transaction_per_migration": True}
        if connection is None:
            return options
        in_transaction = connection.in_transaction()
        if in_transaction and not self.external:
            self._journal.note("env.py hands over a connection in a transaction: one Alembic run for each revision")
        self.external = in_transaction
        self._same_database(connection)
        if self._role:
            connection.exec_driver_sql('set role "{}"'.format(self._role.replace('"', '""')))
        if not in_transaction:
            connection.commit()
        return options

    def attach(self, context: Any) -> None:
        """Watch every statement of this run's connection."""
        self._connection = context.connection
        self._guarded = arm(context.connection, self.guard, lambda: self._autocommit)
        hooks.listen(context.connection, "before_cursor_execute", self._before, retval=True)
        block = context.autocommit_block

        @contextmanager
        def journaled() -> Iterator[None]:
            self._boundary_before_commit()
            with watched(self._own, self._journal), block():
                self._autocommit = True
                try:
                    yield
                finally:
                    self._autocommit = False

        context.autocommit_block = journaled

    def leave_transaction(self) -> None:
        """End the transaction that reading the version table began, so that none is open while the lane waits."""
        if not self.external and self._connection.in_transaction():
            self._connection.commit()

    def begin(self, step: Step, lock_timeout: str) -> None:
        """Start a step: limit the wait for locks in its transaction, and mark what it sends."""
        self._reset()
        direct.begin(self._connection, lock_timeout, str(self._journal.mark(step)))
        self._step, self._began = step, time.monotonic()
        self.guard.begin(step, closed=not self._journal.may_lose(step))

    def end(self, kind: Kind, store: str) -> None:
        """Append the ledger entry in the step's own transaction.

        Raises LeaseLost when a newer token has raised the fence, and RefusedError when the step lost what it may not:
        the transaction rolls back.
        """
        self.guard.before_commit(self._ask)
        self.guard.end()
        step, self._step = self._step, None
        assert step is not None
        elapsed = round((time.monotonic() - self._began) * 1000)
        event = self._journal.event(step, kind, duration_ms=elapsed, parents=list(stands_on(step.revision)))
        if direct.append(self._connection, values(event, store)) == 0:
            raise LeaseLost(f"a run with a token above {event.token}")

    def _reset(self) -> None:
        self._step = None
        self.sent = self.autocommitted = 0
        self.committed = False
        self.text = ""

    def _same_database(self, connection: Any) -> None:
        found = tuple(connection.exec_driver_sql(_WHICH).fetchone())
        if found == self._expected:
            return
        other = f"database {found[0]!r}" if found[0] != self._expected[0] else "another server"
        raise ConfigError(
            "wrong-database",
            f"env.py connects to {other}, not to the configured {self._expected[0]!r}",
            where="env.py",
            fix='let env.py take config.get_main_option("sqlalchemy.url")',
        )

    def _same_table(self, given: Mapping[str, Any]) -> None:
        """What provision reads as applied must be what Alembic writes."""
        for name in NAMES:
            ours, theirs = self._table.get(name), given.get(name)
            if (ours or DEFAULTS[name]) != (theirs or DEFAULTS[name]):
                raise ConfigError(
                    "wrong-version-table",
                    f"env.py sets {name} to {theirs!r}, provision was told {ours!r}",
                    where="env.py",
                    fix=f"pass {name}={ours!r} to context.configure, or correct provision.toml",
                )

    def _boundary_before_commit(self) -> None:
        """Entering the block commits what the step did so far: leave a trace of that first."""
        self.guard.before_commit(self._ask)
        if self._step is not None and self.sent and not self.committed:
            self._ledger.append(
                self._journal.event(self._step, Kind.STARTED, statement=1, text="", preceding=self.sent)
            )
            self.committed = True

    def _ask(self, question: str) -> Rows:
        """The rows of a query of our own on env.py's connection."""
        self._asks = True
        try:
            rows: Rows = self._connection.exec_driver_sql(question).fetchall()
            return rows
        finally:
            self._asks = False

    def _before(
        self, _conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        self._journal.check()
        if self._step is None or self._asks:
            return statement, parameters
        if not self._guarded:
            self.guard.check(statement, self._ask, before=self._autocommit)
        if not self._autocommit:
            self.sent += 1
            return statement, parameters
        return self._before_autocommit(self._step, statement, parameters)

    def _before_autocommit(self, step: Step, statement: str, parameters: Any) -> tuple[str, Any]:
        self.autocommitted += 1
        first = self._journal.begin_at(step)
        self.committed, self.text = True, statement
        if first is not None and self.autocommitted < first:
            return "select 1", type(parameters)()  # an earlier attempt is known to have done it
        if self.autocommitted == first:
            drop_invalid(self._own, statement)
        kind = Kind.STARTED if self.autocommitted == 1 else Kind.AT
        fields = {"statement": self.autocommitted, "text": statement, "preceding": self.sent}
        self._ledger.append(self._journal.event(step, kind, **fields))
        return statement, parameters

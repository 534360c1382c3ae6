"""The connection env.py chose, as a lane uses it: marks, time limits, a boundary before each autocommit statement."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event as hooks
from sqlalchemy.exc import DBAPIError

from provision.errors import RolledBackInside
from provision.model import Event, EventKind, Step, StoreOptions
from provision.ports import Journal
from provision.stores.postgres.ledger import PostgresLedger, values
from provision.stores.postgres.migrate import same, wire
from provision.stores.postgres.migrate.losses.cursor import arm
from provision.stores.postgres.migrate.losses.guard import PostgresLossGuard
from provision.stores.postgres.migrate.ours import OurStatements
from provision.stores.postgres.migrate.patience import Limits, milliseconds
from provision.stores.postgres.migrate.probe import drop_invalid
from provision.stores.postgres.migrate.sql_tokens import several
from provision.stores.postgres.migrate.trail import Trail
from provision.stores.postgres.migrate.transaction_ends import ROLLBACK, ends_transaction
from provision.stores.postgres.migrate.transaction_status import began, fate
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.migrate.waits import LockWaits
from provision.stores.postgres.migrate.watch import StatementWatch
from provision.stores.postgres.peer import stands_on
from provision.stores.postgres.server import Connection

_OF_DIALECT = re.compile(r"\s*(?:show|set)\b", re.IGNORECASE)  # SQLAlchemy's own, when it changes the isolation level
_READS = re.compile(r"\s*(?:select|show|explain|begin|start|commit|rollback|set)\b", re.IGNORECASE)


class Session:
    """A lane's view of the connection, over all Alembic runs of the lane.

    `external`: env.py hands over a connection that is already in a transaction, so that each run carries one step.
    Of the step in hand: `sent` counts its statements inside transactions, `trail` numbers those with an effect;
    `committed` says that something of it cannot be rolled back any more, `transaction` is the one it is in, `written`
    its ledger entry. `goes_on`: id → the statement that a further attempt of this run begins with.
    """

    def __init__(
        self,
        own: Connection,
        ledger: PostgresLedger,
        options: StoreOptions,
        journal: Journal,
        guard: PostgresLossGuard,
        watch: StatementWatch,
        following: Callable[[], tuple[Step, Limits] | None],
    ) -> None:
        self.guard, self._guarded, self._passed, self.following = guard, False, False, following
        self._own, self._ledger, self._journal = own, ledger, journal
        self._role = str(options.extra.get("role", ""))
        self._table = version_table(options)
        self._expected = tuple(map(str, own.execute(f"select {wire.WHICH}").fetchone() or ()))
        self._ours = OurStatements()
        self._step: Step | None = None
        self._began = 0.0
        self._ahead: Step | None = None
        self._beginnings = wire.Beginnings()
        self.waits = LockWaits(own, watch, self._ours)
        self._autocommit = self.external = False
        self.transaction: wire.Transaction | None = None
        self.written: Event | None = None
        self.trail: Trail
        self._store = options.name
        self.goes_on: dict[str, int] = {}
        self._reset()

    @property
    def _connection(self) -> Any:
        return self._ours.connection

    def configured(self, connection: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Look at what env.py chose before Alembic does. Raises ConfigError (wrong-database, wrong-version-table)."""
        same.table(self._table, given)
        if connection is not None:
            external = same.handed_over(connection, self._expected, self._role)
            if external and not self.external:
                self._journal.note("env.py hands over a connection in a transaction: one Alembic run for each revision")
            self.external = external
        return {"transaction_per_migration": True}

    def attach(self, context: Any) -> None:
        """Watch every statement of this run's connection."""
        self._ours.connection = context.connection
        wire.keep_alive(context.connection)
        self._guarded = arm(context.connection, self)
        hooks.listen(context.connection, "before_cursor_execute", self._before, retval=True)
        hooks.listen(context.connection, "after_cursor_execute", self._after)
        hooks.listen(context.connection, "commit", lambda _: self._commits())
        block = context.autocommit_block

        @contextmanager
        def journaled() -> Iterator[None]:
            self._before_commit()
            with block():
                self._autocommit = True
                try:
                    yield
                finally:
                    self._autocommit = False
                    if not self._connection.invalidated:
                        self.waits.end_of_block()
                    self._note_answered()

        context.autocommit_block = journaled

    def autocommits(self) -> bool:
        """See Watcher."""
        return self._autocommit

    def sends(self, text: str) -> None:
        """See Watcher: a text that did not come by way of SQLAlchemy leaves the same traces as one that did."""
        passed, self._passed = self._passed, False
        if passed or self._step is None or self._ours.busy or _OF_DIALECT.match(text):
            return
        self._journal.check()
        if self._autocommit or not self.trail.passes(text):
            self.trail.complete = False  # nothing can be sent in its place
        if self._sent(text, ())[0] != text:
            raise self.trail.cannot_repeat()

    def sends_elsewhere(self, text: str) -> None:
        """See Watcher: what goes by another connection is not rolled back with the step."""
        if self._step is None or _READS.match(text):
            return
        self._journal.check()
        self.sent += 1
        self.trail.complete = False
        self._leave_trace()

    def commit(self, driver: Any) -> None:
        """See Watcher: with the beginning of the step that follows, whose file is read meanwhile."""
        self._commits()
        following = self.following() if self.written is not None else None
        ahead = None if following is None else (self._given(*following), following[0].read_ahead)
        self._beginnings.commit(driver, ahead)

    def _commits(self) -> None:
        if self._step is not None:
            self._before_commit()

    def leave_transaction(self) -> None:
        """End the transaction that reading the version table began, so that none is open while the lane waits."""
        if not self.external and self._connection.in_transaction():
            self._connection.commit()

    def asks_more(self) -> bool:
        """Whether the next transaction can look, as it begins, at what the last one left."""
        return not self.external and self._beginnings.asks_more(self._connection)

    def begin_ahead(self, step: Step, limits: Limits, more: str) -> tuple[str, ...]:
        """Start the next step, and ask for `more` with that (see Ahead): what it gave. Its `begin` does nothing more.

        Raises psycopg.Error, the transaction rolled back: the step can be begun as any other.
        """
        given = self._given(step, limits)
        self._reset()
        self._start(step, limits, self._beginnings.ahead(self._connection, more, given))
        self._ahead = step
        assert self.transaction is not None
        return self.transaction.more

    def _given(self, step: Step, limits: Limits) -> wire.Given:
        """What the beginning of a step is asked with: its own limit and mark, and the entry of the last one."""
        assert self.written is not None
        return milliseconds(limits.lock), str(self._journal.mark(step)), (self.written.token, self.written.n)

    def begin(self, step: Step, limits: Limits) -> None:
        """Start a step: limit the wait for locks in its transaction, and mark what it sends.

        Raises ConfigError (wrong-database) when the connection is not to the configured database any more.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.id != step.id:
            self._reset()
            limit, mark = milliseconds(limits.lock), str(self._journal.mark(step))
            self._start(step, limits, wire.begin(self._connection, limit, mark))

    def end(self, kind: EventKind, detail: Mapping[str, object]) -> None:
        """Append the ledger entry in the step's own transaction.

        Raises LeaseLost when a newer token has raised the fence, RolledBackInside, and RefusedError when the step lost
        what it may not: the transaction rolls back.
        """
        self.guard.before_commit(self._ours.ask)
        self.guard.end()
        step, self._step = self._step, None
        assert step is not None
        assert self.transaction is not None
        elapsed = round((time.monotonic() - self._began) * 1000)
        parents = list(stands_on(step.revision))
        event = self._journal.event(step, kind, duration_ms=elapsed, parents=parents, **detail)
        if self._append(event) != self.transaction.xid and not self._autocommit:
            self._ended_inside()
        self._autocommit = False
        self.written = event

    def _append(self, event: Event) -> str:
        """Write an entry into the open transaction: the number of that. Raises LeaseLost."""
        assert self.transaction is not None
        given = values(event, self._store), self.transaction, self.waits.seen
        return self._beginnings.append(self._connection, *given)

    def fail(self) -> None:
        """Look, while the transaction that failed is still open, whether it is the one that the step began in.

        Where it is not, some of the step is committed, or lost, without a trace: leave one.
        """
        if self._step is None or self.transaction is None or self._traced or self._autocommit:
            return
        since = began(self._own, self.transaction)
        if since not in (None, self.transaction.since) and fate(self._own, self.transaction) != "aborted":
            self.trail.complete = False
            self._leave_trace()

    def migrated(self) -> None:
        """The revision's own code has ended; what follows is Alembic's. Raises RefusedError (changed-half-way)."""
        if not self._autocommit:
            self.trail.ended()
            self._own_part = False

    def rolled_back(self) -> bool:
        """Whether the server says that nothing of the step in hand was kept; where it does not, leave a trace."""
        if self.committed and self.trail.complete:
            return False  # the ledger has what is committed
        if self.transaction is None:
            return True  # nothing was sent
        if fate(self._own, self.transaction) == "aborted" and not self._traced:
            return not self.committed
        self._leave_trace()
        return False

    def _start(self, step: Step, limits: Limits, transaction: wire.Transaction) -> None:
        self.transaction = transaction
        same.database(self._expected, transaction[:2])
        self._autocommit = wire.autocommits(self._connection)
        self.waits.begin(limits)
        first = self.goes_on.get(step.id, self._journal.begin_at(step))
        self.trail = Trail(step, first, () if first is None else self._ledger.read())
        self.committed = self.trail.behind
        self._read_only_where_done()
        self._step, self._began, self._own_part = step, time.monotonic(), True
        self.guard.begin(step, closed=not self._journal.may_lose(step))

    def _reset(self) -> None:
        self._step, self._own_part = None, True
        self._autocommit = self._begun = self._traced = self._moved = self.read_only = self.committed = False
        self.sent = self.answered = 0
        self.text, self.transaction, self.written = "", None, None

    def _before_commit(self) -> None:
        """What the step did so far is about to be committed: it may not lose anything, and leaves a trace."""
        self.guard.before_commit(self._ours.ask)
        if self._step is None or not self._moved:
            return
        if not self.trail.complete or wire.in_transaction(self._connection) is False:
            self._leave_trace()
            return
        self._moved, new = False, not self.trail.repeats
        self.trail.commits += 1
        if new:
            self._note_committed(self._boundary(self.trail.count + 1, "", begins=False))

    def _note_committed(self, event: Event) -> None:
        """Write the boundary into the transaction that is about to be committed: it is there if, and only if, that is.

        Raises LeaseLost.
        """
        try:
            with self._ours.sending():
                self._append(event)
        except (psycopg.errors.InFailedSqlTransaction, DBAPIError):
            self._moved = True
            return  # a statement before it failed: the commit rolls back
        self.committed, self.trail.noted = True, self.trail.count

    def _note_answered(self) -> None:
        """Write down, behind an autocommit block, that its last statement is done: the server said so."""
        done = self.answered == self.trail.count and self.trail.count > self.trail.noted
        if self._step is not None and done and self.trail.complete:
            self._ledger.append(self._boundary(self.trail.count + 1, "", begins=False))
            self.trail.noted = self.trail.count

    def _boundary(self, number: int, text: str, *, begins: bool) -> Event:
        """The entry that says: what is before statement `number` is done."""
        assert self._step is not None
        kind = EventKind.AT if self._begun else EventKind.STARTED
        self._begun = True
        detail = self.trail.detail(number, self.sent, begins=begins)
        return self._journal.event(self._step, kind, statement=number, text=text, **detail)

    def _leave_trace(self) -> None:
        """Write down that something of the step is committed, before it ends, where that cannot be told exactly."""
        if self._step is not None and self.sent and not self._traced:
            self.trail.complete = False
            self._ledger.append(
                self._journal.event(self._step, EventKind.STARTED, statement=1, text="", preceding=self.sent)
            )
            self.committed = self._traced = self._begun = True

    def _read_only_where_done(self) -> None:
        """Nothing may be written by what is sent again of a transaction that an earlier attempt committed."""
        self.read_only = self.trail.repeats and not self._autocommit
        if self.read_only:
            self._ours.send("savepoint provision_done", "set transaction read only")

    def _before(
        self, _conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        self._journal.check()
        sent = self._sent(statement, parameters)
        self._passed = True  # last: what is asked in between goes by the same cursors
        return sent

    def _sent(self, statement: str, parameters: Any) -> tuple[str, Any]:
        """What is sent in the place of a statement, once its trace is left."""
        if self._step is None or self._ours.busy:
            return statement, parameters
        before = self._before_autocommit if self._autocommit else self._before_transactional
        if before(self._step, statement):
            return "select 1", type(parameters)()
        assert self.transaction is not None
        self.waits.before(int(self.transaction.pid), statement, autocommit=self._autocommit)
        return statement, parameters

    def _look(self, statement: str) -> None:
        if not self._guarded:
            self.guard.check(statement, self._ours.ask, before=self._autocommit)

    def _after(self, _conn: Any, cursor: Any, statement: str, *_more: Any) -> None:
        if self._step is None or self._ours.busy:
            return
        self.waits.after()
        if self._autocommit:
            self.answered = self.trail.count
        elif self._own_part and cursor.description is not None and not self.trail.passes(statement):
            self.trail.complete = False  # Python may go by its rows, which are not to be had again

    def _before_transactional(self, step: Step, statement: str) -> bool:
        """Whether an earlier attempt did it, so that it is not to be sent."""
        if wire.in_transaction(self._connection) is False:
            # Behind an autocommit block, or a commit of the revision's own: what follows has no limit and no mark yet.
            self._ended_inside()
            self._step = None
            try:
                self.transaction = wire.begin(self._connection, self.waits.limit, str(self._journal.mark(step)))
                same.database(self._expected, self.transaction[:2])
                self.waits.begin_again()
                self._read_only_where_done()
            finally:
                self._step = step
        ending = ends_transaction(statement)
        if ending == ROLLBACK and (self.sent or several(statement)):
            raise RolledBackInside
        if ending:
            self._journal.note(f"{step.id} sends {ending}: what it did so far stays, even if the rest of it fails")
            self.trail.complete = False
            self._moved = True
            self._before_commit()
        self.sent, self._moved = self.sent + 1, True
        reads = self._own_part and self.trail.passes(statement)
        if not reads and self._own_part and self.trail.take(statement):
            return True
        if not reads and self.read_only:
            self.read_only = False
            # What is sent from here on was never done: the server puts back what it was before the savepoint.
            self._ours.send("release savepoint provision_done")
        self._look(statement)
        return False

    def _ended_inside(self) -> None:
        """The transaction that the step began in has ended before the step: leave a trace of what is committed."""
        assert self.transaction is not None
        if not self._moved:
            return  # what it had done has its boundary
        if self.sent and fate(self._own, self.transaction) == "aborted":
            raise RolledBackInside
        self._leave_trace()

    def _before_autocommit(self, _step: Step, statement: str) -> bool:
        """Whether an earlier attempt is known to have done it; else it has a boundary now."""
        done = self.trail.take(statement)
        self.committed, self.text = True, statement
        if done:
            return True
        self._look(statement)
        if self.trail.resumed and self.trail.count == self.trail.done + 1:
            drop_invalid(self._own, statement)
        self._ledger.append(self._boundary(self.trail.count, statement, begins=True))
        self.trail.noted = self.trail.count - 1
        return False

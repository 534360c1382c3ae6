"""One batch: the next rows of a part that nobody else works on, filled with the part's cursor in one transaction.

Which rows they are is asked without a lock. Then all of the transaction is sent at once, its COMMIT too, so that what
it locks is held for as long as the server needs, and no network is in that. A part may have been taken or moved on by
another worker since: then the transaction finds nothing to do.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from provision.backfill import advice
from provision.errors import BatchFailed, BatchInTheWay, BatchTooLong, ProvisionError, UnreachableError
from provision.model.backfills import Backfill, Filled, Pace
from provision.stores.postgres.backfill import locked
from provision.stores.postgres.backfill.errors import IN_THE_WAY, ErrorSubject, refusal, shown
from provision.stores.postgres.backfill.sql import Shape
from provision.stores.postgres.backfill.steps import FillStep, NextRows
from provision.stores.postgres.server import Connection

_MINE = "project = %(project)s and store = %(store)s and run = %(run)s"
_RUNNING = f"exists (select from provision.backfill_run where {_MINE} and state = 'running')"
# A part stays with its worker while it can, so that each walks on where its pages are still in memory.
_FREE = f"""
select n, cursor from provision.backfill_part where {_MINE} and not done and {_RUNNING}
order by worker is not distinct from %(worker)s desc, worker is null desc, n limit 1 for update skip locked
"""
# The settings are of the transaction alone. A bad estimate must not make a batch read the whole table; who waits for a
# batch waits no longer than its limit, and not for what it waits for; and a commit need not reach the disk at once,
# since the rows and their cursor are lost together or not at all: the completion in the ledger is written, and with it
# all before, in the usual way. `provision.taken` is what the next statements go by: they are sent before this is
# answered.
_TAKE = f"""
select clock_timestamp(), set_config('provision.taken', n::text, true), set_config('enable_seqscan', 'off', true),
    set_config('lock_timeout', %(patience)s, true), set_config('synchronous_commit', 'off', true),
    set_config('statement_timeout', coalesce(%(limit)s::text, current_setting('statement_timeout')), true)
from (
    select n from provision.backfill_part
    where {_MINE} and n = %(n)s and cursor = %(cursor)s::jsonb and not done and {_RUNNING} for update skip locked
) taken
"""
_TAKEN = "current_setting('provision.taken', true) = '{n}'"
_KEEP = f"""
update provision.backfill_part set cursor = %(following)s::jsonb, done = %(done)s,
    rows_done = rows_done + {{changed}}, rows_skipped = rows_skipped + %(skipped)s, batch = %(batch)s,
    throttled_by = %(throttled_by)s, rate = %(rate)s, longest_wait_ms = greatest(longest_wait_ms, %(wait_ms)s),
    worker = %(worker)s, touched_at = clock_timestamp()
where {_MINE} and n = %(n)s and {{taken}}
"""
_SKIP = """
insert into provision.backfill_skipped (project, store, run, key, error)
values (%(project)s, %(store)s, %(run)s, %(key)s::jsonb, %(error)s) on conflict do nothing
"""
_OF_ROWS = (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.RaiseException)
TABLE_LOCKED = 1.0  # seconds that the rows of a batch are looked for behind who has locked their table
PATIENCE = 0.25  # of the target is how long a batch waits for a lock


@dataclass(frozen=True, slots=True)
class Taken:
    """A part of a run, and where it goes on."""

    run: str
    n: int
    cursor: Mapping[str, Any]


class Batch:
    """The batches of one worker."""

    def __init__(self, connection: Connection, backfill: Backfill, shape: Shape, owner: Mapping[str, str]) -> None:
        self._connection, self._backfill, self._shape = connection, backfill, shape
        self._fields: dict[str, object] = {**owner, "worker": uuid.uuid4().hex[:12]}
        self._next = NextRows(connection, shape, owner)
        self._taken: Taken | None = None  # as we left it
        self._why = ""

    def fill(self, run: str, pace: Pace, *, skip: bool) -> Filled | None:
        """As `provision.ports.backfill.Work.fill`."""
        step, began = None, time.monotonic()
        self._next.trips = 0
        try:
            taken = self._taken = self._part(run)
            if taken is None:
                return None
            step = self._next.step(taken.cursor, pace.rows, run)
            began = time.monotonic()
            if skip:
                return self._one_by_one(taken, step, pace, skip=True)
            return self._around_others(taken, step, pace)
        except psycopg.Error as error:
            self._undo()
            raise self._explained(error, pace, step, time.monotonic() - began) from None

    def _part(self, run: str) -> Taken | None:
        """The part that is ours, else one that nobody works on."""
        if self._taken is not None and self._taken.run == run:
            return self._taken
        self._next.trips += 1
        row = self._connection.execute(_FREE, {**self._fields, "run": run}).fetchone()
        return Taken(run, *row) if row is not None else None

    def _around_others(self, taken: Taken, step: FillStep, pace: Pace) -> Filled:
        """Rows that others hold are left to the last pass: who waits for this batch would wait for them too."""
        try:
            return self._at_once(taken, step, pace, [])
        except psycopg.errors.LockNotAvailable:
            self._undo()
        filled = self._at_once(taken, step, pace, [self._shape.unlocked(step.conditions)])
        self._next.trips += 1
        holder, rows = locked.holder(self._connection, self._shape, step.conditions)
        return replace(filled, locked=rows, holder=holder)

    def _at_once(self, taken: Taken, step: FillStep, pace: Pace, others: Sequence[str]) -> Filled:
        """A batch, of the rows for which the further conditions hold too."""
        if self._backfill.process is not None:
            return self._one_by_one(taken, replace(step, conditions=[*step.conditions, *others]), pace)
        update = self._shape.update([*self._conditions(taken, step), *others], step.rest)
        return self._sent(taken, step, pace, update)

    def _sent(self, taken: Taken, step: FillStep, pace: Pace, update: str) -> Filled:
        """The whole transaction in one flight; the server's own clock says how long it held what it locked."""
        send, fields = self._connection.execute, self._kept(taken, step, pace)
        filling = f"with provision_filled as ({update.replace('%', '%%')})" + _KEEP.format(
            changed="(select count(*) filter (where settled) from provision_filled)", taken=_TAKEN.format(n=taken.n)
        )
        self._next.trips += 1
        with self._connection.pipeline():
            send("begin")
            began = send(_TAKE, fields)
            filled = send(f"{filling} returning (select count(*) from provision_filled)".encode(), fields)
            send("commit")
            ended = send("select clock_timestamp()")
        at, changed = began.fetchone(), filled.fetchone()
        if at is None or changed is None:
            self._taken = None
            return Filled(taken.n, 0, 0, 0.0, trips=self._next.trips)
        self._moved(taken, step)
        [until] = ended.fetchone() or (at[0],)
        seconds = (until - at[0]).total_seconds()
        return Filled(taken.n, step.looked_at, changed[0], seconds, held=True, trips=self._next.trips)

    def _one_by_one(self, taken: Taken, step: FillStep, pace: Pace, *, skip: bool = False) -> Filled:
        """With answers in between: for code of the author's, and for a row that may fail behind a savepoint."""
        fields, began = self._kept(taken, step, replace(pace, limit=0.0)), time.monotonic()
        with self._connection.pipeline() if not skip else nullcontext(), self._connection.transaction():
            if self._connection.execute(_TAKE, fields).fetchone() is None:
                self._taken = None
                return Filled(taken.n, 0, 0, 0.0, trips=self._next.trips)
            changed = self._tried(taken, step) if skip else self._apply(taken, step)
            skipped = self._pass_over(taken.run, step) if changed is None else 0
            fields["skipped"] = skipped
            keep = _KEEP.format(changed=changed or 0, taken=_TAKEN.format(n=taken.n))
            self._connection.execute(keep.encode(), fields)
        self._next.trips += 3
        self._moved(taken, step)
        seconds = time.monotonic() - began
        return Filled(taken.n, step.looked_at, changed or 0, seconds, skipped, held=True, trips=self._next.trips)

    def _conditions(self, taken: Taken, step: FillStep) -> list[str]:
        return [*step.conditions, _TAKEN.format(n=taken.n)]

    def _moved(self, taken: Taken, step: FillStep) -> None:
        self._taken = None if step.done else Taken(taken.run, taken.n, step.cursor)

    def _apply(self, taken: Taken, step: FillStep) -> int:
        if self._backfill.process is None:
            return self._connection.execute(self._shape.update(self._conditions(taken, step)).encode()).rowcount
        columns = ", ".join(dict.fromkeys([*self._shape.key, *self._shape.columns]))
        query = self._shape.select(step.conditions, columns, f" order by {self._shape.keys} for update")
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query.encode()).fetchall()
        if rows:
            self._process(Lent(rows, self._connection), step)
        return len(rows)

    def _process(self, batch: Lent, step: FillStep) -> None:
        assert self._backfill.process is not None
        try:
            self._backfill.process(batch)
        except (psycopg.Error, UnreachableError):
            raise
        except Exception as error:  # of the author's own code: whatever it is, the batch is not filled
            what = f"{_named(step)}process raised {type(error).__name__}: {error}"
            raise self._failed(what, max(len(batch.rows), 1), passing=True) from None

    def _tried(self, taken: Taken, step: FillStep) -> int | None:
        """Fill the only row; None where it cannot be."""
        self._why = ""
        try:
            with self._connection.transaction():
                return self._apply(taken, step)
        except _OF_ROWS as error:
            self._why = str(error.diag.message_primary or error)
        except BatchFailed as error:
            self._why = error.what
        return None

    def _pass_over(self, run: str, step: FillStep) -> int:
        if not step.row:
            return 0
        fields = {**self._fields, "run": run, "key": json.dumps(list(step.row)), "error": self._why}
        self._connection.execute(_SKIP, fields)
        return 1

    def _kept(self, taken: Taken, step: FillStep, pace: Pace) -> dict[str, object]:
        """What the statements of a transaction go by, and what is kept of it."""
        target = pace.limit or self._backfill.target
        return {
            **self._fields,
            "run": taken.run,
            "n": taken.n,
            "cursor": json.dumps(taken.cursor),
            "following": json.dumps(step.cursor),
            "done": step.done,
            "skipped": 0,
            "batch": pace.rows,
            "throttled_by": pace.throttled_by,
            "rate": 0.0 if step.done else pace.rate,
            "wait_ms": pace.wait_ms,
            "patience": f"{max(round(target * PATIENCE * 1000), 10)}ms",
            "limit": f"{max(round(pace.limit * 1000), 1)}ms" if pace.limit else None,
        }

    def _undo(self) -> None:
        if not self._connection.closed and self._connection.info.transaction_status is not TransactionStatus.IDLE:
            self._connection.execute("rollback")

    def _explained(self, error: psycopg.Error, pace: Pace, step: FillStep | None, seconds: float) -> ProvisionError:
        what, state = shown(error), error.sqlstate or ""
        if isinstance(error, psycopg.errors.QueryCanceled) and 0 < pace.limit <= seconds * 1.1:
            return BatchTooLong(pace.limit)
        if isinstance(error, IN_THE_WAY):
            return BatchInTheWay(self._locked_by() if state == "55P03" else what)
        if state[:2] in ("22", "23", "21", "P0", "38", "39", "44") or state == "40002":
            return self._failed(f"{_named(step)}{what}", pace.rows)
        return refusal(error, subject(self._backfill), self._connection)

    def _locked_by(self) -> str:
        """Who has locked the table, in words; rows are locked where nobody has."""
        table = str(self._backfill.body["table"])
        found = locked.of_table(self._connection, table)
        return f"{table} locked by {found}" if found else "rows locked by others"

    def _failed(self, what: str, rows: int, *, passing: bool = False) -> BatchFailed:
        fix = advice.resume_or_anew(self._backfill.name, _FIX, "the expression is to change")
        return BatchFailed(what, rows=rows, where=self._backfill.shown, fix=fix, passing=passing)


def subject(backfill: Backfill) -> ErrorSubject:
    """A backfill, for its errors."""
    return ErrorSubject(backfill.store, str(backfill.body["table"]), backfill.shown, backfill.name)


_FIX = "correct the row, or pass such rows over with --skip-failed N"


class Lent:
    """`provision.model.backfills.Rows`: what a `process(batch)` is given."""

    def __init__(self, rows: Sequence[Mapping[str, object]], connection: Connection) -> None:
        self.rows, self._connection = rows, connection

    def execute(self, statement: str, parameters: object = None) -> Sequence[tuple[object, ...]]:
        given: Any = parameters
        send: Callable[..., psycopg.Cursor[Any]] = self._connection.execute
        cursor = send(statement.encode() if given is None else statement, given)
        return cursor.fetchall() if cursor.description else []


def _named(step: FillStep | None) -> str:
    return f"row {', '.join(step.row)}: " if step is not None and step.row else ""

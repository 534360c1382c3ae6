"""One batch: takes a part of the run that nobody works on, fills its next rows, keeps its cursor; one transaction."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from provision.errors import BatchFailed, BatchInTheWay, ProvisionError, UnreachableError
from provision.model.backfills import Backfill, Filled, Pace
from provision.stores.postgres.backfill.cut import density, not_skipped
from provision.stores.postgres.backfill.errors import IN_THE_WAY, ErrorSubject, refusal, shown
from provision.stores.postgres.backfill.heap import Block, HeapPosition
from provision.stores.postgres.backfill.sql import Shape
from provision.stores.postgres.server import Connection

# A part stays with its worker while it can, so that each walks on where its pages are still in memory.
# The settings are of the transaction alone. A bad estimate must not make a batch read the whole table; who waits for a
# batch never waits for what it waits for; and a commit need not reach the disk at once, since the rows and their cursor
# are lost together or not at all: the completion in the ledger is written, and with it all before, in the usual way.
_TAKE = """
select n, cursor, set_config('enable_seqscan', 'off', true), set_config('lock_timeout', %(patience)s, true),
    set_config('synchronous_commit', 'off', true)
from (
    select n, cursor from provision.backfill_part
    where project = %(project)s and store = %(store)s and run = %(run)s and not done
    order by worker = %(worker)s desc nulls last, worker is null desc, n limit 1 for update skip locked
) taken
"""
_KEEP = """
update provision.backfill_part set cursor = %(cursor)s::jsonb, done = %(done)s, rows_done = rows_done + %(changed)s,
    rows_skipped = rows_skipped + %(skipped)s, batch = %(batch)s, throttled_by = %(throttled_by)s, rate = %(rate)s,
    longest_wait_ms = greatest(longest_wait_ms, %(wait_ms)s), worker = %(worker)s, touched_at = clock_timestamp()
where project = %(project)s and store = %(store)s and run = %(run)s and n = %(n)s
"""
_SKIP = """
insert into provision.backfill_skipped (project, store, run, key, error)
values (%(project)s, %(store)s, %(run)s, %(key)s::jsonb, %(error)s) on conflict do nothing
"""
Key = Sequence[str]


@dataclass(frozen=True, slots=True)
class FillStep:
    """The rows of a batch as conditions, and where the part goes on after it; `row` names the only one."""

    conditions: Sequence[str]
    looked_at: int
    cursor: Mapping[str, Any]
    done: bool
    row: Key | None = None


class Batch:
    """The batches of one worker."""

    def __init__(self, connection: Connection, backfill: Backfill, shape: Shape, owner: Mapping[str, str]) -> None:
        self._connection, self._backfill, self._shape = connection, backfill, shape
        self._fields: dict[str, object] = {**owner, "worker": uuid.uuid4().hex[:12]}
        self._density = density(connection, shape)
        self._pipeline: psycopg.Pipeline | None = None
        self._fields["patience"] = f"{round(max(backfill.target, 0.1) * 3000)}ms"

    def fill(self, run: str, pace: Pace, *, skip: bool) -> Filled | None:
        """As `provision.ports.backfill.Work.fill`."""
        began, step, skipped = time.monotonic(), None, 0
        try:
            # Sent together where an answer need not be waited for; a savepoint does not go with that.
            with self._connection.pipeline() if not skip else nullcontext() as pipeline, self._connection.transaction():
                self._pipeline = pipeline
                taken = self._connection.execute(_TAKE, {**self._fields, "run": run}).fetchone()
                if taken is None:
                    return None
                n, cursor = taken[:2]
                step = self._step(cursor, pace.rows, run)
                began = time.monotonic() if cursor.get("rest") else began
                changed = self._apply(step) if not skip else self._tried(step)
                if changed is None:
                    changed, skipped = 0, self._pass_over(run, step)
                self._keep(run, n, step, pace, changed, skipped)
        except psycopg.Error as error:
            raise self._explained(error, pace.rows, step) from None
        return Filled(n, step.looked_at, changed, time.monotonic() - began, skipped)

    def _step(self, cursor: Mapping[str, Any], rows: int, run: str) -> FillStep:
        if cursor.get("rest"):
            return self._rest(cursor, rows, run)
        return self._by_block(cursor, rows) if "block" in cursor else self._by_key(cursor, rows)

    def _by_key(self, cursor: Mapping[str, Any], rows: int) -> FillStep:
        after, to = cursor["after"], cursor["to"]
        row = self._connection.execute(self._shape.boundary(after, to, rows).encode()).fetchone()
        if row is None:
            only = None if rows > 1 else ()
            return FillStep(self._shape.window(after, to), rows - 1, {"after": to, "to": to}, done=True, row=only)
        high = list(row)
        following = {**cursor, "after": high}
        return FillStep(self._shape.window(after, high), rows, following, high == to, high if rows == 1 else None)

    def _by_block(self, cursor: Mapping[str, Any], rows: int) -> FillStep:
        place = HeapPosition.of(cursor).begun(rows, self._density)
        blocks = place.blocks(rows, self._density)
        if not blocks:
            return self._within_block(place, rows)
        return self._step_to(place, (place.at[0] + blocks, 0), place.rows(blocks, self._density))

    def _within_block(self, place: HeapPosition, rows: int) -> FillStep:
        """A few rows of one block, which others may be too many of."""
        following = (place.at[0] + 1, 0)
        query = self._shape.select(
            place.conditions(following),
            f"ctid::text as provision_place, {self._shape.texts}",
            f" order by ctid limit {rows}",
        )
        found = self._connection.execute(query.encode()).fetchall()
        if len(found) < rows:
            return self._step_to(place, following, len(found))
        block, line = (int(part) for part in found[-1][0].strip("()").split(","))
        step = self._step_to(place, (block, line + 1), rows)
        return replace(step, row=list(found[0][1:])) if rows == 1 else step

    def _step_to(self, place: HeapPosition, to: Block, looked_at: int) -> FillStep:
        after = place.moved(to)
        return FillStep(place.conditions(to), looked_at, after.cursor, after.done)

    def _rest(self, cursor: Mapping[str, Any], rows: int, run: str) -> FillStep:
        """Rows that came or moved behind the cursors: found without a lock, then filled by their keys."""
        without = not_skipped(self._shape, {**self._fields, "run": run})
        conditions = [*self._shape.window(cursor["after"], None), without]
        query = self._shape.select(conditions, self._shape.texts, f" order by {self._shape.keys} limit {rows}")
        self._connection.execute("set local enable_seqscan = on")
        keys = [list(row) for row in self._connection.execute(query.encode())]
        self._connection.execute("set local enable_seqscan = off")
        following = {"rest": True, "after": keys[-1] if keys else cursor["after"]}
        among = [self._shape.among(keys)] if keys else ["false"]
        return FillStep(among, len(keys), following, len(keys) < rows, keys[0] if rows == 1 and keys else None)

    def _apply(self, step: FillStep) -> int:
        if self._backfill.process is None:
            cursor = self._connection.execute(self._shape.update(step.conditions).encode())
            if self._pipeline is not None:
                self._pipeline.sync()  # the number of rows is known once it is answered
            return cursor.rowcount
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
            raise BatchFailed(what, rows=max(len(batch.rows), 1), where=self._backfill.shown, fix=_FIX) from None

    def _tried(self, step: FillStep) -> int | None:
        """Fill the only row; None where it cannot be."""
        self._why = ""
        try:
            with self._connection.transaction():
                return self._apply(step)
        except (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.RaiseException) as error:
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

    def _keep(self, run: str, n: int, step: FillStep, pace: Pace, changed: int, skipped: int) -> None:
        fields = {
            "run": run,
            "n": n,
            "cursor": json.dumps(step.cursor),
            "done": step.done,
            "changed": changed,
            "skipped": skipped,
            "batch": pace.rows,
            "throttled_by": pace.throttled_by,
            "rate": 0.0 if step.done else pace.rate,
            "wait_ms": pace.wait_ms,
        }
        self._connection.execute(_KEEP, {**self._fields, **fields})

    def _explained(self, error: psycopg.Error, rows: int, step: FillStep | None) -> ProvisionError:
        what, state = shown(error), error.sqlstate or ""
        if isinstance(error, IN_THE_WAY):
            return BatchInTheWay("rows locked by others" if state == "55P03" else what)
        if state[:2] in ("22", "23", "21", "P0", "38", "39", "44") or state == "40002":
            return BatchFailed(f"{_named(step)}{what}", rows=rows, where=self._backfill.shown, fix=_FIX)
        return refusal(error, subject(self._backfill), self._connection)


def subject(backfill: Backfill) -> ErrorSubject:
    """A backfill, for its errors."""
    return ErrorSubject(backfill.store, str(backfill.body["table"]), backfill.shown, backfill.name)


_FIX = "correct the row or the expression, or pass such rows over with --skip-failed N"


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

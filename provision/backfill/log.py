"""Backfill runs of stores that keep no transaction over a batch and its cursor: a log of entries, the newest wins.

A store brings `Entries`, where its log is kept, and `LoggedWork.step`, one batch that does no harm when it is done
again from the same cursor: a process may end after the batch and before its cursor is written.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from provision.backfill import advice
from provision.errors import BatchFailed, ConfigError, FailedError, ProvisionError
from provision.model import schema
from provision.model.backfills import Backfill, BackfillRun, Filled, Left, Pace, Part, RunState, ServerSignal

RUN = 0  # the number of the entry of a run itself; its parts have 1, 2, …
MOST_SKIPPED = 100
LOOK_EVERY = 1.0  # seconds
_OF_A_PART = ("cursor", "done", "rows_done", "rows_skipped", "batch", "longest_wait_ms", "throttled_by", "rate")


@dataclass(frozen=True, slots=True)
class RunLogEntry:
    """The state of a run or of one of its parts; `body` is plain JSON."""

    run: str
    n: int
    version: int
    body: Mapping[str, Any]


class Entries(Protocol):
    """Where a store keeps its log, beside its ledger."""

    def create(self) -> None:
        """Make it if it is absent."""

    def newest(self, run: str | None = None) -> Iterable[RunLogEntry]:
        """The newest entry of every `(run, n)`; of one run if it is named. Must write nothing."""

    def add(self, entry: RunLogEntry) -> bool:
        """Keep it; False where the store can tell that this version, or a later one, is there already."""


class LoggedRuns:
    """`provision.ports.backfill.Runs` on such a log."""

    def __init__(self, entries: Entries, now: Callable[[], datetime], store: str) -> None:
        self._entries, self._now, self._store = entries, now, store

    def create(self) -> None:
        self._entries.create()

    def read(self, backfill: str | None = None) -> Sequence[BackfillRun]:
        found = list(self._entries.newest())
        parts: dict[str, list[Part]] = {}
        for each in sorted((each for each in found if each.n != RUN), key=lambda each: each.n):
            parts.setdefault(each.run, []).append(_part(each))
        runs = [_run(each, tuple(parts.get(each.run, ()))) for each in found if each.n == RUN]
        wanted = [run for run in runs if backfill is None or run.backfill == backfill]
        return sorted(wanted, key=lambda run: (run.started_at, run.run), reverse=True)

    def peek(self, run: str) -> BackfillRun:
        for each in self._entries.newest(run):
            if each.n == RUN:
                return _run(each, ())
        raise self._gone(run)

    def _gone(self, run: str) -> FailedError:
        fix = "a backup may have been restored: `provision backfill run NAME` begins anew"
        return FailedError("run-gone", f"run {run} is not in the log any more", where=self._store, fix=fix)

    def write(self, run: BackfillRun) -> bool:
        kept = next((each for each in self._entries.newest(run.run) if each.n == RUN), None)
        if (-1 if kept is None else kept.version) != run.version - 1:
            return False
        # What a later release keeps there beside stays.
        body = {**(kept.body if kept is not None else {}), **_run_body(run)}
        return self._entries.add(RunLogEntry(run.run, RUN, run.version, body))

    def cut(self, run: str, cursors: Sequence[object]) -> None:
        last = max((each.n for each in self._entries.newest(run)), default=RUN)
        for n, cursor in enumerate(cursors, last + 1):
            self._entries.add(RunLogEntry(run, n, 0, self._part_body(Part(n, cursor), ())))

    def note(self, run: str, throttled_by: str) -> None:
        part = self.open_part(run)
        if part is not None:
            self.advance(run, replace(part, throttled_by=throttled_by, rate=0.0))

    def skipped(self, run: str) -> Sequence[tuple[str, str]]:
        return [(key, why) for each in self._entries.newest(run) for key, why in each.body.get("skipped", ())]

    def retry_skipped(self, run: str) -> None:
        for each in self._entries.newest(run):
            if each.n != RUN and each.body.get("rows_skipped"):
                body = {**each.body, "skipped": [], "rows_skipped": 0}
                self._entries.add(RunLogEntry(run, each.n, each.version + 1, body))

    def open_part(self, run: str) -> Part | None:
        """The first part that is not done."""
        parts = sorted((each for each in self._entries.newest(run) if each.n != RUN), key=lambda each: each.n)
        return next((part for part in map(_part, parts) if not part.done), None)

    def advance(self, run: str, part: Part, skipped: Sequence[tuple[str, str]] = ()) -> None:
        """Keep where a part goes on, with the rows that its last batch passed over."""
        before = next((each for each in self._entries.newest(run) if each.n == part.n), None)
        if before is None:
            raise self._gone(run)
        known = [*before.body.get("skipped", ()), *map(list, skipped)][:MOST_SKIPPED]
        body = {**before.body, **self._part_body(part, known)}
        self._entries.add(RunLogEntry(run, part.n, before.version + 1, body))

    def _part_body(self, part: Part, skipped: Sequence[object]) -> Mapping[str, Any]:
        return schema.numbered(
            {
                "cursor": part.cursor,
                "done": part.done,
                "rows_done": part.rows_done,
                "rows_skipped": part.rows_skipped,
                "batch": part.batch,
                "longest_wait_ms": part.longest_wait_ms,
                "throttled_by": part.throttled_by,
                "rate": part.rate,
                "touched_at": self._now().isoformat(),
                "skipped": list(skipped),
            }
        )


class LoggedBatches:
    """What `provision.ports.backfill.Batches` of a kind that keeps such a log have in common."""

    runs: LoggedRuns

    def suggestion(self, _backfill: Backfill) -> None:
        """Nothing: what is filled there has no DEFAULT."""
        return


def schema_changed(what: str, backfill: Backfill) -> FailedError:
    """Of a thing that was there when the run began."""
    fix = advice.resume_or_anew(backfill.name, "bring the schema back")
    return FailedError("schema-changed", f"the schema changed under the run: {what}", where=backfill.shown, fix=fix)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one batch of a store did, and where the part goes on; `skipped` are keys of rows passed over, with why."""

    cursor: object
    done: bool
    looked_at: int
    changed: int
    skipped: tuple[tuple[str, str], ...] = ()


class LoggedWork(ABC):
    """`provision.ports.backfill.Work` for one worker at a time; a kind adds `step` and what it knows better."""

    shared = False
    once = False

    def __init__(self, runs: LoggedRuns) -> None:
        self._runs = runs
        self._seen, self._next_look = ServerSignal(), 0.0

    @abstractmethod
    def step(self, cursor: object, rows: int) -> Stepped:
        """One batch from the cursor on. Raises BatchFailed, BatchInTheWay, UnreachableError, FailedError."""

    @abstractmethod
    def refused(self) -> Sequence[ProvisionError]: ...

    @abstractmethod
    def total(self) -> int | None: ...

    @abstractmethod
    def cursors(self, parts: int) -> Sequence[object]: ...

    @abstractmethod
    def left(self, run: str) -> Left: ...

    def pass_over(self, cursor: object) -> Stepped:
        """Try one row, and pass it over where it fails. Raises BatchFailed where a kind cannot."""
        return self.step(cursor, 1)

    def warnings(self) -> Sequence[str]:
        return ()

    def size(self) -> int | None:
        return self.total()

    def width(self) -> int:
        return 0

    def rest(self) -> Sequence[object]:
        return self.cursors(1)

    def verified(self) -> str:
        return ""

    def look(self) -> ServerSignal:
        now = time.monotonic()
        if now >= self._next_look:
            self._seen, self._next_look = self.seen(), now + LOOK_EVERY
        return self._seen

    def seen(self) -> ServerSignal:
        """What on the server asks for patience; asked once a second."""
        return ServerSignal()

    def close(self) -> None:
        return

    def fill(self, run: str, pace: Pace, *, skip: bool = False) -> Filled | None:
        part = self._runs.open_part(run)
        if part is None:
            return None
        began = time.monotonic()
        try:
            stepped = self.pass_over(part.cursor) if skip else self.step(part.cursor, pace.rows)
        except BatchFailed as error:
            error.rows = min(error.rows, pace.rows)
            raise
        following = replace(
            part,
            cursor=stepped.cursor,
            done=stepped.done,
            rows_done=part.rows_done + stepped.changed,
            rows_skipped=part.rows_skipped + len(stepped.skipped),
            batch=pace.rows,
            longest_wait_ms=max(part.longest_wait_ms, pace.wait_ms),
            throttled_by=pace.throttled_by,
            rate=0.0 if stepped.done else pace.rate,
        )
        self._runs.advance(run, following, stepped.skipped)
        seconds = time.monotonic() - began
        return Filled(part.n, stepped.looked_at, stepped.changed, seconds, len(stepped.skipped))


def _run_body(run: BackfillRun) -> Mapping[str, Any]:
    return schema.numbered(
        {
            "backfill": run.backfill,
            "state": str(run.state),
            "checksum": run.checksum,
            "owner": run.owner,
            "started_at": run.started_at.isoformat(),
            "touched_at": run.touched_at.isoformat(),
            "rows_total": run.rows_total,
            "asked": dict(run.asked),
            "error": run.error,
        }
    )


def _run(entry: RunLogEntry, parts: tuple[Part, ...]) -> BackfillRun:
    try:
        return _run_of(entry, schema.unnumbered(entry.body, f"run {entry.run}"), parts)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(entry.run, error) from None


def unreadable(run: str, error: Exception) -> ConfigError:
    fix = "bring back what is missing, or remove the run from the log"
    what = schema.not_ours(f"run {run}", error)
    return ConfigError("runs-unreadable", what, where="the log of backfills", fix=fix)


def _run_of(entry: RunLogEntry, body: Mapping[str, Any], parts: tuple[Part, ...]) -> BackfillRun:
    return BackfillRun(
        backfill=body["backfill"],
        run=entry.run,
        state=RunState(body["state"]),
        checksum=body["checksum"],
        owner=body["owner"],
        started_at=datetime.fromisoformat(body["started_at"]),
        touched_at=datetime.fromisoformat(body["touched_at"]),
        rows_total=body["rows_total"],
        asked=body["asked"],
        error=body["error"],
        version=entry.version,
        parts=parts,
    )


def _part(entry: RunLogEntry) -> Part:
    try:
        body = schema.unnumbered(entry.body, f"run {entry.run}")
        fields = {name: body[name] for name in _OF_A_PART}
        return Part(n=entry.n, touched_at=datetime.fromisoformat(body["touched_at"]), **fields)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(entry.run, error) from None

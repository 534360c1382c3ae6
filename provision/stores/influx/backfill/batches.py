"""Backfills in InfluxDB: windows that a rollup never wrote, because it was not there yet or did not run.

A window is written where its source has points and its target has none, series by series; one that is there stays as
it is, since what it was made of may be gone. A batch that is done again finds nothing missing, and one that ended half
way writes the same points over themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from provision.backfill import advice
from provision.backfill.log import LoggedBatches, LoggedRuns, LoggedWork, Stepped
from provision.documents.refused import Refused
from provision.errors import BatchFailed, ConfigError, ProvisionError
from provision.model.backfills import NAMED, SMALL, Backfill, Left
from provision.stores.influx.backfill.place import Stride
from provision.stores.influx.backfill.range import Cursor, RangeRequest, shown
from provision.stores.influx.backfill.refused import refused
from provision.stores.influx.backfill.runs import RunEntries
from provision.stores.influx.backfill.windows import Windows, names

if TYPE_CHECKING:
    from provision.stores.influx.server import Server

_TEXT = {"type": "string", "minLength": 1}
_MOMENT = {**_TEXT, "description": "a moment in UTC, such as 2026-03-02 09:00:00; else as far as points and tiers go"}
KEYS: Mapping[str, Mapping[str, Any]] = {
    "database": {**_TEXT, "description": "the database of the rollups"},
    "rollup": {
        "anyOf": [_TEXT, {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT}],
        "description": "the name of a rollup, or names in the order in which they are made of each other",
    },
    "remake": {
        "type": "boolean",
        "description": "true: write windows that are there too, as what their source holds now makes them",
    },
    "since": _MOMENT,
    "until": _MOMENT,
}
REQUIRED = ("database", "rollup")


class InfluxBatches(LoggedBatches):
    """`provision.ports.backfill.Batches`."""

    def __init__(self, project: str, store: str, server: Callable[[], Server]) -> None:
        self._server = server
        self.runs = LoggedRuns(RunEntries(project, store, server), self.now, store)

    def work(self, backfill: Backfill) -> InfluxWork:
        return InfluxWork(self.runs, backfill, self._server)

    def now(self) -> datetime:
        """This machine's clock: no version tells its own to every login."""
        return datetime.now(UTC)


class InfluxWork(LoggedWork):
    """`provision.ports.backfill.Work`: the missing windows of rollups, one after another; a row is a window."""

    def __init__(self, runs: LoggedRuns, backfill: Backfill, server: Callable[[], Server]) -> None:
        super().__init__(runs)
        self._backfill, self._server = backfill, server
        self._windows, self._names = Windows(backfill, server), names(backfill)
        self._remake = bool(backfill.body.get("remake", False))
        self._strides = {name: Stride() for name in self._names}

    def refused(self) -> Sequence[ProvisionError]:
        return list(refused(self._server(), self._backfill, self._names))

    def warnings(self) -> Sequence[str]:
        asked, now, said = RangeRequest.of(self._backfill.body), _now(), list[str]()
        for name in self._names:
            rollup, range_ = self._windows.rollup(name), self._windows.range(name, now)
            if why := range_.outside(asked):
                said.append(f"{name} is left out: {why}")
            else:
                said += [f"{name}: {each}" for each in range_.clipped(asked)]
            if self._windows.oldest(rollup) is None:
                source = rollup.source
                said.append(f"{name}: {source.tier}.{source.measurement} of {rollup.database} holds no point for it")
        return said

    def total(self) -> int | None:
        """Windows made of windows that are missing themselves are not counted yet."""
        return sum(1 for _ in self._missing(_now(), frozenset(), remake=self._remake))

    def size(self) -> int | None:
        now = _now()
        every = (window for name in self._names for each in self._windows.slices(name, now) for window in each.expected)
        return sum(1 for _ in islice(every, SMALL))

    def cursors(self, _parts: int) -> Sequence[object]:
        return [Cursor(self._names[0], None, _now()).json()]

    def left(self, run: str) -> Left:
        [found] = (each for each in self._runs.read(self._backfill.name) if each.run == run)
        # Those that were closed since are the rollup's own.
        as_of = max(Cursor.of(part.cursor).as_of for part in found.parts)
        missing = self._missing(as_of, frozenset(key for key, _ in self._runs.skipped(run)))
        named = list(islice(missing, NAMED))
        return Left(len(named) + sum(1 for _ in missing), tuple(dict.fromkeys(named)))

    def step(self, cursor: object, rows: int) -> Stepped:
        at = Cursor.of(cursor)
        rollup = self._windows.rollup(at.rollup)
        start, stop = self._windows.bounds(at.rollup, at.as_of, at.at)
        if start >= stop:
            return self._next(at)
        stride = self._strides[at.rollup]
        upto = min(start + stride.length(rows) * rollup.every, stop)
        try:
            found = self._windows.slice(rollup, start, upto, remake=self._remake)
            stride.saw(found.rows)
            self._windows.fill(rollup, found)
        except (Refused, ConfigError) as error:
            raise self._failed(error, f"{at.rollup} from {shown(start)} to {shown(upto)}", rows) from None
        return Stepped(replace(at, at=upto).json(), False, found.rows, len(found.missing))

    def pass_over(self, cursor: object) -> Stepped:
        """Try the windows of one moment, and pass over them where they fail."""
        at = Cursor.of(cursor)
        try:
            return self.step(cursor, 1)
        except BatchFailed as error:
            start, _ = self._windows.bounds(at.rollup, at.as_of, at.at)
            following = replace(at, at=start + self._windows.rollup(at.rollup).every)
            return Stepped(following.json(), False, 1, 0, ((_key(at.rollup, start), error.what),))

    def _next(self, at: Cursor) -> Stepped:
        """On to the rollup that is made of what was just filled; the end after the last."""
        place = self._names.index(at.rollup) + 1
        if place == len(self._names):
            return Stepped(at.json(), True, 0, 0)
        return Stepped(Cursor(self._names[place], None, at.as_of).json(), False, 0, 0)

    def _missing(self, as_of: int, but: frozenset[str], *, remake: bool = False) -> Iterator[str]:
        """The key of each window of each series that is not there; with `remake` of each that will be written."""
        slices = ((name, self._windows.slices(name, as_of, remake=remake)) for name in self._names)
        found = ((name, each) for name, some in slices for each in some)
        keys = (_key(name, begin) for name, each in found for _, begin in each.missing)
        return (key for key in keys if key not in but)

    def _failed(self, error: Refused | ConfigError, what: str, rows: int) -> ProvisionError:
        if isinstance(error, ConfigError) and error.code != "server-refused":
            return error
        said = error.what if isinstance(error, ConfigError) else f"the server refused: {error}"
        fix = advice.resume_or_anew(self._backfill.name, "remove the cause")
        return BatchFailed(f"{what}: {said}", rows=rows, where=self._backfill.shown, fix=fix)


def _key(rollup: str, begin: int) -> str:
    return f"{rollup} {shown(begin)}"


def _now() -> int:
    return int(time.time())

"""The nouns of backfills: what to fill, an attempt at it, how far it is, what slows it down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from provision.errors import ProvisionError

PREFIX = "backfill/"
_HOLDER = re.compile(r"pid (\d+) \((.*?), (\d+) s\): (.*)\Z")
NAMED = 10  # keys of rows that are told at once
SMALL = 10_000  # rows; `up` fills no more than that by itself


class RunState(StrEnum):
    """Where an attempt stands; `provision.backfill.states` says what may follow what."""

    ENQUEUED = "enqueued"
    RUNNING = "running"
    PAUSING = "pausing"  # asked to pause; the batch in hand is finished first
    PAUSED = "paused"
    INTERRUPTED = "interrupted"  # its process ended, or the server went away: it can go on
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"  # all is filled but the rows that were passed over
    ERRORED = "errored"

    @property
    def over(self) -> bool:
        """True when nothing follows: another attempt begins from the start."""
        return self in (RunState.CANCELLED, RunState.SUCCEEDED)


class Rows(Protocol):
    """A batch as a `process(batch)` of backfills/*.py is given it."""

    @property
    def rows(self) -> Sequence[Mapping[str, object]]:
        """The rows of the batch, each by column."""

    def execute(self, statement: str, parameters: object = None) -> Sequence[tuple[object, ...]]:
        """Send a statement in the batch's own transaction; the rows it answers, if any."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of the store that another one is filled from: its key as text, its columns as plain JSON values.

    `error` says why the columns could not be computed.
    """

    key: tuple[str, ...]
    values: Mapping[str, object]
    error: str = ""


class Source(Protocol):
    """Rows of one store from which another is filled, on a connection of its own. Reads only.

    What is asked for raises UnreachableError, or FailedError (schema-changed, batch-refused).
    """

    def refused(self) -> Sequence[ProvisionError]:
        """What is wrong with it, asked of the server: unknown names, a key that is not unique, expressions, rights."""

    def count(self, most: int | None = None) -> int:
        """How many rows there are, counted no further than `most`."""

    def page(self, after: Sequence[str] | None, rows: int) -> Sequence[SourceRow]:
        """The rows that follow a key in its order, at most so many and maybe fewer; none behind the last."""

    def close(self) -> None:
        """Give its connection back."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """A document of backfills/: what to fill in which store, and how gently.

    `body` holds what the store's own kind of backfill needs. `target` is the longest in seconds that others may wait
    for a batch, `size` the rows of the first one, `rate` the most rows a second (None: as many as the pace allows),
    `most_bytes` those of one batch, `locked` the seconds that rows which others hold locked are waited for at the end.
    `on_error` is what becomes of rows that fail: stop, split or skip; `retries` how often a batch that failed is tried
    again first. `process` fills one batch in Python, in the place of expressions. `source` opens the rows of another
    store that it is made from, once both stores are reached.
    """

    name: str
    store: str
    description: str
    checksum: str
    shown: str
    body: Mapping[str, object]
    requires: tuple[str, ...] = ()
    target: float = 0.1
    size: int = 500
    rate: float | None = None
    most_bytes: int = 16 * 2**20
    locked: float = 600.0
    on_error: str = "split"
    retries: int | None = None
    process: Callable[[Rows], None] | None = None
    source: Callable[[], Source] | None = None
    places: Mapping[tuple[str | int, ...], tuple[int, int]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{PREFIX}{self.name}"

    @property
    def origin(self) -> Backfill | None:
        """What its `from` says, as a document of that store by itself; None where it reads no other store."""
        read: Any = self.body.get("from")
        if read is None:
            return None
        body = {key: value for key, value in read.items() if key != "store"}
        places = {steps[1:]: place for steps, place in self.places.items() if steps[:1] == ("from",)}
        return replace(self, store=str(read["store"]), body=body, places=places)

    @property
    def stores(self) -> frozenset[str]:
        """Every store that must be reached to run it: its own, those of what it requires, the one it reads."""
        read = {self.origin.store} if self.origin is not None else set[str]()
        return frozenset({self.store, *read, *(each.split("/", 1)[0] for each in self.requires)})

    def place(self, *steps: str | int) -> str:
        """File, line and column of a part of the document; of the document where it has no such part."""
        found = self.places.get(steps)
        return f"{self.shown}:{found[0]}:{found[1]}" if found else self.shown


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run's work, as the store that is filled keeps it; `cursor` is plain JSON and the store's own.

    Counters are of rows. `rate` is in rows a second, by the `worker` who was at it last, at `touched_at`; without a
    name where one alone can be.
    """

    n: int
    cursor: object
    done: bool = False
    rows_done: int = 0
    rows_skipped: int = 0
    batch: int = 0
    longest_wait_ms: int = 0
    throttled_by: str = ""
    rate: float = 0.0
    touched_at: datetime | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class BackfillRun:
    """An attempt, as the store that is filled keeps it; `version` grows with every change of state or of `asked`.

    `asked` are settings changed while it runs (`rate`, `target`). `owner` is who leads it, for people.
    """

    backfill: str
    run: str
    state: RunState
    checksum: str
    owner: str
    started_at: datetime
    touched_at: datetime
    rows_total: int | None = None
    asked: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    version: int = 0
    parts: tuple[Part, ...] = ()

    @property
    def rows_done(self) -> int:
        return sum(part.rows_done for part in self.parts)

    @property
    def rows_skipped(self) -> int:
        return sum(part.rows_skipped for part in self.parts)

    @property
    def longest_wait_ms(self) -> int:
        return max((part.longest_wait_ms for part in self.parts), default=0)

    @property
    def cursor(self) -> object:
        """Where the parts that are not done go on: one cursor as it is, several as a list; None when all are done."""
        open_ = [part.cursor for part in self.parts if not part.done]
        return open_[0] if len(open_) == 1 else open_ or None


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Whose locks are in the way, as far as the server says: `age_s` is that of the transaction in seconds."""

    pid: int
    application: str
    age_s: int
    query: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.application}, {self.age_s} s): {self.query}"

    @classmethod
    def within(cls, text: str) -> LockHolder | None:
        """The one that a text ends with, as `str` writes it: the log of a run keeps texts."""
        found = _HOLDER.search(text)
        return cls(int(found[1]), found[2], int(found[3]), found[4]) if found is not None else None


@dataclass(frozen=True, slots=True)
class Pace:
    """How the next batch goes: its rows, and what is to be kept of the pace with its cursor.

    `limit`: seconds after which it should be ended, undone, where the store can; 0 for none.
    """

    rows: int
    rate: float = 0.0
    throttled_by: str = ""
    wait_ms: int = 0
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Left:
    """Rows that still want filling: how many, and the keys of the first few, where the store can name them."""

    rows: int
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = self.rows - len(self.keys)
        return ", ".join(self.keys) + (f" and {more:,} more" if self.keys and more > 0 else "")


@dataclass(frozen=True, slots=True)
class Filled:
    """What one batch did: rows looked at (0: not known), changed and passed over, and how long it took.

    `held`: all of `seconds` it held what it had locked, and no network is in it. `trips` is how often it waited for
    the server, 0 where nobody counts. `locked` rows were left to others, one of whom is `holder`.
    """

    part: int
    looked_at: int
    changed: int
    seconds: float
    skipped: int = 0
    held: bool = False
    trips: int = 0
    locked: int = 0
    holder: LockHolder | None = None


@dataclass(frozen=True, slots=True)
class ServerSignal:
    """The load on the server: why to slow down, by how many seconds a batch, and the longest wait for our locks.

    With `hold` no batch begins at all until a later look is without it.
    """

    reason: str = ""
    seconds: float = 0.0
    hold: bool = False
    wait_ms: int = 0

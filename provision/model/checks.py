"""The nouns of data validation: what to look for in a table, what was counted, what that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final


class CheckSeverity(StrEnum):
    """How much a failing check matters, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(CheckSeverity).index(self)


UNSAID: Final = CheckSeverity.HIGH
"""The severity of a check that says none, and what ends a run with 1 unless it is told otherwise: the same, so that a
check that fails is never without effect by default."""


class Status(StrEnum):
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"  # the check could not be made
    EMPTY = "empty"  # there was nothing to judge


@dataclass(frozen=True, slots=True)
class Limit:
    """How much bad is too much: more than `count` rows, or more than `share` (0 to 1) of those looked at."""

    count: int | None = None
    share: float | None = None

    def exceeded(self, bad: int, total: int) -> bool:
        if self.count is not None and bad > self.count:
            return True
        # As it was written: 0.29 * 100 is less than 29 in binary.
        return self.share is not None and bad > Decimal(str(self.share)) * max(total, 1)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for in a table. `kind` names how, `body` holds what that kind needs, as its author wrote it.

    `sample` are the columns shown of bad rows, `mask` those of them whose values stay private. `place` is file, line
    and column. Without `fail_if` it can only warn.
    """

    name: str
    kind: str
    body: object
    severity: CheckSeverity = UNSAID
    warn_if: Limit | None = None
    fail_if: Limit | None = Limit(count=0)
    sample: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    description: str = ""
    place: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table (collection, measurement, key family) with everything to look for in it: one scan.

    `time` and `tenant` name the columns that `--since`, `--until` and `--tenant` narrow by. Fewer rows than `min_rows`
    fail; 0: it may be empty; None: nothing is said. `options` are the keys that only this kind of store knows.
    """

    store: str
    name: str
    checks: tuple[Check, ...] = ()
    time: str | None = None
    tenant: str | None = None
    min_rows: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    place: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of checks; its name is the file's. One `on_request` is made where it is named, and not with all."""

    name: str
    tables: tuple[Table, ...]
    description: str = ""
    place: str = ""
    on_request: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are looked at, and for how long: `seconds` is the limit of one statement.

    `label` is what was asked for in words; only runs of the same label can be compared.
    """

    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None
    seconds: float = 300.0
    label: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether rows are left out."""
        return self.since is not None or self.until is not None or self.tenant is not None


@dataclass(frozen=True, slots=True)
class Tally:
    """What one check counted: `bad` of `total`; `message` says what else it saw, for people.

    `partial`: some of the rows could not be read, which the message says, so that no bad one is no proof. `judged` is
    false where there is nothing yet to judge by. `figures` are kept for later runs to compare with.
    """

    bad: int
    total: int
    message: str = ""
    duration_ms: int = 0
    partial: bool = False
    judged: bool = True
    figures: Mapping[str, float] = field(default_factory=dict)


Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check. `samples` are a few bad rows; `message` is for people.

    `new`: it found something, and the run before, over the same rows, found nothing. None: nothing to compare with.
    `before`: the figures of the run before, where they were asked for.
    """

    suite: str
    check: str
    kind: str
    store: str
    table: str
    severity: CheckSeverity
    status: Status
    bad: int = 0
    total: int = 0
    samples: tuple[Row, ...] = ()
    message: str = ""
    duration_ms: int = 0
    new: bool | None = None
    place: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return self.bad / self.total if self.total else 0.0


ROWS, MIN_ROWS = "rows", "min_rows"  # name and kind of the result that a table itself has


@dataclass(frozen=True, slots=True)
class ValidationRun:
    """One validation: `id` sorts by time, `scope` is the label of the rows it looked at."""

    id: str
    at: datetime
    environment: str
    scope: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """One result of an earlier run, as the home store kept it: without samples."""

    run: ValidationRun
    result: Result


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `type` is as the store names it, without what only says that it may hold NULL."""

    name: str
    type: str
    nullable: bool

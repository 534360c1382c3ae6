"""The nouns of data validation: what to look for in a table, what was counted, what that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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


class Status(StrEnum):
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"  # the check could not be made


@dataclass(frozen=True, slots=True)
class Limit:
    """How much bad is too much: more than `count` rows, or more than `share` (0 to 1) of those looked at."""

    count: int | None = None
    share: float | None = None

    def exceeded(self, bad: int, total: int) -> bool:
        too_many = self.count is not None and bad > self.count
        return too_many or (self.share is not None and bad > self.share * max(total, 1))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for in a table. `kind` names how, `body` holds what that kind needs, as its author wrote it.

    `sample` are the columns shown of bad rows, `mask` those of them whose values stay private. `place` is file, line
    and column. Without `fail_if` it can only warn.
    """

    name: str
    kind: str
    body: object
    severity: CheckSeverity = CheckSeverity.MEDIUM
    warn_if: Limit | None = None
    fail_if: Limit | None = Limit(count=0)
    sample: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    description: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table (collection, measurement, key family) with everything to look for in it: one scan.

    `time` and `tenant` name the columns that `--since`, `--until` and `--tenant` narrow by. Fewer rows than `min_rows`
    fail; None: an empty table warns. `options` are the keys that only this kind of store knows.
    """

    store: str
    name: str
    checks: tuple[Check, ...] = ()
    time: str | None = None
    tenant: str | None = None
    min_rows: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of checks; its name is the file's."""

    name: str
    tables: tuple[Table, ...]
    description: str = ""
    place: str = ""


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


@dataclass(frozen=True, slots=True)
class Tally:
    """What one check counted: `bad` of `total`; `message` says what else it saw, for people."""

    bad: int
    total: int
    message: str = ""
    duration_ms: int = 0


Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check. `samples` are a few bad rows; `message` is for people.

    `new`: it found something, and the run before, over the same rows, found nothing. None: nothing to compare with.
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


MOMENT, INTEGER, NUMBER, BOOLEAN, TEXT = "moment", "integer", "number", "boolean", "text"


@dataclass(frozen=True, slots=True)
class ComparableTable:
    """Columns of a table as another store can compare them: `forms` says how each is written as text.

    A moment as milliseconds since 1970, a number in whole
    units of the last of its `places` decimals, a boolean as 0 or 1, an UUID in
    lower case, NULL as ∅. `key` of the columns, from the left, order the rows.
    """

    table: str
    columns: tuple[str, ...]
    forms: tuple[str, ...] = ()
    key: int = 1
    places: int = 6
    time: str | None = None
    tenant: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)


Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows a range of keys holds, the sum of their checksums, the least and greatest first part of a key."""

    rows: int
    checksum: int
    low: str = ""
    high: str = ""

"""The nouns of data validation: what to look for in a table, what was counted, what that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a failing check matters, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


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


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for in a table. `kind` names how, `body` holds what that kind needs, as its author wrote it.

    `sample` are the columns shown of bad rows, `mask` those of them whose values stay private. `place` is file, line
    and column.
    """

    name: str
    kind: str
    body: Mapping[str, object]
    severity: Severity
    warn_if: Limit | None
    fail_if: Limit
    sample: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table (collection, measurement, key family) with everything to look for in it: one scan.

    `time` and `tenant` name the columns that `--since`, `--until` and `--tenant` narrow by.
    """

    store: str
    name: str
    checks: tuple[Check, ...]
    time: str | None = None
    tenant: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are looked at, and for how long. `rows` bounds them, `seconds` is the limit of one statement."""

    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None
    rows: int | None = None
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What one check counted: `bad` of `total`; `observed` is what else it saw, as plain JSON values."""

    bad: int
    total: int
    observed: Mapping[str, object] = field(default_factory=dict)


Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check. `samples` are a few bad rows; `message` is for people."""

    suite: str
    check: str
    store: str
    table: str
    severity: Severity
    status: Status
    bad: int = 0
    total: int = 0
    samples: tuple[Row, ...] = ()
    message: str = ""
    duration_ms: int = 0
    at: datetime | None = None

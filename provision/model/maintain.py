"""The nouns of maintenance: jobs that come again and again, when, and how their runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Pace(StrEnum):
    """What a schedule counts."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Schedule(NamedTuple):
    """Every so many minutes, hours, days …, in UTC: at `minute` of an hour, `hour` of a day, on `weekday` (0: Sunday).

    Months begin with their first day. For minutes, `minute` is the first of an hour.
    """

    number: int
    pace: Pace
    minute: int
    hour: int = 0
    weekday: int = 0


class Task(NamedTuple):
    """A piece of a job, as its store words it: `what` in words, `statement` what is sent.

    `now` is sent instead when it is done at once, where that differs. `fixed`: the statement is the same each time.
    """

    what: str
    statement: str
    now: str = ""
    fixed: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """An entry of maintain.yaml. `kind` is the key that says what it does, `body` its value; `shown`: its place."""

    name: str
    store: str
    kind: str
    body: Any
    schedule: Schedule
    shown: str
    description: str = ""


class RunState(StrEnum):
    """How a run of a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CUT_SHORT = "cut short"  # it was begun, did not say how it ended, and its process or statement is gone


class JobRun(NamedTuple):
    """One run of a job, or, of pg_cron, of one statement of it: `by` whom, when in UTC, what went wrong."""

    job: str
    by: str
    began: datetime
    ended: datetime | None
    state: RunState
    error: str = ""


class Installed(NamedTuple):
    """A job of the scheduler of a server: its name, when (as cron writes it), and the one statement."""

    name: str
    cron: str
    statement: str
    active: bool = True

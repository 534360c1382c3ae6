"""When a job is due: read from `every`, `at` and `on`, and written as cron, systemd and people do. Always in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from provision.model.maintain import Pace, Schedule

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
EVERY = re.compile(r"(?:([1-9][0-9]?) )?(minute|hour|day|week|month)s?")
AT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
APART = 7  # minutes between two jobs without a time of their own: begun together, they would slow each other down
NIGHT = 2  # the hour in which daily jobs without a time begin
_LASTS = {
    Pace.MINUTE: timedelta(minutes=1),
    Pace.HOUR: timedelta(hours=1),
    Pace.DAY: timedelta(days=1),
    Pace.WEEK: timedelta(weeks=1),
    Pace.MONTH: timedelta(days=31),
}
_LEAST = {Pace.MINUTE: 60, Pace.HOUR: 24, Pace.DAY: 1, Pace.WEEK: 1, Pace.MONTH: 1}


def read(every: str, at: str | None, on: str | None, place: int) -> Schedule:
    """The schedule of the job that stands at `place` of the file, counted from 0.

    Raises ValueError with a sentence for what has no meaning.
    """
    match = EVERY.fullmatch(every)
    if match is None:
        raise ValueError(f"every is {every}, which is no pace")
    number, pace = int(match[1] or 1), Pace(match[2])
    whole = _LEAST[pace]
    if whole % number:
        among = ", ".join(str(each) for each in range(1, whole + 1) if whole % each == 0)
        fitting = f"1 {pace} is the only one" if whole == 1 else f"of {pace}s there are {among}"
        raise ValueError(f"every {number} {pace}s has no even rhythm: {fitting}")
    if on is not None and pace is not Pace.WEEK:
        raise ValueError(f"on is of weekly jobs, and this one is due every {pace}")
    if at is not None and pace is Pace.MINUTE:
        raise ValueError("at is of jobs that are due every hour or less often")
    weekday = DAYS.index(on) if on is not None else 0
    if at is not None:
        hour, minute = (int(part) for part in at.split(":"))
        return Schedule(number, pace, minute, hour, weekday)
    apart = place * APART
    if pace is Pace.MINUTE:
        return Schedule(number, pace, apart % number)
    hour = 0 if pace is Pace.HOUR else (NIGHT + apart // 60) % 24
    return Schedule(number, pace, apart % 60, hour, weekday)


def later(due: Schedule, minutes: int) -> Schedule:
    """The same, so many minutes later: for the next statement of a job. It stays within its hour, or its day."""
    if due.pace is Pace.MINUTE:
        return due._replace(minute=(due.minute + minutes) % due.number)
    if due.pace is Pace.HOUR:
        return due._replace(minute=(due.minute + minutes) % 60)
    at = (due.hour * 60 + due.minute + minutes) % (24 * 60)
    return due._replace(hour=at // 60, minute=at % 60)


def overdue(due: Schedule, last: datetime, now: datetime) -> bool:
    """Whether the run after the last one was missed: more than two of its intervals have gone by."""
    return now - last > 2 * due.number * _LASTS[due.pace]


def cron(due: Schedule) -> str:
    """As cron writes it: `10 * * * *`."""
    if due.pace is Pace.MINUTE:
        return "* * * * *" if due.number == 1 else f"{due.minute}-59/{due.number} * * * *"
    if due.pace is Pace.HOUR:
        hours = "*" if due.number == 1 else f"{due.hour % due.number}-23/{due.number}"
        return f"{due.minute} {hours} * * *"
    ends = {Pace.DAY: "* * *", Pace.WEEK: f"* * {due.weekday}", Pace.MONTH: "1 * *"}
    return f"{due.minute} {due.hour} {ends[due.pace]}"


def calendar(due: Schedule) -> str:
    """As OnCalendar of systemd writes it: `*-*-* *:10:00 UTC`."""
    if due.pace is Pace.MINUTE:
        return f"*-*-* *:{due.minute:02}/{due.number}:00 UTC"
    if due.pace is Pace.HOUR:
        hours = "*" if due.number == 1 else f"{due.hour % due.number:02}/{due.number}"
        return f"*-*-* {hours}:{due.minute:02}:00 UTC"
    day = {Pace.DAY: "*-*-*", Pace.WEEK: f"{DAYS[due.weekday][:3].title()} *-*-*", Pace.MONTH: "*-*-01"}[due.pace]
    return f"{day} {due.hour:02}:{due.minute:02}:00 UTC"


def words(due: Schedule) -> str:
    """As people say it: `every day at 02:07`."""
    every = f"every {due.pace}" if due.number == 1 else f"every {due.number} {due.pace}s"
    if due.pace is Pace.MINUTE:
        return every
    if due.pace is Pace.HOUR:
        return f"{every} at :{due.minute:02}"
    on = f" on {DAYS[due.weekday].title()}" if due.pace is Pace.WEEK else ""
    return f"{every}{on} at {due.hour:02}:{due.minute:02}"

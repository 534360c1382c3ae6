"""When jobs are due: the same moments for cron, systemd and people."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.maintain.schedule import calendar, cron, later, read, words
from provision.maintain.timers import Caller, Form, files
from provision.model.maintain import Job, Schedule
from provision.wiring.maintain import schema

ROOT = Path(__file__).parents[3]
EVERY = ["minute", "5 minutes", "30 minutes", "hour", "6 hours", "day", "week", "month"]
DAYS = ["sunday", "wednesday", "saturday"]
CASES = [
    ("minute", None, None, 3, "* * * * *", "*-*-* *:00/1:00 UTC", "every minute"),
    ("5 minutes", None, None, 1, "2-59/5 * * * *", "*-*-* *:02/5:00 UTC", "every 5 minutes"),
    ("hour", None, None, 1, "7 * * * *", "*-*-* *:07:00 UTC", "every hour at :07"),
    ("6 hours", "01:30", None, 0, "30 1-23/6 * * *", "*-*-* 01/6:30:00 UTC", "every 6 hours at :30"),
    ("day", None, None, 9, "3 3 * * *", "*-*-* 03:03:00 UTC", "every day at 03:03"),
    ("week", "04:00", "saturday", 0, "0 4 * * 6", "Sat *-*-* 04:00:00 UTC", "every week on Saturday at 04:00"),
    ("month", "23:59", None, 0, "59 23 1 * *", "*-*-01 23:59:00 UTC", "every month at 23:59"),
]


@pytest.mark.parametrize(("every", "at", "on", "place", "as_cron", "as_calendar", "as_words"), CASES)
def test_a_schedule_is_written_as_each_reads_it(
    every: str, at: str | None, on: str | None, place: int, as_cron: str, as_calendar: str, as_words: str
) -> None:
    due = read(every, at, on, place)
    assert (cron(due), calendar(due), words(due)) == (as_cron, as_calendar, as_words)


def due_in(text: str, days: int) -> list[datetime]:
    """The minutes at which cron would begin, read as its manual says."""
    minutes, hours, of_month, months, of_week = (
        _numbers(part, most) for part, most in zip(text.split(), (59, 23, 31, 12, 6), strict=True)
    )
    dates = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=each) for each in range(days)]
    return [
        date + timedelta(hours=hour, minutes=minute)
        for date in dates
        if date.day in of_month and date.month in months and date.isoweekday() % 7 in of_week
        for hour in hours
        for minute in minutes
    ]


def _numbers(part: str, most: int) -> range:
    span, _, step = part.partition("/")
    low, _, high = ("0", "", str(most)) if span == "*" else span.partition("-")
    return range(int(low), int(high or low) + 1, int(step or 1))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(EVERY), st.integers(0, 200), st.integers(0, 300))
def test_a_job_and_its_later_statements_are_due_evenly(every: str, place: int, minutes: int) -> None:
    due = read(every, None, "sunday" if every == "week" else None, place)
    length = {"minute": 1, "hour": 60, "day": 1440, "week": 7 * 1440}.get(due.pace, 0) * due.number
    for each in (due, later(due, minutes)):
        moments = due_in(cron(each), 15)
        gaps = {(b - a).total_seconds() / 60 for a, b in itertools.pairwise(moments)}
        assert moments
        assert gaps <= {length}


@pytest.mark.parametrize(
    ("every", "at", "on", "sentence"),
    [
        ("7 minutes", None, None, "every 7 minutes has no even rhythm: of minutes there are 1, 2, 3, 4, 5, 6, 10, 12"),
        ("2 weeks", None, None, "every 2 weeks has no even rhythm: 1 week is the only one"),
        ("day", None, "monday", "on is of weekly jobs, and this one is due every day"),
        ("minute", "01:00", None, "at is of jobs that are due every hour or less often"),
    ],
)
def test_what_has_no_rhythm_is_refused(every: str, at: str | None, on: str | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(every, at, on, 0)


def test_names_of_folders_and_environments_are_quoted() -> None:
    job = Job("j", "postgres", "analyze", "all", Schedule(1, read("day", None, None, 0).pace, 0), "")
    caller = Caller("My Shop", Path("/srv/a b%'c"), "prod $x", ["/opt/p v"], "i")

    [crontab] = files(Form.CRONTAB, caller, [job]).values()
    service = files(Form.SYSTEMD, caller, [job])["provision-My-Shop-j.service"]

    assert """cd '/srv/a b\\%'"'"'c' && '/opt/p v' maintain run j --env 'prod $x' >/dev/null""" in crontab
    assert """WorkingDirectory=/srv/a b%%'c\nExecStart="/opt/p v" maintain run j --env "prod $$x"\n""" in service
    assert list(files(Form.KUBERNETES, caller, [job])) == ["my-shop-j.yaml"]


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads((ROOT / "docs/schemas/maintain.json").read_text()) == schema(), "make schemas"
    jsonschema_rs.meta.validate(schema())

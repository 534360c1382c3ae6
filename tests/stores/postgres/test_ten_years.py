"""Ten years, month by month: rows come, windows are made, merged and retired; every third run is killed somewhere."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from provision.model.partitions import Interval, Unit
from provision.partitions.calendar import shifted
from tests.stores.postgres.projects import BIN, Project
from tests.stores.postgres.windows import Killed, describe, execute, killed_at

MONTH = Interval(1, Unit.MONTH)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = "retain: 36 months\nmerge_after: {age: 12 months, into: year}"
INSERT = """
insert into events (at, id, model) select at, extract(epoch from at)::int, 1
from generate_series('{start}'::timestamptz, '{end}'::timestamptz - interval '1 hour', '31 hours') at
"""
EVERY = timedelta(hours=31)


def killed_process(project: Project, *command: str) -> None:
    """The command in a process of its own, which SIGKILL ends at a random moment."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [BIN / "provision", *command],
        cwd=project.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(random.uniform(0.3, 1.2))
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


def moments(month: int) -> Iterator[datetime]:
    """Of the rows of a month, as INSERT makes them."""
    at, end = shifted(BEGIN, MONTH, month), shifted(BEGIN, MONTH, month + 1)
    while at <= end - timedelta(hours=1):
        yield at
        at += EVERY


def held(project: Project, months: int, now: datetime) -> None:
    """Every row inside the retention is there once, none waits in the default partition, and the next year has room."""
    kept = shifted(now, MONTH, -36)
    expected = sum(at >= kept for month in range(months) for at in moments(month))
    [(rows, distinct)] = project.rows(
        f"select count(*), count(distinct (id, at)) from events where at >= '{kept:%Y-%m-%d} 00:00Z'"
    )
    assert (rows, distinct) == (expected, expected), now
    assert project.rows("select count(*) from rest") == [(0,)], now


@pytest.mark.parametrize(("months", "default"), [(120, False), (60, True)], ids=["ten", "five, beside a default"])
def test_years_lose_no_row_and_no_window(events: Project, months: int, default: bool) -> None:
    execute(
        events, "create table rest partition of events default" if default else "create table rest (at timestamptz)"
    )
    describe(events, more=KEPT)
    commands = ("ensure", "merge", "retire")
    for month in range(months):
        start = shifted(BEGIN, MONTH, month)
        end = shifted(start, MONTH)
        as_of = ("--as-of", f"{start:%Y-%m-%d}")
        for number, command in enumerate(commands):
            if (month * len(commands) + number) % 3 == month % 3:
                if random.random() < 0.1:
                    killed_process(events, "partitions", command, *as_of)
                else:
                    with killed_at(random.randrange(4, 60)), suppress(Killed):
                        events.provision("partitions", command, *as_of)
            events.done("partitions", command, *as_of)
            if command == "ensure":
                execute(events, "set timezone to 'UTC';" + INSERT.format(start=start, end=end))
        if month % 6 == 5:
            held(events, month + 1, start)

    last = shifted(BEGIN, MONTH, months - 1)
    held(events, months, last)
    [(windows,)] = events.rows("select count(*) from pg_inherits where inhparent = 'events'::regclass")
    assert windows < 36
    assert events.rows("select count(*) from pg_trigger where tgname ~ '^provision_merge'") == [(0,)]
    listed = events.provision("partitions", "list", "--as-of", f"{last:%Y-%m-%d}")
    assert listed.code == 0, listed.out

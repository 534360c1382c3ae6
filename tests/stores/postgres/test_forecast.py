"""When a table runs out, how it grows and what it retires is said; exit 1 when somebody is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, describe, execute

FILLED = """
insert into events (at, id, model) select at, 1, 1
from generate_series('2026-07-01 00:00Z'::timestamptz, '2026-11-29', '1 hour') at; analyze events
"""


REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def history(events: Project) -> Project:
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    execute(events, FILLED)
    describe(events, more="retain: 100 days")
    return events


def printed(project: Project, command: str, *arguments: str) -> Any:
    """Its one table, which the schema takes."""
    found = json.loads(project.provision("partitions", command, "-o", "json", *arguments).out)
    schema = json.loads((REPOSITORY / "docs" / "schemas" / f"partitions_{command}.json").read_text(encoding="utf-8"))
    jsonschema_rs.Draft202012Validator(schema).validate(found)
    return found[0]


def test_growth_and_what_leaves_are_told(history: Project) -> None:
    ran = history.done("partitions", "forecast", *NOW)

    assert "runs out on 2027-03-01, in 91 days, if no window is made" in ran.out
    assert "grows by" in ran.out
    assert "~730 rows a month" in ran.out
    assert "retires 2 windows, ~1,488 rows" in ran.out
    said = printed(history, "forecast", *NOW)
    assert (said["monthly_rows"], said["retires"]["windows"], said["needs"]) == (730, 2, None)
    listed = printed(history, "list", *NOW)
    assert said["bytes"] == sum(each["bytes"] for each in listed["windows"])


def test_what_needs_a_person_is_told_and_fails(history: Project) -> None:
    execute(
        history,
        "create table rest partition of events default; insert into events (at, id) values ('1999-01-01', 1);"
        "drop table events_p2026_12",
    )

    ran = history.provision("partitions", "forecast", *NOW)

    assert ran.code == 1
    for said in ("runs out on 2026-12-01, in 1 day,", "no window for 2026-12-01 … 2027-01-01", "1 row in the default"):
        assert said in ran.out
    assert len(printed(history, "forecast", *NOW)["gaps"]) == 1


def test_windows_of_other_lengths_and_those_to_merge_are_named(events: Project) -> None:
    execute(
        events,
        "set timezone to 'UTC';"
        "create table by_hand partition of events for values from ('2026-11-10') to ('2026-12-05')",
    )
    events.done("partitions", "ensure", "--from", "2023-01-01", *NOW)
    describe(events, more="merge_after: {age: 24 months, into: year}")

    ran = events.done("partitions", "forecast", *NOW)

    assert "events_p2026_11_01, by_hand, events_p2026_12_05: not 1 month long" in ran.out
    assert "12 windows can be merged" in ran.out


def test_a_page_shows_windows_and_forecast(history: Project) -> None:
    for command in ("list", "forecast"):
        history.done("partitions", command, "--report", "windows.html", *NOW)
        text = (history.root / "windows.html").read_text(encoding="utf-8")
        assert "events_p2026_07" in text
        assert "<rect width=" in text
        assert "runs out on 2027-03-01" in text
    assert history.provision("partitions", "list", "--report", "windows.pdf", *NOW).code == 2
    ran = history.provision("partitions", "list", "--report", "no/such/place.html", *NOW)
    assert (ran.code, "report-lost" in ran.err) == (5, True), ran.err


def test_a_table_without_windows_and_one_that_is_absent_are_told(events: Project) -> None:
    describe(events, "absent", "absent")

    ran = events.provision("partitions", "forecast", *NOW)

    assert ran.code == 1
    assert "takes no row now" in ran.out
    assert "growth is not known" in ran.out
    assert "there is no table absent" in ran.out

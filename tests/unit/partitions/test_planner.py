"""Windows are planned without gap and overlap, whatever is there, wherever the clock stands."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provision.model.partitions import Bounds, Interval, Merge, PartitionSet, TableWindows, Unit, Window
from provision.partitions.calendar import ago, shifted, start_of, window_name
from provision.partitions.planner import coverage, following, mergeable, missing, over, span

MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
INTERVALS = st.builds(Interval, st.integers(1, 5), st.sampled_from(Unit))
MERGES = st.none() | st.builds(Merge, st.builds(Interval, st.integers(1, 40), st.just(Unit.MONTH)), st.just(Unit.YEAR))


MONTHLY = Interval(1, Unit.MONTH)
_TICK = timedelta(microseconds=1)


def wanted(interval: Interval = MONTHLY, **given: object) -> PartitionSet:
    fields = {"ahead": 3, "behind": 1, "retain": None, "merge": None, **given}
    return PartitionSet("t", "postgres", "t", "at", interval, description="", shown="t.yaml", checksum="", **fields)  # type: ignore[arg-type]


@st.composite
def hand_made(draw: st.DrawFn, around: datetime) -> list[Bounds]:
    """Windows that somebody made: of any length, none over another, maybe open at an end."""
    edges = sorted(set(draw(st.lists(st.integers(-2000, 2000), max_size=12))))
    pairs = [pair for pair in pairwise(edges) if draw(st.booleans())]
    made = [Bounds(around + timedelta(hours=low), around + timedelta(hours=high)) for low, high in pairs]
    if made and draw(st.booleans()):
        made[0] = Bounds(None, made[0].end)
    if made and draw(st.booleans()):
        made[-1] = Bounds(made[-1].start, None)
    return made


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow at drawing too
@given(st.data(), MOMENTS, INTERVALS, MERGES, st.integers(0, 8), st.integers(0, 8))
def test_windows_have_no_gap_and_no_overlap(
    data: st.DataObject, now: datetime, interval: Interval, merge: Merge | None, ahead: int, behind: int
) -> None:
    chosen = wanted(interval, ahead=ahead, behind=behind, merge=merge)
    there = data.draw(hand_made(now))
    since = data.draw(st.none() | st.just(shifted(start_of(now, interval), interval, -12)))

    made = missing(chosen, there, now, since)

    every = [*there, *made]
    in_order = sorted(every, key=lambda each: each.start or datetime.min.replace(tzinfo=UTC))
    assert not any(one.overlaps(other) for one, other in pairwise(in_order))
    low, high = span(chosen, now, since)
    assert low is not None
    assert high is not None
    asked = Bounds(low, high)
    covered = sorted(
        (max(each.start or low, low), min(each.end or high, high)) for each in every if each.overlaps(asked)
    )
    reached = low
    for start, end in covered:
        assert start <= reached, f"nothing takes rows of {reached}"
        reached = max(reached, end)
    assert reached >= high
    assert not missing(chosen, every, now, since)


@given(st.data(), MOMENTS, INTERVALS, st.integers(0, 8), st.integers(0, 8))
def test_windows_of_one_length_follow_those_that_are_there(
    data: st.DataObject, now: datetime, interval: Interval, ahead: int, behind: int
) -> None:
    there = data.draw(hand_made(now))

    made = following(wanted(interval, ahead=ahead, behind=behind), there, now)

    assert not any(one.overlaps(other) for one, other in pairwise(sorted(made)))
    assert not any(one.overlaps(other) for one in made for other in there)
    assert all(each.start is not None and each.end == shifted(each.start, interval) for each in made)


def test_a_week_that_begins_on_a_tuesday_is_followed_by_one() -> None:
    tuesday = datetime(2026, 12, 1, tzinfo=UTC)
    week = Interval(1, Unit.WEEK)
    there = [Bounds(tuesday, tuesday + timedelta(days=7))]

    made = following(wanted(week, ahead=2, behind=1), there, tuesday)

    assert [each.start for each in made] == [tuesday + timedelta(days=days) for days in (-14, -7, 7, 14)]
    assert following(wanted(week, ahead=2, behind=1), [*there, *made], tuesday) == []


@given(MOMENTS, INTERVALS)
def test_a_moment_lies_in_its_window_and_windows_follow_one_another(now: datetime, interval: Interval) -> None:
    start = start_of(now, interval)

    assert start <= now < shifted(start, interval)
    assert start_of(shifted(start, interval), interval) == shifted(start, interval)
    assert shifted(shifted(start, interval), interval, -1) == start


@given(MOMENTS, INTERVALS)
def test_names_sort_as_the_windows_do(now: datetime, interval: Interval) -> None:
    starts = [shifted(start_of(now, interval), interval, n) for n in range(6)]

    names = [window_name("t", Bounds(each, shifted(each, interval))) for each in starts]

    assert names == sorted(set(names))


@given(MOMENTS, INTERVALS, st.builds(Interval, st.integers(1, 40), st.sampled_from(Unit)))
def test_nothing_is_made_that_would_be_removed_at_once(now: datetime, interval: Interval, retain: Interval) -> None:
    chosen = wanted(interval, behind=8, retain=retain)

    made = [Window(str(n), each) for n, each in enumerate(missing(chosen, [], now))]

    assert not over(chosen, made, now)
    assert all(each.bounds.end is not None and each.bounds.end > ago(now, retain) for each in made)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe"])
def test_the_zone_of_the_machine_changes_nothing(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
        made = missing(wanted(Interval(1, Unit.DAY)), [], now.astimezone())
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != zone or zone == "UTC"
    assert [each.start for each in made] == [datetime(2026, 3, day, tzinfo=UTC) for day in (28, 29, 30, 31)] + [
        datetime(2026, 4, 1, tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    ("moment", "age", "expected"),
    [
        ("2024-03-31", Interval(1, Unit.MONTH), "2024-02-29"),
        ("2024-02-29", Interval(1, Unit.YEAR), "2023-02-28"),
        ("2026-01-15", Interval(90, Unit.DAY), "2025-10-17"),
        ("2026-05-31", Interval(2, Unit.QUARTER), "2025-11-30"),
    ],
)
def test_an_age_ends_on_the_last_day_of_a_short_month(moment: str, age: Interval, expected: str) -> None:
    assert f"{ago(datetime.fromisoformat(moment).replace(tzinfo=UTC), age):%Y-%m-%d}" == expected


def month(year: int, number: int) -> Window:
    start = datetime(year, number, 1, tzinfo=UTC)
    return Window(f"t_p{year}_{number:02}", Bounds(start, shifted(start, Interval(1, Unit.MONTH))))


def test_whole_windows_are_over_and_no_other() -> None:
    chosen = wanted(retain=Interval(90, Unit.DAY))
    windows = [month(2026, number) for number in range(1, 12)]

    found = over(chosen, windows, datetime(2026, 11, 29, tzinfo=UTC))

    assert [each.name for each in found] == [f"t_p2026_{number:02}" for number in range(1, 8)]


def test_windows_are_merged_when_the_whole_year_is_old_enough() -> None:
    chosen = wanted(merge=Merge(Interval(24, Unit.MONTH), Unit.YEAR))
    windows = [month(year, number) for year in (2023, 2024) for number in range(1, 13)]
    in_the_way = Window("hand_made", Bounds(windows[-1].bounds.end, datetime(2025, 7, 1, tzinfo=UTC)))

    [(bounds, parts)] = mergeable(chosen, [*windows, in_the_way], datetime(2026, 11, 29, tzinfo=UTC))

    assert (bounds.start, len(parts)) == (datetime(2023, 1, 1, tzinfo=UTC), 12)
    into_2024 = Window("reaches", Bounds(windows[11].bounds.start, windows[12].bounds.end))
    assert mergeable(chosen, [*windows[:11], into_2024], datetime(2026, 11, 29, tzinfo=UTC)) == []


@pytest.mark.parametrize(("left", "short"), [(3, False), (2, False), (1, True), (0, True), (-1, True)])
def test_a_table_runs_short_when_a_third_is_left(left: int, short: bool) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    windows = tuple(month(2026, number) for number in range(4, 7 + left))

    found = coverage(wanted(), TableWindows(now, windows))

    assert found.short is short
    assert found.until == (windows[-1].bounds.end if left >= 0 else now)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), MOMENTS, INTERVALS, MERGES, st.integers(0, 8), st.integers(0, 3))
def test_a_table_takes_rows_up_to_the_first_moment_that_no_window_holds(
    data: st.DataObject, now: datetime, interval: Interval, merge: Merge | None, ahead: int, gone: int
) -> None:
    chosen = wanted(interval, ahead=ahead, merge=merge)
    there = data.draw(st.just([]) | hand_made(now) | hand_made(now + timedelta(days=3000)))
    every = data.draw(st.permutations([*there, *missing(chosen, there, now)]))[gone:]

    found = coverage(chosen, TableWindows(now, tuple(Window("w", each) for each in every)))

    until: datetime | None = now
    while until is not None and (holds := [each for each in every if each.overlaps(Bounds(until, until + _TICK))]):
        until = holds[0].end
    assert found.until == until
    asked = span(chosen, now)
    assert bool(found.gaps) == bool(missing(chosen, every, now))
    assert all(gap.within(asked) and not any(gap.overlaps(each) for each in every) for gap in found.gaps)

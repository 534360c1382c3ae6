"""What follows from the nouns' own fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from provision.model import Direction, Event, EventKind, Owner, Plan, Revision, State, StateName, Step, StoreOptions
from provision.model.statements import Mark

REVISION = Revision("clickhouse", "007", "events_ttl", "events ttl", "clickhouse/007_events_ttl.sql", "c")
EVENT = Event("vfr", REVISION.id, EventKind.STARTED, "c", 1, 1, datetime(2026, 1, 1, tzinfo=UTC), "ci@runner")


def test_revision_id_and_title_are_how_people_name_it() -> None:
    assert (REVISION.id, REVISION.title) == ("clickhouse/007", "clickhouse/007_events_ttl")
    assert Revision("a", "1", "", "", "", "").title == "a/1"


def test_event_direction_is_up_unless_its_detail_says_down() -> None:
    down = Event("vfr", "a/1", EventKind.AT, "", 1, 1, EVENT.at, "x", detail={"direction": "down"})

    assert (EVENT.direction, down.direction) == (Direction.UP, Direction.DOWN)


def test_event_later_adds_the_time_since_it_was_made() -> None:
    made = Event("vfr", "a/1", EventKind.APPLIED, "", 1, 1, datetime.now(UTC) - timedelta(seconds=2), "x", 40)

    later = made.later()

    assert 2040 <= later.duration_ms < 12040
    assert later.at > made.at


def test_event_detail_json_is_sorted_and_keeps_letters() -> None:
    event = Event("vfr", "a/1", EventKind.AT, "", 1, 1, EVENT.at, "x", detail={"text": "ü", "a": 1})

    assert event.detail_json() == '{"a": 1, "schema": 2, "text": "ü"}'


def test_event_is_read_back_from_its_record() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    event = Event("vfr", "a/1", EventKind.AT, "c", 41, 2, at, "x", 7, 3, {"text": "ü"})

    assert (event.record()["at"], event.record()["detail"]) == (
        "2026-01-01T10:00:00.000000+00:00",
        '{"schema": 2, "text": "ü"}',
    )
    assert Event.of(event.record()) == event
    assert Event.of(EVENT.record()) == EVENT


@pytest.mark.parametrize(
    "own",
    [{"token": "1"}, {"duration_ms": "0"}, {"statement": 0}, {"at": EVENT.at.replace(tzinfo=None)}, {"detail": {}}],
)
def test_event_is_read_back_from_a_server_s_own_types(own: dict[str, object]) -> None:
    assert Event.of({**EVENT.record(), **own}) == EVENT


@pytest.mark.parametrize(
    "other", [{"kind": "made"}, {"at": "noon"}, {"at": 5}, {"token": None}, {"detail": "{"}, {"detail": 5}]
)
def test_event_of_something_else_is_refused(other: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Event.of({**EVENT.record(), **other})
    with pytest.raises(KeyError):
        Event.of({})


def test_state_is_open_while_it_has_boundaries() -> None:
    assert State(StateName.STARTED, events=(EVENT,)).open
    assert not State(StateName.FAILED).open


def test_plan_lane_is_the_steps_of_one_store() -> None:
    steps = (Step(REVISION), Step(Revision("a", "1", "", "", "", "")))

    assert Plan(steps).lane("a") == steps[1:]


@pytest.mark.parametrize("statement", [None, 12])
def test_mark_written_is_read_back(statement: int | None) -> None:
    mark = Mark("vfr", 41, "postgres/0007", statement)

    assert Mark.parse(str(mark)) == mark
    assert str(mark) == "provision/vfr/41/postgres/0007" + ("/12" if statement else "")


@pytest.mark.parametrize(
    "text", ["", "provision", "provision/vfr/x/a/1", "psql", "provision/vfr/1/a", "x provision/v/1/a/1"]
)
def test_mark_of_something_else_is_none(text: str) -> None:
    assert Mark.parse(text) is None


def test_mark_with_a_cut_off_revision_is_still_ours() -> None:
    assert Mark.parse("provision/vfr/41/postgres/0") == Mark("vfr", 41, "postgres/0")


def test_owner_is_shown_with_what_is_known_of_it() -> None:
    assert str(Owner("ci@runner", 7)) == "ci@runner (pid 7)"
    assert str(Owner("ci@runner", 7, "p", "provision up", "c0ffee1234567890", "https://ci/1")) == (
        "ci@runner (pid 7, provision up, c0ffee1234, https://ci/1)"
    )


def test_store_options_show_paths_relative_to_the_project() -> None:
    options = StoreOptions("a", "a", "vfr", Path("/p/a"), Path("/p"))

    assert options.shown(Path("/p/a/1.sql")) == "a/1.sql"
    assert options.shown(Path("/elsewhere/1.sql")) == "/elsewhere/1.sql"

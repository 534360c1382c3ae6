"""Windows that no rollup wrote, on real servers, InfluxDB 1.6 and 2.7."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.backfill.log import LoggedRuns
from provision.cli.main import run
from provision.errors import FailedError
from provision.stores.influx.version_1 import Server1
from tests.backfill.influx import DAY, HOUR, TAGS, Clock, On1, On2, Place, Rows, Shop, hour, iso, lay_out
from tests.servers.command_line import Provision

AGO = range(40, 3, -1)
TARGET = ("hourly", "requests_1h")


@pytest.fixture(autouse=True)
def clock() -> None:
    Clock.begin()


@pytest.fixture
def on_1(influx_1: str) -> Iterator[Place]:
    place = On1(influx_1)
    place.wipe()
    yield place
    place.wipe()


@pytest.fixture
def on_2(influx_2: str) -> Iterator[Place]:
    place = On2(influx_2)
    place.wipe()
    yield place
    place.wipe()


def _up() -> int:
    return run(["up", "--no-lock", "--allow-destructive"])


@pytest.fixture
def shop_1(on_1: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return _shop(on_1, tmp_path, monkeypatch)


@pytest.fixture(params=["on_1", "on_2"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return _shop(request.getfixturevalue(request.param), tmp_path, monkeypatch)


def _shop(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch, tags: str = TAGS) -> Shop:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PROVISION_ENV", "test")
    made = lay_out(folder, place, _up, tags)
    made.document("hours", "by_hour")
    return made


def reference(shop: Shop) -> Rows:
    """What the continuous query or task itself makes of all hours."""
    shop.place.roll("by_hour", hour(45), hour(2))
    return shop.place.found(*TARGET)


def filled(provision: Provision, name: str = "hours", *options: str) -> dict[str, Any]:
    ran = provision("backfill", "run", name, "--no-lock", "-o", "json", *options)
    assert ran.code == 0, ran.err
    return dict(json.loads(ran.out))


def test_windows_that_were_never_made_are_what_the_rollup_makes(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)

    found = filled(provision)

    made = shop.place.found(*TARGET)
    assert (found["state"], found["rows_done"], found["rows_total"]) == ("succeeded", len(made), len(made))
    assert len(made) == 37 + 25 + 37
    assert made == reference(shop)


def test_windows_that_are_there_are_made_again_where_it_is_asked_for(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)
    filled(provision)
    before = shop.place.found(*TARGET)
    late = hour(7) + 1800
    shop.place.put("raw", f"requests,host=b bytes=1000i,ms=70 {late}")
    assert filled(provision)["rows_done"] == 0  # what is there stays
    assert shop.place.found(*TARGET) == before
    shop.place.lose("requests", {"host": "a"}, hour(41), hour(20))  # their windows have no source any more
    gone = {(row["time"], row["host"]) for row in before if row["host"] == "a" and row["time"] < hour(20)}

    shop.document("again", "by_hour", "remake: true", f"since: {iso(hour(12))}", f"until: {iso(hour(5))}")
    found = filled(provision, "again")

    made = shop.place.found(*TARGET)
    changed = [row for row in made if row not in before]
    assert [(row["time"], row["host"], row["slowest"]) for row in changed] == [(hour(7), "b", 70)]
    assert len(made) == len(before)
    assert found["rows_done"] == found["rows_total"] == len([r for r in made if hour(12) <= r["time"] < hour(5)])

    shop.document("all", "by_hour", "remake: true")
    filled(provision, "all")
    assert shop.place.found(*TARGET) == made
    assert gone <= {(row["time"], row["host"]) for row in made}


def test_only_windows_that_were_lost_are_made_again(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)
    wanted = reference(shop)
    for ago in (40, 30, 29, 28, 10):
        shop.place.lose("requests_1h", {"host": "a", "path": "/x"}, hour(ago), hour(ago) + HOUR)
    for ago in (29, 12):
        shop.place.lose("requests_1h", {"host": "b"}, hour(ago), hour(ago) + HOUR)
    assert len(shop.place.found(*TARGET)) == len(wanted) - 7

    found = filled(provision)

    assert (found["rows_total"], found["rows_done"]) == (7, 7)
    assert shop.place.found(*TARGET) == wanted


def test_windows_that_are_there_stay_whatever_their_source_became(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)
    reference(shop)
    for ago in (30, 10):
        shop.place.lose("requests_1h", {"host": "a", "path": "/x"}, hour(ago), hour(ago) + HOUR)
    shop.place.lose("requests", {"host": "b"}, hour(20), hour(15))
    before = shop.place.found(*TARGET)
    shop.place.put("raw", *(f"requests,host=a,path=/x bytes=1000i {hour(ago) + 7}" for ago in AGO))
    shop.place.put("hourly", f"requests_1h,host=gone total=77i {hour(25)}")  # its source is gone altogether
    shop.place.put("raw", f"requests,host=gone bytes=1i {hour(24)}")

    found = filled(provision)

    after = shop.place.found(*TARGET)
    assert found["rows_done"] == 3
    assert [row for row in after if row in before] == before
    new = [row for row in after if row not in before]
    assert [(row["time"], row["host"], row["total"]) for row in new] == [
        (hour(30), "a", 30 + 31 + 32 + 33 + 34 + 35 + 1000),
        (hour(25), "gone", 77),
        (hour(24), "gone", 1),
        (hour(10), "a", 10 + 11 + 12 + 13 + 14 + 15 + 1000),
    ]


@pytest.mark.parametrize("instant", range(1, 5))
def test_run_that_ends_after_a_batch_and_before_its_cursor_makes_the_same(
    shop: Shop, provision: Provision, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    shop.fill(AGO)
    advance, calls = LoggedRuns.advance, itertools.count(1)

    def lost(self: LoggedRuns, *arguments: Any) -> None:
        if next(calls) == instant:
            raise RuntimeError("gone")
        advance(self, *arguments)

    monkeypatch.setattr(LoggedRuns, "advance", lost)
    first = provision("backfill", "run", "hours", "--no-lock", "-o", "json")
    between = len(shop.place.found(*TARGET))
    last = filled(provision)

    assert first.code == 5
    assert last["state"] == "succeeded"
    assert instant < 2 or between > 0
    assert shop.place.found(*TARGET) == reference(shop)


def test_run_again_finds_nothing_and_is_a_run_of_its_own(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)
    first, second = filled(provision), filled(provision)

    assert (second["rows_total"], second["rows_done"]) == (0, 0)
    assert first["run"] != second["run"]
    [shown] = json.loads(provision("backfill", "status", "hours", "-o", "json").out)
    assert (shown["run"], shown["state"], shown["cursor"]) == (second["run"], "succeeded", None)


def test_chain_is_filled_from_the_finest_on(shop: Shop, provision: Provision) -> None:
    shop.document("all", "[by_hour, by_day]")
    shop.fill(range(5 * 24, 3, -4))

    found = filled(provision, "all")

    days = shop.place.found("daily", "requests_1d")
    midnight = hour(0) // DAY * DAY
    assert {row["time"] for row in days} == {midnight - each * DAY for each in range(1, 6)}
    assert found["rows_done"] == len(days) + len(shop.place.found(*TARGET))
    shop.place.roll("by_day", midnight - 6 * DAY, midnight)
    assert shop.place.found("daily", "requests_1d") == days


def test_since_and_until_narrow_to_whole_windows(shop: Shop, provision: Provision) -> None:
    shop.fill(AGO)
    shop.document("hours", "by_hour", f"since: {iso(hour(20) + 1)}", f"until: {iso(hour(10) + 3599)[:-1]}")

    filled(provision)

    assert {row["time"] for row in shop.place.found(*TARGET)} == {hour(ago) for ago in range(19, 10, -1)}


def test_windows_that_the_rollup_still_writes_are_left_to_it(shop: Shop, provision: Provision) -> None:
    shop.fill([4, 3, 2, 1, 0])
    shop.document("hours", "by_hour", f"until: {iso(hour(0))}")

    ran = provision("backfill", "run", "hours", "--no-lock")

    assert ran.code == 0
    assert "by_hour: it ends at TIMEZ: what is newer is still written by the rollup itself" in ran.out
    assert {hour(4), hour(3)} <= {row["time"] for row in shop.place.found(*TARGET)}


def test_window_that_has_lost_a_part_of_its_source_is_not_made(on_1: On1, shop_1: Shop, provision: Provision) -> None:
    on_1.raw.ask('ALTER RETENTION POLICY "raw" ON "app" DURATION INF SHARD DURATION 52w')
    shop_1.fill(range(10 * 24, 3, -1))
    on_1.raw.ask('ALTER RETENTION POLICY "raw" ON "app" DURATION 7d SHARD DURATION 1d')
    shop_1.document("hours", "by_hour", f"since: {iso(hour(9 * 24))}")

    ran = provision("backfill", "run", "hours", "--no-lock")

    assert "by_hour: it begins at TIMEZ: what is older is past the time of its tiers, or soon will be" in ran.out
    oldest = min(row["time"] for row in shop_1.place.found(*TARGET))
    assert oldest in (hour(7 * 24) + HOUR, hour(7 * 24) + 2 * HOUR)


@pytest.mark.parametrize("tags", ['"*"', "[]"])
@pytest.mark.parametrize("place", ["on_1", "on_2"])
def test_every_tag_or_none(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provision: Provision,
    place: str,
    tags: str,
) -> None:
    shop = _shop(request.getfixturevalue(place), tmp_path, monkeypatch, tags)
    shop.fill(AGO)
    wanted = reference(shop)
    for ago in (33, 9):
        shop.place.lose("requests_1h", {}, hour(ago), hour(ago) + HOUR)

    found = filled(provision)

    assert found["rows_done"] == (6 - (33 % 3 == 0) - (9 % 3 == 0) if tags != "[]" else 2)
    assert shop.place.found(*TARGET) == wanted


@pytest.mark.usefixtures("shop")
def test_source_without_points_is_said(provision: Provision) -> None:
    ran = provision("backfill", "run", "hours", "--no-lock")

    assert ran.code == 0
    assert "by_hour: raw.requests of app holds no point for it" in ran.out


# What the fix of each wrong document asks for, all in one.
RIGHT = "database: app\nrollup: [by_hour, by_day]"


def test_unknown_rollup_is_refused(shop: Shop, provision: Provision) -> None:
    shop.document("hours", "by_hours")

    ran = provision("backfill", "run", "hours", "--no-lock")

    assert (ran.code, ran.err) == (
        2,
        "error[unknown-rollup]: app has no rollup by_hours\n"
        "  where  backfills/hours.yaml:3:1\n  fix    did you mean by_hour?\n",
    )


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            "database: app\nrollup: [by_hour, weekly]",
            "error[unknown-rollup]: app has no rollup weekly\n"
            "  where  backfills/hours.yaml:3:19\n  fix    its rollups: by_hour, by_day\n",
        ),
        (
            "database: apps\nrollup: by_hour",
            "error[unknown-table]: influx has no database apps\n"
            "  where  backfills/hours.yaml:2:1\n  fix    did you mean app?\n",
        ),
        (
            "database: app\nrollup: [by_day, by_hour]",
            "error[rollup-order]: by_day is made of what by_hour writes, and comes before it\n"
            "  where  backfills/hours.yaml:3:1\n  fix    write by_hour first\n",
        ),
        (
            "database: app\nrollup: by_hour\nsince: yesterday",
            "error[bad-expression]: since is no moment: yesterday\n"
            "  where  backfills/hours.yaml:4:1\n  fix    write TIME\n",
        ),
        (
            "database: app\nrollup: by_hour\nsince: 2020-01-01\nuntil: 2020-02-01 00:00:00",
            "error[empty-range]: by_hour has no window since 2020-01-01 until TIME that can be filled: its tiers hold"
            " whole windows from TIMEZ on, the newest closed one ends at TIMEZ\n"
            "  where  backfills/hours.yaml:4:1\n  fix    correct since and until\n",
        ),
    ],
)
def test_wrong_document_is_refused(shop_1: Shop, provision: Provision, document: str, told: str) -> None:
    (shop_1.folder / "backfills" / "hours.yaml").write_text(f"store: influx\n{document}\n")

    ran = provision("backfill", "run", "hours", "--no-lock")

    assert (ran.code, ran.err) == (2, told)
    (shop_1.folder / "backfills" / "hours.yaml").write_text(f"store: influx\n{RIGHT}\n")
    assert provision("backfill", "run", "hours", "--no-lock").code == 0


def test_query_of_another_shape_is_refused(on_1: On1, shop_1: Shop, provision: Provision) -> None:
    on_1.raw.ask(
        "CREATE CONTINUOUS QUERY odd ON app BEGIN SELECT percentile(bytes, 9) INTO app.daily.odd FROM app.raw.requests"
        " GROUP BY time(1h) END"
    )
    shop_1.document("hours", "odd")

    assert provision("backfill", "run", "hours", "--no-lock").err == (
        "error[foreign-rollup]: odd of app is not what create_rollup makes: its windows cannot be told\n"
        "  where  backfills/hours.yaml:3:1\n  fix    name a rollup that a file makes\n"
    )
    shop_1.document("hours", "by_hour")
    assert provision("backfill", "run", "hours", "--no-lock").code == 0


def test_window_that_cannot_be_written_is_named_and_can_be_passed_over(
    on_1: On1, shop_1: Shop, provision: Provision
) -> None:
    shop_1.fill(range(75, 3, -1))
    day = hour(0) // DAY * DAY - 2 * DAY
    on_1.put("hourly", f'requests_1h,host=typed total="text" {day}')  # a shard holds one type of a field

    failed = provision("backfill", "run", "hours", "--no-lock")
    passed = provision("backfill", "run", "hours", "--no-lock", "--skip-failed", "30")

    assert (failed.code, passed.code) == (5, 7)
    assert "error[batch-failed]: by_hour from " in failed.err
    assert "field type conflict" in failed.err
    assert "24 rows could not be filled and were passed over; the rest is filled" in passed.err
    made = {row["time"] for row in on_1.found(*TARGET) if row["host"] != "typed"}
    assert made == {hour(ago) for ago in range(75, 3, -1)} - set(range(day, day + DAY, HOUR))


@pytest.mark.parametrize(("method", "call"), [("run", 1), ("run", 3), ("write", 4), ("write", 6)])
def test_answer_that_is_lost_is_asked_for_again(
    shop_1: Shop, provision: Provision, monkeypatch: pytest.MonkeyPatch, method: str, call: int
) -> None:
    shop_1.fill(AGO)
    send, calls = getattr(Server1, method), itertools.count(1)

    def lost(self: Server1, *arguments: Any) -> None:
        send(self, *arguments)
        if any("INTO" in each or each.startswith("backfills,") for each in arguments) and next(calls) == call:
            raise FailedError("server-lost", "the server went away during a run: timed out", where=self.shown)

    monkeypatch.setattr(Server1, method, lost)

    found = filled(provision)

    assert next(calls) > call
    assert found["state"] == "succeeded"
    assert shop_1.place.found(*TARGET) == reference(shop_1)


def test_rollup_dropped_under_a_run_stops_it(
    on_1: On1, shop_1: Shop, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_1.fill(AGO)
    advance, calls = LoggedRuns.advance, itertools.count(1)

    def dropped(self: LoggedRuns, *arguments: Any) -> None:
        advance(self, *arguments)
        if next(calls) == 2:
            on_1.raw.ask("DROP CONTINUOUS QUERY by_hour ON app")

    monkeypatch.setattr(LoggedRuns, "advance", dropped)

    ran = provision("backfill", "run", "hours", "--no-lock")

    assert ran.code == 5
    assert "the schema changed under the run: rollup by_hour of app is not there any more" in ran.err

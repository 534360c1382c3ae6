"""What goes wrong with windows is told clearly, and nothing is dropped for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provision.flows import partitions as flow
from provision.stores.postgres.partitions.retire import WindowRetirer
from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, Killed, describe, execute, killed_at, windows

RETAIN = "retain: 61 days"


@pytest.fixture
def due(events: Project) -> Project:
    """Two windows whose time is over, and a row after them."""
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    execute(events, "insert into events (at, id) values ('2026-07-05', 1), ('2026-08-30', 2), ('2026-11-01', 3)")
    describe(events, more=RETAIN)
    return events


@pytest.fixture
def stranger(due: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The commands are run by a user who owns nothing."""
    [(database,)] = due.rows("select current_database()")
    name = f"stranger_{database}"
    execute(due, f"create role {name} login password 'x'; grant usage, create on schema public to {name}")
    owner = due.url
    monkeypatch.setenv("PEERS_URL", owner.replace("://", f"://{name}:x@", 1) if "@" not in owner else _as(owner, name))
    yield due
    execute(due, f"drop owned by {name}; drop role {name}")


def _as(url: str, name: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{name}:x@{rest.rpartition('@')[2]}"


TABLES = {
    "plain": ("create table b (at date not null)", "b is not partitioned", 3),
    "view": ("create view b as select now() as at", "b is not partitioned", 3),
    "list": ("create table b (at date not null) partition by list (at)", "b is partitioned by list", 3),
    "hash": ("create table b (at date not null) partition by hash (at)", "b is partitioned by hash", 3),
    "two": (
        "create table b (at date, id int) partition by range (at, id)",
        "by more than one column, or by an expr",
        3,
    ),
    "expression": (
        "create table b (at date) partition by range ((at + 1))",
        "by more than one column, or by an expr",
        3,
    ),
    "type": ("create table b (at bigint) partition by range (at)", "b is partitioned by at of type bigint", 4),
    "name": ('create table b ("At" date) partition by range ("At")', "b is partitioned by At, not by at", 4),
    "hours": ("create table b (at date) partition by range (at)", "of type date, and a window holds 6 hours", 5),
    "none": ("select 1", "there is no table b", 3),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_is_not_as_its_document_says_is_told_and_stops_no_other(events: Project, case: str) -> None:
    sql, said, line = TABLES[case]
    execute(events, sql)
    describe(events, "b", "b", interval="6 hours" if case == "hours" else "1 month", more="retain: 61 days")

    for command, code in (("ensure", 2), ("retire", 2), ("merge", 2), ("list", 1), ("forecast", 1)):
        ran = events.provision("partitions", command, *NOW)
        assert (ran.code, said in ran.err + ran.out) == (code, True), ran.out + ran.err
        assert code == 1 or f"partitions/b.yaml:{line}:1" in ran.err
    if case not in ("plain", "none"):
        assert events.provision("partitions", "convert", "b", "--dry-run").code == 3
    assert len([name for name, _ in windows(events, "events", *NOW)]) == 5


def test_a_name_that_is_none_is_written_as_the_fix_says(events: Project) -> None:
    execute(events, 'create table "My b.c" (at timestamptz not null) partition by range (at)')
    describe(events, "b", "My b.c")
    assert (ran := events.provision("partitions", "ensure", *NOW)).code == 2
    assert "wrong-table" in ran.err

    assert """table: '"My table"'""" in ran.err
    describe(events, "b", """'"My b.c"'""")
    assert (ran := events.provision("partitions", "ensure", *NOW)).code == 0, ran.err


def test_two_documents_of_one_table_are_told_and_nothing_is_done(due: Project) -> None:
    describe(due, "other", "public.events", interval="1 day", more="retain: 5 days")
    before = due.rows("select count(*) from pg_inherits")

    for command, code in (("ensure", 2), ("retire", 2), ("list", 1), ("forecast", 1)):
        ran = due.provision("partitions", command, *NOW)
        assert ran.code == code
        assert "events is described by partitions/other.yaml too" in ran.out + ran.err
        assert "public.events is described by partitions/events.yaml too" in ran.out + ran.err
    (due.root / "maintain.yaml").write_text("jobs:\n  r: {store: postgres, every: day, partitions: retire}\n")
    ran = due.provision("maintain", "run")
    assert (ran.code, ran.err.count("too\n")) == (2, 2), ran.err
    assert due.rows("select count(*) from pg_inherits") == before


@pytest.mark.parametrize("both", ["{0}---\n{0}", "{0}...\n---\n{0}"])
def test_a_file_of_several_documents_is_told(events: Project, both: str) -> None:
    path = describe(events)
    path.write_text(both.format(path.read_text().lstrip()))

    ran = events.provision("partitions", "ensure", *NOW)

    assert (ran.code, "the file holds more than one document" in ran.err) == (2, True), ran.err
    assert "put what follows into a file of its own" in ran.err


@pytest.mark.parametrize("command", ["ensure", "retire", "merge"])
def test_a_user_without_the_right_is_told_and_changes_nothing(stranger: Project, command: str) -> None:
    if command == "merge":
        describe(stranger, interval="1 day", more="merge_after: {age: 2 days, into: quarter}")
    before = stranger.rows("select count(*) from pg_inherits")
    as_of = ("--as-of", "2027-05-01") if command == "ensure" else NOW

    ran = stranger.provision("partitions", command, *as_of)

    assert ran.code in (2, 5), ran.out + ran.err
    assert "permission denied" in ran.err or "must be owner" in ran.err, ran.err
    assert "GRANT" in ran.err or "owner" in ran.err
    assert stranger.rows("select count(*) from pg_inherits") == before
    assert stranger.rows("select count(*) from events") == [(3,)]


def test_a_default_partition_that_may_not_be_read_is_told(stranger: Project) -> None:
    execute(stranger, "create table rest partition of events default")

    ran = stranger.provision("partitions", "ensure", *NOW)

    assert (ran.code, "error[not-allowed]" in ran.err) == (2, True), ran.err
    assert "GRANT SELECT ON public.rest TO stranger_" in ran.err


@pytest.mark.parametrize(("apart", "told"), [(timedelta(seconds=8), True), (timedelta(seconds=3), False)])
@pytest.mark.parametrize("command", ["list", "ensure", "forecast"])
def test_clocks_that_differ_are_told_and_the_servers_counts(
    events: Project, monkeypatch: pytest.MonkeyPatch, apart: timedelta, told: bool, command: str
) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - apart

    events.done("partitions", "ensure")
    monkeypatch.setattr(flow, "datetime", Late)

    ran = events.provision("partitions", command)

    said = "s ahead of this machine's"
    assert (said in ran.out + ran.err) is told
    assert ran.code == 0, ran.out
    assert f"{datetime.now(UTC):%Y-%m}" in events.done("partitions", "list").out


def test_a_retention_that_would_empty_the_table_keeps_its_last_window(due: Project) -> None:
    execute(due, "delete from events where id = 3")

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "error[would-empty]" in ran.err) == (3, True), ran.err
    assert "events_p2026_08 holds the last rows of public.events" in ran.err
    assert due.rows("select id from events") == [(2,)]
    assert due.provision("partitions", "retire", *NOW).code == 3
    assert due.rows("select id from events") == [(2,)]


def test_a_window_that_is_written_to_while_it_is_retired_is_kept(due: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    detach = WindowRetirer.detach

    def late(self: WindowRetirer, *given: Any) -> None:
        execute(due, "insert into events (at, id) values ('2026-07-09', 9)")
        monkeypatch.setattr(WindowRetirer, "detach", detach)
        detach(self, *given)

    monkeypatch.setattr(WindowRetirer, "detach", late)

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "error[window-filled]" in ran.err) == (5, True), ran.err
    assert "events_p2026_07 was written to while it was retired: 1 rows were 2" in ran.err
    assert due.rows("select id from events_p2026_07 order by 1") == [(1,), (9,)]
    due.done("partitions", "retire", *NOW)
    assert due.rows("select id from events_p2026_07 order by 1") == [(1,), (9,)]
    assert ("events_p2026_07", "retired") in windows(due, *NOW)
    assert due.rows("select to_regclass('events_p2026_08')") == [(None,)]


def test_a_window_that_is_written_to_before_a_killed_run_is_gone_on_with_is_kept(due: Project) -> None:
    with killed_at("detach partition"), pytest.raises(Killed):
        due.provision("partitions", "retire", *NOW)
    execute(
        due,
        "insert into events (at, id) values ('2026-07-09', 9);alter table events detach partition events_p2026_07",
    )

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "error[window-filled]" in ran.err) == (5, True), ran.err
    assert due.rows("select id from events_p2026_07 order by 1") == [(1,), (9,)]


def test_numbers_of_a_restored_dump_drop_no_other_table(due: Project) -> None:
    """A dump keeps the numbers that tables had elsewhere; here another table has them."""
    with killed_at("drop table"), pytest.raises(Killed):
        due.provision("partitions", "retire", *NOW)
    execute(due, "create table other (v int); update provision.partition_log set relation = 'other'::regclass")
    describe(due, more="merge_after: {age: 24 months, into: year}")
    due.done("partitions", "ensure", "--as-of", "2023-11-30")
    describe(due, interval="1 month", more="merge_after: {age: 2 months, into: quarter}")
    with killed_at("repeatable read"), pytest.raises(Killed):
        due.done("partitions", "merge", *NOW)
    execute(due, "update provision.partition_merge set relation = 'other'::regclass")
    describe(due, more=RETAIN)

    due.done("partitions", "merge", *NOW)
    due.provision("partitions", "retire", *NOW)

    assert due.rows("select count(*) from other") == [(0,)]


def test_windows_made_under_another_interval_go_on_beside_the_new_ones(due: Project) -> None:
    describe(due, interval="1 day", more="retain: 365 days")

    due.done("partitions", "ensure", "--as-of", "2027-02-27")

    names = [name for name, _ in windows(due, "--as-of", "2027-02-27")]
    assert names[-3:] == ["events_p2027_02", "events_p2027_03_01", "events_p2027_03_02"]
    assert due.provision("partitions", "list", "--as-of", "2027-02-27").code == 0


def test_a_table_that_has_a_windows_name_and_is_none_is_left_alone(events: Project) -> None:
    execute(events, "create table events_p2026_12 (note text); insert into events_p2026_12 values ('mine')")

    events.done("partitions", "ensure", *NOW)

    assert events.rows("select note from events_p2026_12") == [("mine",)]
    assert "events_p2026_12_01_000000" in [name for name, _ in windows(events, *NOW)]
    execute(events, "insert into events (at, id) values ('2026-12-24', 1)")


def test_a_window_by_hand_over_another_is_refused_by_the_server_and_ours_go_on(events: Project) -> None:
    execute(
        events,
        "set timezone to 'UTC'; create table x partition of events for values from ('2026-11-01') to ('2026-11-20')",
    )
    with pytest.raises(Exception, match="would overlap"):
        execute(events, "create table y partition of events for values from ('2026-11-10') to ('2026-12-20')")

    events.done("partitions", "ensure", *NOW)

    assert [name for name, _ in windows(events, *NOW)][1:4] == ["x", "events_p2026_11_20", "events_p2026_12"]

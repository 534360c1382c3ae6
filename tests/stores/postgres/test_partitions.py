"""Windows of real tables are there before they are needed, and leave when their time is over."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest

from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, describe, execute, windows

SPAN = """
insert into events (at, id, model) select generate_series('2026-10-01 00:00Z'::timestamptz, '2027-02-28', '1 day'), 1, 1
"""


@pytest.fixture(params=["15", "18"])
def postgres_15(request: pytest.FixtureRequest, postgres_15: str) -> str:
    """What the databases of this file are made on: each of the two in turn."""
    url: str = postgres_15 if request.param == "15" else request.getfixturevalue("postgres_18")
    return url


def test_ensure_makes_what_is_missing_and_a_second_run_nothing(events: Project) -> None:
    ran = events.done("partitions", "ensure", *NOW)

    assert "made 5 windows, takes rows until 2027-03-01" in ran.out
    expected = [f"events_p{month}" for month in ("2026_10", "2026_11", "2026_12", "2027_01", "2027_02")]
    assert [name for name, _ in windows(events, *NOW)] == expected
    execute(events, SPAN)
    assert "nothing to do" in events.done("partitions", "ensure", *NOW).out
    assert events.rows("select count(*) from pg_indexes where tablename = 'events_p2026_11'") == [(2,)]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_the_zone_of_session_and_machine_changes_nothing(
    events: Project, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.done("partitions", "ensure", *NOW)
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setenv("PGTZ", zone)
    [(database,)] = events.rows("select current_database()")
    execute(events, f"alter database {database} set timezone to '{zone}'")

    assert "nothing to do" in events.done("partitions", "ensure", *NOW).out
    assert len(windows(events, *NOW)) == 5


def test_windows_made_by_hand_are_kept_and_what_is_left_beside_them_is_made(events: Project) -> None:
    execute(
        events,
        "set timezone to 'UTC';"
        "create table by_hand partition of events for values from ('2026-11-10') to ('2026-12-05');"
        "create table first partition of events for values from (minvalue) to ('2026-10-15')",
    )

    events.done("partitions", "ensure", *NOW)

    names = [name for name, _ in windows(events, *NOW)]
    assert names[:4] == ["first", "events_p2026_10_15", "events_p2026_11_01", "by_hand"]
    assert names[4:] == ["events_p2026_12_05", "events_p2027_01", "events_p2027_02"]
    execute(events, SPAN)


def test_rows_of_the_default_partition_move_into_their_windows(events: Project) -> None:
    execute(events, "create table rest partition of events default")
    execute(events, SPAN)
    execute(events, "insert into events (at, id) values ('1999-01-01', 7)")
    every = "select count(*), sum(hashtext(e::text)) from events e"
    before = events.rows(every)

    events.done("partitions", "ensure", *NOW)

    assert events.rows(every) == before
    assert events.rows("select id from rest") == [(7,)]
    listed = events.provision("partitions", "list", *NOW)
    assert (listed.code, "1 row is in the default partition" in listed.out) == (1, True), listed.out


RETIRED = {
    "drop": ("on_retire: drop", []),
    "detach": ("on_retire: detach", [("public", "events_p2026_07"), ("public", "events_p2026_08")]),
    "move": ("on_retire: move archive", [("archive", "events_p2026_07"), ("archive", "events_p2026_08")]),
}


@pytest.mark.parametrize("default", [False, True], ids=["plain", "default"])
@pytest.mark.parametrize(("more", "left"), RETIRED.values(), ids=RETIRED)
def test_windows_whose_time_is_over_leave(
    events: Project, more: str, left: list[tuple[str, str]], default: bool
) -> None:
    if default:
        execute(events, "create table rest partition of events default")
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    execute(events, "insert into events (at, id) values ('2026-07-05', 1), ('2026-08-30', 2), ('2026-09-01', 3)")
    describe(events, more=f"retain: 61 days\n{more}")
    assert "would retire 2 windows" in events.done("partitions", "retire", "--dry-run", *NOW).out
    assert events.rows("select count(*) from events") == [(3,)]

    ran = events.done("partitions", "retire", *NOW)

    assert "retired 2 windows" in ran.out
    assert events.rows("select id from events") == [(3,)]
    found = "select schemaname, tablename from pg_tables where tablename ~ '2026_0[78]' order by 2"
    assert events.rows(found) == left
    log = "select name, action, done_at is not null from provision.partition_log order by id"
    assert events.rows(log) == [(f"events_p2026_0{n}", more.split()[1], True) for n in (7, 8)]
    assert "nothing to do" in events.done("partitions", "retire", *NOW).out


def test_a_table_that_fails_does_not_stop_the_others(events: Project) -> None:
    execute(events, "create table plain (at timestamptz); create table more (at date) partition by range (at)")
    for name in ("absent", "plain", "more"):
        describe(events, name, name)

    ran = events.provision("partitions", "ensure", *NOW)

    assert ran.code == 2
    assert "there is no table absent" in ran.err
    assert "plain is not partitioned" in ran.err
    assert "partitions/plain.yaml:3:1" in ran.err
    assert ran.out.count("made 5 windows") == 2


def test_what_failed_is_in_the_one_document_that_is_printed(events: Project) -> None:
    describe(events, "absent", "absent")

    ran = events.provision("partitions", "ensure", "-o", "json", *NOW)

    absent, made = json.loads(ran.out)
    assert ran.code == 2
    assert (absent["error"], len(made["windows"])) == ("there is no table absent", 5)
    assert "write its migration first" in absent["fix"]


WRONG = {
    "list": ("create table w (at text) partition by list (at)", "partitioned by list"),
    "hash": ("create table w (at timestamptz) partition by hash (at)", "partitioned by hash"),
    "two": ("create table w (at timestamptz, b int) partition by range (at, b)", "by more than one column"),
    "expression": ("create table w (at timestamptz) partition by range ((at at time zone 'UTC'))", "by an expression"),
    "column": ("create table w (at int, made timestamptz) partition by range (made)", "write column: made"),
    "type": ("create table w (at bigint) partition by range (at)", "of type bigint"),
    "view": ("create view w as select now() as at", "w is not partitioned"),
}


@pytest.mark.parametrize(("sql", "said"), WRONG.values(), ids=WRONG)
def test_a_table_that_has_no_such_windows_is_told(events: Project, sql: str, said: str) -> None:
    execute(events, sql)
    describe(events, "w", "w")

    ran = events.provision("partitions", "ensure", "w", *NOW)

    assert (ran.code, said in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("name", ['x"; drop table models; --', "a.b.c.d", "events; select 1", "$$", "'"])
def test_no_name_of_a_table_is_more_than_a_name(events: Project, name: str) -> None:
    describe(events, table=json.dumps(name))

    ran = events.provision("partitions", "ensure", *NOW)

    assert ran.code == 2, ran.out
    assert events.rows("select count(*) from models") == [(1,)]


def test_a_writer_of_what_a_foreign_key_names_waits_for_no_more_than_a_moment(events: Project) -> None:
    waited: list[float] = []
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with psycopg.connect(events.url) as connection:
            connection.execute("insert into models values (2)")
            held.set()
            done.wait(1.5)

    def write() -> None:
        with psycopg.connect(events.url, autocommit=True) as connection:
            clock = "select extract(epoch from clock_timestamp())"
            while not done.is_set():
                before: Any = connection.execute(clock).fetchone()
                connection.execute("insert into models values (3) on conflict do nothing")
                after: Any = connection.execute(clock).fetchone()
                waited.append(float(after[0] - before[0]))

    threads = [threading.Thread(target=hold), threading.Thread(target=write)]
    for each in threads:
        each.start()
    held.wait(10)

    events.done("partitions", "ensure", *NOW)
    done.set()
    for each in threads:
        each.join()

    assert len(windows(events, *NOW)) == 5
    assert max(waited) < 2


def test_what_still_is_referenced_stays(events: Project) -> None:
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    execute(
        events,
        "insert into events (at, id) values ('2026-07-05', 1), ('2026-11-05', 2);"
        "create table notes (id int, at timestamptz, foreign key (id, at) references events (id, at));"
        "insert into notes values (1, '2026-07-05')",
    )
    describe(events, more="retain: 61 days")

    ran = events.provision("partitions", "retire", *NOW)

    assert ran.code == 5, ran.out
    assert "events_p2026_07 is still referenced, and stays" in ran.err
    assert events.rows("select id from events order by 1") == [(1,), (2,)]
    execute(events, "drop table notes")
    events.done("partitions", "retire", *NOW)
    assert events.rows("select count(*) from events") == [(1,)]


def test_what_a_killed_run_left_half_detached_is_finished(events: Project) -> None:
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    with psycopg.connect(events.url) as reader:
        reader.execute("select count(*) from events")
        with psycopg.connect(events.url, autocommit=True) as killed:
            killed.execute("set statement_timeout = '500ms'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                killed.execute("alter table events detach partition events_p2026_07 concurrently")
    assert ("events_p2026_07", "detaching") in windows(events, *NOW)
    describe(events, more="retain: 61 days")

    events.done("partitions", "retire", *NOW)

    assert windows(events, *NOW)[0] == ("events_p2026_09", "attached")


BAD = {
    "interval: 1 fortnight": "write how long a window is, such as 1 month",
    "retain: 3 days": "rows are kept for 3 days, and a window holds 1 month",
    "on_retire: burn": "drop, detach, move SCHEMA, or export FOLDER",
    "ahead: -1": "ahead",
    "aheed: 3": "did you mean ahead",
}


@pytest.mark.parametrize(("line", "said"), BAD.items(), ids=BAD)
def test_a_wrong_document_is_told_with_its_line(events: Project, line: str, said: str) -> None:
    path = describe(events)
    key = line.split(":")[0]
    kept = [each for each in path.read_text().splitlines() if not each.startswith(f"{key}:")]
    path.write_text("\n".join([*kept, line]) + "\n")

    ran = events.provision("partitions", "list", *NOW)

    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert "partitions/events.yaml:" in ran.err


def test_up_makes_windows_and_status_and_doctor_say_when_they_run_out(events: Project) -> None:
    events.write("0001")
    assert "would make 5 windows of events" in events.done("up", "--dry-run").out
    assert events.rows("select count(*) from pg_inherits where inhparent = 'events'::regclass") == [(0,)]
    short = events.provision("status", "--check")
    assert (short.code, "events takes no row now" in short.out) == (1, True), short.out

    ran = events.done("up")

    assert "made 5 windows of events" in ran.out
    execute(events, "insert into events (at, id) values (now(), 1)")
    assert events.done("status", "--check").code == 0
    assert "nothing to do" in events.done("up").out
    assert "events takes rows until" in events.provision("doctor").out
    execute(
        events,
        "do $$ declare each record; begin for each in select inhrelid::regclass as name from pg_inherits"
        " where inhparent = 'events'::regclass order by 1 desc limit 2 loop"
        " execute format('drop table %s', each.name); end loop; end $$",
    )
    short = events.provision("status", "--check")
    assert (short.code, "events runs out soon" in short.out) == (1, True), short.out
    ill = events.provision("doctor")
    assert (ill.code, "events runs out soon" in ill.out) == (1, True), ill.out
    assert "2 windows of partitioned tables made" in events.done("up").out
    assert events.done("status", "--check").code == 0


def test_up_leaves_out_a_table_that_is_not_there_yet(events: Project) -> None:
    events.write("0001")
    describe(events, "later", "later")

    assert "made 5 windows of events" in events.done("up").out

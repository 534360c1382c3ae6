"""A window is in a file, proved to be whole, before anything of it is dropped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.backfill.machines import fill_up, leave, small_disk
from tests.fixes.following import failed, fix_of
from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, Killed, describe, execute, killed_at, on_both, windows

TYPES = """
create type mood as enum ('glad', 'sad, "and" so');
create table kinds (
    at timestamptz not null, "A ""quoted"" ä" text, a text, "A" text, yes boolean, s smallint, i int, b bigint,
    r real, d double precision, n numeric(20, 8), wide numeric(60, 3), free numeric, day date, plain timestamp, t time,
    span interval, u uuid, j jsonb, x bytea, list text[], m mood, net inet, v text generated always as ('v') stored
) partition by range (at);
"""
ROWS = r"""
insert into kinds (at, a, "A", yes, s, i, b, r, d, n, wide, free, day, plain, t, span, u, j, x, list, m, net) values
('2026-07-05 01:02:03.123456Z', '', null, true, -1, 1, 9223372036854775807, 1.1, 0.1 + 0.2, 1.00000001, 1e50, 1e-20,
 '2024-02-29', '2026-07-05 23:59:59.999999', '12:34:56.7', '1 mon -3 days', '6f0e4c2e-1111-4222-8333-944444444444',
 '{"a": [1, null, "x,\n\"y"]}', '\x00ff', array['a', null, 'b,"c'], 'sad, "and" so', '10.0.0.1/8'),
('2026-07-05', E'line\r\nbreak, "quote"', 'NULL', false, 1, -1, 0, 'NaN', '-Infinity', null, null, 'NaN',
 null, null, null, null, null, 'null', '', '{}', 'glad', null),
('2026-07-06', '\.', '\N', null, null, null, null, 'Infinity', 1e300, -0.5, 0, 0, null, null, null, null, null, null,
 null, null, null, null)
"""


@pytest.fixture
def due(events: Project) -> Project:
    """A table with two windows of a row each whose time is over."""
    events.done("partitions", "ensure", "--from", "2026-07-01", *NOW)
    execute(events, "insert into events (at, id) values ('2026-07-05', 1), ('2026-08-30', 2), ('2026-09-01', 3)")
    describe(events, more="retain: 61 days\non_retire: export archive/events")
    return events


def files(project: Project) -> list[str]:
    return sorted(path.name for path in (project.root / "archive").glob("events/*.parquet"))


@on_both
def test_windows_are_in_files_before_they_are_dropped(due: Project) -> None:
    ran = due.done("partitions", "retire", *NOW)

    assert "retired 2 windows" in ran.out
    assert files(due) == ["events_p2026_07.parquet", "events_p2026_08.parquet"]
    read = parquet.read_table(due.root / "archive" / "events" / "events_p2026_07.parquet")
    assert [f"{each['at']:%F} {each['id']} {each['model']}" for each in read.to_pylist()] == ["2026-07-05 1 None"]
    assert due.rows("select id from events") == [(3,)]
    assert due.rows("select count(*) from pg_tables where tablename ~ '2026_0[78]'") == [(0,)]
    assert due.rows("select distinct action, done_at is not null from provision.partition_log") == [("export", True)]


@pytest.mark.parametrize("beyond", ["", "insert into kinds (at, day) values ('2026-07-07', 'infinity')"])
def test_values_of_every_type_come_back_as_they_were(events: Project, beyond: str) -> None:
    execute(events, TYPES)
    describe(events, "kinds", "kinds")
    events.done("partitions", "ensure", "kinds", "--from", "2026-07-01", *NOW)
    execute(events, f"{ROWS}; insert into kinds (at) values ('2026-11-01'); {beyond}")
    describe(events, "kinds", "kinds", more="retain: 61 days\non_retire: export archive")

    ran = events.done("partitions", "retire", "kinds", *NOW)

    assert ("its columns are written as text" in ran.out) is bool(beyond)
    read = parquet.read_table(events.root / "archive" / "kinds_p2026_07.parquet").to_pylist()
    assert [each["a"] for each in read][:3] == ["", 'line\r\nbreak, "quote"', "\\."]
    assert [each["A"] for each in read][:3] == [None, "NULL", "\\N"]
    assert read[0]["b"] == ("9223372036854775807" if beyond else 9223372036854775807)
    assert events.rows("select count(*) from kinds") == [(1,)]


def test_a_file_that_does_not_hold_the_rows_keeps_the_window(due: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from provision.stores.postgres.partitions import export

    monkeypatch.setattr(export, "read_back", lambda _path: iter([b"2026-07-05 00:00:00Z,2,\n"]))

    ran = due.provision("partitions", "retire", *NOW)

    assert ran.code == 5
    assert "error[export-failed]: events_p2026_07 was not exported, and nothing of it was dropped" in ran.err
    assert due.rows("select count(*) from events") == [(3,)]
    assert files(due) == []


def test_a_full_disk_drops_nothing_and_the_next_run_goes_on(due: Project) -> None:
    execute(due, "insert into events (at, id) select '2026-07-06', n * 7919 from generate_series(1, 60000) n")
    with small_disk(4) as place:
        describe(due, more=f"retain: 61 days\non_retire: export {place}")
        fill_up(place, 64)

        ran = due.provision("partitions", "retire", *NOW)

        assert (ran.code, "No space left on device" in ran.err) == (5, True), ran.err
        assert due.rows("select count(*) from events") == [(60003,)]
        assert not [*place.glob("*.parquet*"), *place.glob(".*.part")]
        leave(place, 4096)
        due.done("partitions", "retire", *NOW)
        assert due.rows("select count(*) from events") == [(1,)]


@pytest.mark.parametrize("folder", ["/nowhere/at/all", "provision.toml", "locked"])
def test_a_folder_that_cannot_be_written_to_is_told_and_drops_nothing(
    due: Project, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder == "locked":
        monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser of tests may write anywhere
    describe(due, more=f"retain: 61 days\non_retire: export {folder}")

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "error[export-folder]" in ran.err) == (2, True), ran.err
    assert f"{folder} cannot be exported to" in ran.err
    assert due.rows("select count(*) from events") == [(3,)]


def test_a_folder_that_is_not_there_is_made_as_the_fix_says(due: Project, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    describe(due, more=f"retain: 61 days\non_retire: export {folder}")
    ran = failed("export-folder", due.provision("partitions", "retire", *NOW))
    assert "make the folder, or mount its disk, for the user who runs this" in fix_of(ran)

    folder.mkdir()
    assert "retired 2 windows" in due.done("partitions", "retire", *NOW).out
    assert sorted(path.name for path in folder.iterdir()) == [
        "events_p2026_07.parquet",
        "events_p2026_08.parquet",
    ]


@on_both
def test_a_run_that_is_killed_at_any_statement_is_gone_on_with(due: Project) -> None:
    for number in range(5, 60):
        with killed_at(number) as sent:
            try:
                due.done("partitions", "retire", *NOW)
            except Killed:
                kept = due.rows("select count(*) from pg_tables where tablename ~ 'events_p2026_0[78]'")[0][0]
                assert kept + len(files(due)) >= 2, sent
                continue
        break

    assert sent[-1] != "killed"
    assert files(due) == ["events_p2026_07.parquet", "events_p2026_08.parquet"]
    assert due.rows("select id from events") == [(3,)]
    assert windows(due, *NOW)[0][0] == "events_p2026_09"


def test_a_file_of_other_rows_is_not_written_over(due: Project) -> None:
    folder = due.root / "archive" / "events"
    folder.mkdir(parents=True)
    (folder / "events_p2026_07.parquet").write_bytes(b"mine")

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "is there already, and is of other rows" in ran.err) == (5, True), ran.err
    assert (folder / "events_p2026_07.parquet").read_bytes() == b"mine"
    assert due.rows("select count(*) from events") == [(3,)]


def test_rows_that_come_while_a_window_is_retired_are_in_its_file(
    due: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provision.stores.postgres.partitions.retire import WindowRetirer

    detach = WindowRetirer.detach

    def late(self: WindowRetirer, *given: object) -> None:
        execute(due, "insert into events (at, id) values ('2026-07-09', 9)")
        monkeypatch.setattr(WindowRetirer, "detach", detach)
        detach(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(WindowRetirer, "detach", late)

    due.done("partitions", "retire", *NOW)

    read = parquet.read_table(due.root / "archive" / "events" / "events_p2026_07.parquet")
    assert sorted(read["id"].to_pylist()) == [1, 9]


def test_without_pyarrow_nothing_is_taken_out(due: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    ran = due.provision("partitions", "retire", *NOW)

    assert (ran.code, "provision-toolkit[export]" in ran.err) == (2, True), ran.err
    assert due.rows("select count(*) from events") == [(3,)]

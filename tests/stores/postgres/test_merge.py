"""Old windows become parts of a coarser one: no row is lost, doubled or out of sight, wherever the run is killed."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, Killed, describe, execute, killed_at, on_both, windows

MERGE = "merge_after: {age: 24 months, into: year}"
EVERY = "select count(*), sum(hashtextextended(e::text, 0)) from events e"
FILLED = """
insert into events (at, id, model) select at, 1, 1
from generate_series('2023-01-01 00:00Z'::timestamptz, '2023-12-31', '6 hours') at
"""
LEFT = """
select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
where nspname = 'provision' and relname ~ 'partition_merge_[0-9]+$'
union all select count(*) from pg_trigger where tgname ~ '^provision_merge'
union all select count(*) from pg_proc where proname ~ '^partition_merge'
union all select count(*) from pg_tables where tablename ~ 'events_p2023_'
"""


@pytest.fixture
def history(events: Project) -> Project:
    events.done("partitions", "ensure", "--from", "2023-01-01", *NOW)
    execute(events, FILLED)
    describe(events, more=MERGE)
    return events


@on_both
def test_a_year_of_months_becomes_one_window(history: Project) -> None:
    before = history.rows(EVERY)
    dry = history.done("partitions", "merge", "--dry-run", *NOW)
    assert "would merge into 1 window" in dry.out
    assert "2023-01-01 … 2024-01-01" in dry.out
    assert history.rows("select count(*) from pg_tables where tablename = 'events_p2023'") == [(0,)]

    ran = history.done("partitions", "merge", *NOW)

    assert "merged into 1 window" in ran.out
    assert history.rows(EVERY) == before
    assert windows(history, *NOW)[:2] == [("events_p2023", "attached"), ("events_p2024_01", "attached")]
    assert history.rows(LEFT) == [(0,)] * 4
    assert history.rows("select count(*) from pg_indexes where tablename = 'events_p2023'") == [(2,)]
    keys = "select count(*), bool_and(convalidated) from pg_constraint where conrelid = 'events_p2023'::regclass"
    assert history.rows(f"{keys} and contype = 'f'") == [(1, True)]
    assert history.rows(f"{keys} and contype = 'c'") == [(0, None)]
    assert "nothing to do" in history.done("partitions", "merge", *NOW).out
    assert "nothing to do" in history.done("partitions", "ensure", "--from", "2023-01-01", *NOW).out


@pytest.mark.parametrize("into", ["quarter", "year"])
def test_a_merge_of_what_is_only_partly_there_and_made_by_hand(events: Project, into: str) -> None:
    execute(
        events,
        "create table rest partition of events default;"
        "create table by_hand (v text generated always as ('v') stored, model int, id int not null,"
        " at timestamptz not null);"
        "set timezone to 'UTC';"
        "alter table events attach partition by_hand for values from ('2023-01-10') to ('2023-02-15')",
    )
    events.done("partitions", "ensure", "--from", "2023-01-01", *NOW)
    execute(events, FILLED)
    before = events.rows(EVERY)
    describe(events, more=f"merge_after: {{age: 24 months, into: {into}}}")

    events.done("partitions", "merge", *NOW)

    assert events.rows(EVERY) == before
    assert events.rows("select count(*) from rest") == [(0,)]
    assert events.rows("select count(*) from pg_tables where tablename = 'by_hand'") == [(0,)]
    first = {"quarter": "events_p2023_01", "year": "events_p2023"}[into]
    assert windows(events, *NOW)[0] == (first, "attached")


@on_both
def test_a_merge_killed_at_any_statement_is_gone_on_with(history: Project) -> None:
    """At a sample of its statements; before and after each, the table holds every row once."""
    before = history.rows(EVERY)
    killed = 0
    for _ in range(20):
        place = random.randrange(12, 70)
        with killed_at(place) as sent, suppress(Killed):
            history.done("partitions", "merge", *NOW)
        assert history.rows(EVERY) == before, sent
        if sent[-1] != "killed":
            break
        killed += 1
    history.done("partitions", "merge", *NOW)

    assert killed
    assert history.rows(EVERY) == before
    assert windows(history, *NOW)[0][0] == "events_p2023"
    assert history.rows(LEFT) == [(0,)] * 4


@contextmanager
def meanwhile(project: Project, *work: str) -> Iterator[list[tuple[str, object]]]:
    """Each statement again and again in a session of its own, while the block runs; what each returned or raised."""
    found: list[tuple[str, object]] = []
    over = threading.Event()

    def runs(sql: str) -> None:
        with psycopg.connect(project.url, autocommit=True) as connection:
            while not over.is_set():
                try:
                    cursor = connection.execute(sql.encode())
                    found.append((sql, cursor.fetchone() if cursor.description else None))
                except psycopg.Error as error:
                    found.append((sql, error))
                over.wait(0.01)

    threads = [threading.Thread(target=runs, args=(each,)) for each in work]
    for each in threads:
        each.start()
    try:
        yield found
    finally:
        over.set()
        for each in threads:
            each.join()


@on_both
def test_rows_that_change_while_windows_are_merged_are_there_once(history: Project) -> None:
    execute(history, "create table done (at timestamptz)")
    insert = (
        "with a as (insert into events (at, id) values (now() - interval '3 years' - random() * interval '30 days',"
        " (random() * 1e9)::int) returning at) insert into done select at from a"
    )
    update = "update events set model = 1 where id = (select max(id) from events where at < '2024-01-01')"
    oldest = "(select min(at) from events where id = 1 and at > '2023-06-01')"
    delete = f"delete from events where id = 1 and at = {oldest} returning 1"
    read = "select count(*) from events where at >= '2023-01-01 00:00Z' and at < '2023-02-01' and id = 1"
    with meanwhile(history, insert, update, delete, read) as found:
        history.done("partitions", "merge", *NOW)

    errors = [each for each in found if isinstance(each[1], psycopg.Error)]
    assert not errors
    assert {each[1] for each in found if each[0] == read} == {(31 * 4,)}
    deleted = sum(each == (delete, (1,)) for each in found)
    total = 364 * 4 + 1 - deleted
    assert history.rows("select count(*) from events where id = 1") == [(total,)]
    assert history.rows("select count(*) from events where id > 1") == history.rows("select count(*) from done")
    assert history.rows(LEFT) == [(0,)] * 4


def test_a_reader_of_an_old_snapshot_is_waited_for(history: Project) -> None:
    """A session that began before the copies would find the new window empty."""
    (history.root / "provision.toml").write_text(
        (history.root / "provision.toml").read_text().replace("[stores.postgres]\n", "[stores.postgres]\nretries = 3\n")
    )
    before = history.rows(EVERY)
    with psycopg.connect(history.url) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from models")

        ran = history.provision("partitions", "merge", *NOW)

        assert ran.code == 5, ran.out
        assert "1 sessions look at the rows as they were before" in ran.err
        assert reader.execute(EVERY).fetchall() == before
    history.done("partitions", "merge", *NOW)
    assert history.rows(EVERY) == before


def test_what_cannot_be_merged_is_told_before_anything_happens(history: Project) -> None:
    execute(
        history,
        "create table notes (id int, at timestamptz, foreign key (id, at) references events (id, at))",
    )

    ran = history.provision("partitions", "merge", *NOW)

    assert ran.code == 5
    assert "are not merged: rows of notes name rows of it by a foreign key" in ran.err
    assert len(windows(history, *NOW)) == 12 * 3 + 14


def test_a_merge_that_is_not_wanted_any_more_is_taken_away(history: Project) -> None:
    before = history.rows(EVERY)
    with killed_at("add constraint events_model_fkey"), pytest.raises(Killed):
        history.provision("partitions", "merge", *NOW)
    assert history.rows(LEFT) == [(1,), (24,), (1,), (12,)]
    describe(history)

    history.done("partitions", "merge", *NOW)

    assert history.rows(LEFT) == [(0,), (0,), (0,), (12,)]
    assert history.rows(EVERY) == before
    assert history.rows("select count(*) from pg_tables where tablename = 'events_p2023'") == [(0,)]


def test_a_part_that_is_emptied_meanwhile_is_empty_afterwards(history: Project) -> None:
    with killed_at("repeatable read"), pytest.raises(Killed):
        history.provision("partitions", "merge", *NOW)
    execute(history, "truncate events_p2023_05")
    before = history.rows(EVERY)

    history.done("partitions", "merge", *NOW)

    assert history.rows(EVERY) == before


def test_a_merge_that_did_not_end_is_told_and_holds_nobody(history: Project) -> None:
    [(database,)] = history.rows("select current_database()")
    execute(history, f"create role writer_{database}; grant insert, update on events to writer_{database}")
    try:
        with killed_at("repeatable read"), pytest.raises(Killed):
            history.provision("partitions", "merge", *NOW)
        execute(history, f"set role writer_{database}; insert into events (at, id) values ('2023-05-05 12:34', 77)")
        listed = history.provision("partitions", "list", *NOW)
        assert (listed.code, "has a merge that did not end" in listed.out) == (1, True), listed.out
        before = history.rows(EVERY)

        history.done("partitions", "merge", *NOW)

        assert history.rows(EVERY) == before
        assert history.provision("partitions", "list", *NOW).code == 0
    finally:
        execute(history, f"drop owned by writer_{database}; drop role writer_{database}")


def test_names_may_hold_anything(events: Project) -> None:
    table = '"S x"."Ev""ent\'s ä %s"'
    execute(
        events,
        f'create schema "S x"; create table {table} ("At %s" date not null, "V %" text) partition by range ("At %s")',
    )
    document = events.root / "partitions" / "events.yaml"
    text = f"store: postgres\ntable: {json.dumps(table)}\ncolumn: At %s\ninterval: 1 month\nahead: 3\n"
    document.write_text(text, encoding="utf-8")
    events.done("partitions", "ensure", "--from", "2023-01-01", *NOW)
    execute(
        events, f"insert into {table} select at, 'v' from generate_series('2023-01-01'::date, '2024-02-01', '1 day') at"
    )
    document.write_text(text + MERGE, encoding="utf-8")
    with killed_at("repeatable read"), pytest.raises(Killed):
        events.done("partitions", "merge", *NOW)
    execute(events, f"update {table} set \"V %\" = 'w' where \"At %s\" < '2023-01-05'")

    events.done("partitions", "merge", *NOW)

    assert windows(events, *NOW)[0][0].endswith("_p2023")
    assert events.rows(f'select "V %", count(*) from {table} group by 1 order by 1') == [
        ("v", 393),
        ("w", 4),
    ]
    document.write_text(f"{text}{MERGE}\nretain: 34 months\non_retire: export archive\n", encoding="utf-8")
    events.done("partitions", "retire", *NOW)
    assert events.rows(f"select count(*) from {table}") == [(32,)]
    assert len([*(events.root / "archive").glob("*.parquet")]) == 1

"""Statements made from two snapshots of PostgreSQL make the one of the other, also where they were run before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.model import StoreOptions
from provision.stores.postgres.setup.changes import changes
from provision.stores.postgres.setup.snapshot import taken

OPTIONS = StoreOptions("postgres", "postgres", "vfr", Path(), Path())
MADE = """
create table orders (id int primary key, status text not null default 'new', note varchar(20), total numeric(9, 2));
create table users (id bigint generated always as identity primary key, name text);
create view named as select id, name from users;
create function one() returns int language sql as 'select 1';
create type mood as enum ('good', 'bad');
create index by_note on orders (note);
alter table orders add constraint low check (id < 100);
create function touch() returns trigger language plpgsql as 'begin return new; end';
create trigger touched before update on orders for each row execute function touch();
alter table users enable row level security;
create policy mine on users for select using (id > 0);
"""
# Each is made behind the tool's back, told, taken back by the statements, and made by those of the other direction.
BY_HAND = (
    "alter table orders add column total2 int not null default 7",
    "alter table orders drop column note",
    "alter table orders alter status drop not null, alter status drop default",
    "alter table orders alter note type varchar(40)",
    "alter table orders alter total set default 1.5",
    "comment on column orders.note is 'it''s a note'",
    "create table extra (id serial primary key, user_id bigint references users, at timestamptz default now())",
    "create unique index concurrently on orders (status)",
    "drop index by_note",
    "alter table orders drop constraint low",
    "alter table orders add constraint notes unique (note)",
    "alter table orders drop constraint low, add constraint low check (id < 50) not valid",
    "create or replace view named as select id, name, 1 as one from users",
    "create or replace function one() returns int language sql immutable as 'select 2'",
    "alter type mood add value 'fair' before 'bad'",
    "drop trigger touched on orders",
    "alter table orders disable trigger touched",
    "alter policy mine on users using (id > 1)",
    "alter table users force row level security",
    "grant select, update on orders to public",
    "comment on table orders is 'all'",
    "create schema other",
    "create sequence numbers",
    "create type place as (street text, number int)",
    "create domain positive as int check (value > 0)",
    "alter table orders set (fillfactor = 70)",
    "create materialized view sums as select count(*) as n from orders",
    "drop view named",
    "create procedure nothing() language sql as 'select 1'",
    "create table logs (at date, n int) partition by range (at)",
    "drop table orders",
)
ONE_WAY = {"alter type mood add value 'fair' before 'bad'"}  # a label is never taken out again


@pytest.fixture
def database(postgres_18: str) -> Iterator[str]:
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("drop database if exists changed_by_hand")
        connection.execute("create database changed_by_hand")
        url = urlsplit(postgres_18)._replace(path="/changed_by_hand").geturl()
        with psycopg.connect(url, autocommit=True) as made:
            made.execute(MADE.encode())
        yield url
        connection.execute("drop database changed_by_hand with (force)")


@pytest.mark.parametrize("by_hand", BY_HAND)
def test_statements_make_the_change_and_take_it_back(database: str, by_hand: str) -> None:
    before = taken(OPTIONS, database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(by_hand.encode())
        after = taken(OPTIONS, database)
        assert before != after

        def run(statements: list[str]) -> None:
            for statement in statements:
                connection.execute(statement.encode())

        up, down = changes(before, after), changes(after, before)
        assert {each.object for each in up} == {
            each for each in {**before, **after} if before.get(each) != after.get(each)
        }
        # Where it was made by hand, its revision changes nothing.
        run([line for each in up for line in each.statements])
        assert taken(OPTIONS, database) == after
        if by_hand in ONE_WAY:
            assert [each.by_hand for each in down] != [""]
            return
        assert [each.by_hand for each in (*up, *down) if each.by_hand] == []
        run([line for each in down for line in each.statements])
        assert _told(taken(OPTIONS, database)) == _told(before)
        run([line for each in up for line in each.statements])
        assert _told(taken(OPTIONS, database)) == _told(after)


def _told(found: object) -> dict[str, object]:
    """Without the order of columns: one that was dropped comes back as the last."""
    assert isinstance(found, dict)
    return {name: sorted(text.split("\n")) if name.startswith("table") else text for name, text in found.items()}

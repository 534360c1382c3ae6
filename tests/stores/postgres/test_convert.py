"""An ordinary table becomes partitioned without a copy, with everything that hangs on it, and back."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from provision.stores.postgres.partitions import locks
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project
from tests.stores.postgres.test_merge import meanwhile
from tests.stores.postgres.windows import NOW, Killed, describe, execute, killed_at, on_both, windows

ORDERS = """
create table people (id int primary key);
insert into people values (1);
create sequence numbers;
create function note() returns trigger language plpgsql as $$ begin
    insert into noted values (new.id); return new; end $$;
create table noted (id bigint);
create table orders (
    id bigint generated always as identity, at timestamptz not null, person int references people,
    number int default nextval('numbers'), "Total" numeric(10, 2) check ("Total" >= 0) default 1,
    twice numeric generated always as ("Total" * 2) stored, primary key (id, at)
);
alter sequence numbers owned by orders.number;
create index orders_person on orders (person) where person > 0;
create index orders_total on orders using brin (at);
comment on table orders is 'what people want';
comment on column orders.person is 'who';
create table lines (id bigint, at timestamptz, constraint lines_of foreign key (id, at) references orders (id, at));
create trigger noting after insert on orders for each row execute function note();
create trigger quiet before update on orders for each row execute function note();
alter table orders disable trigger quiet;
create view dear with (security_barrier = true) as select id, at, "Total" from orders where "Total" > 100;
create view dearest as select max("Total") from dear;
create role {role};
create role {role}_two;
grant select, insert on orders to {role};
grant update ("Total") on orders to {role};
grant select on dear to {role};
alter table orders enable row level security;
create policy mine on orders for select to {role} using ("Total" < 1000);
create publication p for table orders with (publish_via_partition_root = true);
insert into orders (at, person) select at, 1
from generate_series('2026-09-01 00:00Z'::timestamptz, '2026-11-29', '1 hour') at;
insert into lines select id, at from orders limit 5;
"""
ABOUT = """
select 'index', indexname, regexp_replace(indexdef, ' (ON|ON ONLY) ', ' ON ') from pg_indexes where tablename = 'orders'
union all select 'key', conname, pg_get_constraintdef(oid) || convalidated from pg_constraint
where (conrelid = 'orders'::regclass and contype <> 'n' or confrelid = 'orders'::regclass) and conparentid = 0
union all select 'trigger', tgname, tgenabled::text from pg_trigger
where tgrelid = 'orders'::regclass and not tgisinternal
union all select 'view', viewname, definition from pg_views where viewname like 'dear%'
union all select 'options', relname, reloptions::text from pg_class where relname = 'dear'
union all select 'grants', relname, relacl::text from pg_class where relname in ('orders', 'dear')
union all select 'column', attname, concat(attacl, attidentity, atthasdef, attnotnull, format_type(atttypid, atttypmod))
from pg_attribute where attrelid = 'orders'::regclass and attnum > 0
union all select 'policy', policyname, concat(cmd, roles, qual) from pg_policies where tablename = 'orders'
union all select 'security', relname, concat(relrowsecurity, relforcerowsecurity, relowner) from pg_class
where relname = 'orders'
union all select 'publication', pubname, tablename from pg_publication_tables
union all select 'comment', objsubid::text, description from pg_description where objoid = 'orders'::regclass
union all select 'owned', refobjid::regclass::text, objid::regclass::text from pg_depend
where objid = 'numbers'::regclass and deptype = 'a'
order by 1, 2, 3
"""
EVERY = "select count(*), sum(hashtextextended(e::text, 0)) from orders e"
AS_OF = ("--as-of", "2026-11-30")


@pytest.fixture
def orders(project: Project) -> Project:
    environments.written(project.root, environments.PLAIN)
    [(database,)] = project.rows("select current_database()")
    execute(project, ORDERS.format(role=f"of_{database}"))
    describe(project, "orders", "orders")
    yield project  # type: ignore[misc]
    execute(project, f"drop owned by of_{database}; drop role of_{database}, of_{database}_two")


def kind(project: Project) -> str:
    [(found,)] = project.rows("select relkind::text from pg_class where relname = 'orders'")
    return str(found)


@on_both
def test_a_table_is_converted_with_all_that_hangs_on_it_and_back(orders: Project) -> None:
    about, before = orders.rows(ABOUT), orders.rows(EVERY)
    assert "nothing stands against it" in orders.done("partitions", "convert", "orders", "--dry-run").out

    ran = orders.done("partitions", "convert", "orders", *AS_OF)

    assert "takes rows until 2027-03-01" in ran.out
    assert kind(orders) == "p"
    assert [name for name, _ in windows(orders, *NOW)] == [
        "orders_before_2027_01",
        "orders_p2027_01",
        "orders_p2027_02",
    ]
    assert orders.rows(ABOUT) == about
    assert orders.rows(EVERY) == before
    [(last,)] = orders.rows("select max(id) from orders")
    execute(
        orders, "truncate noted; insert into orders (at, \"Total\") values ('2026-11-29', 200), ('2027-02-05', 300)"
    )
    assert orders.rows('select id, "Total" from dear order by 1') == [(last + 1, 200), (last + 2, 300)]
    assert orders.rows("select count(*) from noted") == [(2,)]
    assert "nothing to do" in orders.done("partitions", "convert", "orders", *AS_OF).out
    refused = orders.provision("partitions", "convert", "orders", "--back")
    assert (refused.code, "rows are in public.orders_p2027_02 already" in refused.err) == (3, True), refused.err

    execute(orders, "delete from orders where at > '2027-01-05'")
    before = orders.rows(EVERY)
    orders.done("partitions", "convert", "orders", "--back")

    assert kind(orders) == "r"
    assert orders.rows(ABOUT) == about
    assert orders.rows(EVERY) == before
    execute(orders, "truncate noted; insert into orders (at) values ('2026-11-29')")
    assert orders.rows("select max(id) from orders") == [(last + 3,)]
    assert orders.rows("select count(*) from noted") == [(1,)]
    assert orders.rows("select relname from pg_class where relname ~ 'orders_(p2|before)'") == []
    orders.done("partitions", "convert", "orders", *AS_OF)
    assert orders.rows(ABOUT) == about


AGAINST = {
    "unique": ("create table w (id int primary key, at timestamptz)", "w_pkey is unique without at"),
    "matview": ("create table w (at timestamptz); create materialized view m as table w", "materialized view public.m"),
    "exclusion": ("create table w (at timestamptz, c circle, exclude using gist (c with &&))", "excludes rows"),
    "no inherit": ("create table w (at timestamptz, v int check (v > 0) no inherit)", "is NO INHERIT"),
    "not valid": ("create table w (at timestamptz, v int); alter table w add check (v > 0) not valid", "is not valid"),
    "publication": (
        "create table w (at timestamptz); create publication pub for table w",
        "publish_via_partition_root",
    ),
    "rule": (
        "create table w (at timestamptz); create rule r as on delete to w do instead nothing",
        "rule r rewrites what is sent to it",
    ),
    "function": (
        "create table w (at timestamptz); create function f() returns bigint begin atomic select count(*) from w; end",
        "function public.f() reads it",
    ),
    "row type": ("create table w (at timestamptz); create table o (r w)", "is made of its row type"),
    "parent": ("create table w (at timestamptz); create table o () inherits (w)", "is inherited from"),
    "itself": ("create table w (at timestamptz primary key, of timestamptz references w)", "to itself"),
    "transition": (
        "create table w (at timestamptz); create function f() returns trigger language plpgsql as 'begin return null;"
        " end'; create trigger t after insert on w referencing new table as n for each row execute function f()",
        "has a transition table",
    ),
    "unlogged": ("create unlogged table w (at timestamptz)", "no ordinary table"),
    "type": ("create table w (at text)", "of type text"),
    "column": ("create table w (v int)", "has no column at"),
    "view": ("create view w as select now() as at", "no ordinary table"),
}


@pytest.mark.parametrize(("sql", "said"), AGAINST.values(), ids=AGAINST)
def test_what_stands_against_it_is_said_before_anything_happens(events: Project, sql: str, said: str) -> None:
    execute(events, sql)
    describe(events, "w", "w")

    ran = events.provision("partitions", "convert", "w", *AS_OF)

    assert (ran.code, said in ran.err) == (3, True), ran.err
    assert "error[convert-refused]" in ran.err
    assert events.provision("partitions", "convert", "w", "--dry-run").code == 3
    assert events.rows("select count(*) from pg_constraint where conname = 'provision_convert'") == [(0,)]


@pytest.mark.parametrize("row", ["null", "'infinity'"])
def test_a_row_that_no_window_can_hold_stops_it_and_leaves_nothing(events: Project, row: str) -> None:
    execute(events, f"create table w (at timestamptz); insert into w values (now()), ({row})")
    describe(events, "w", "w")

    ran = events.provision("partitions", "convert", "w", *AS_OF)

    assert (ran.code, "holds rows without at, or later than its first window" in ran.err) == (3, True), ran.err
    assert events.rows("select count(*) from pg_constraint where conname = 'provision_convert'") == [(0,)]
    execute(events, "insert into w values ('2099-01-01')")


@on_both
def test_a_conversion_that_is_killed_anywhere_is_gone_on_with_there_and_back(orders: Project) -> None:
    about, before = orders.rows(ABOUT), orders.rows(EVERY)
    for way in ((*AS_OF,), ("--back",)):
        place, sent = 2, ["killed"]
        while sent[-1] == "killed":
            with killed_at(place) as sent, suppress(Killed):
                orders.done("partitions", "convert", "orders", *way)
            assert orders.rows(EVERY) == before, sent
            place += 1
        assert place > 15
        assert (kind(orders), orders.rows(ABOUT)) == ("r" if way == ("--back",) else "p", about)
        assert orders.rows("select count(*) from pg_constraint where conname = 'provision_convert'") == [(0,)]


def test_a_conversion_that_was_cut_short_is_told_by_list(orders: Project) -> None:
    with killed_at("validate constraint"), suppress(Killed):
        orders.done("partitions", "convert", "orders", *AS_OF)

    ran = orders.provision("partitions", "list", *AS_OF)

    assert ran.code == 1, ran.err
    assert "orders is half converted: a run of convert did not end" in ran.out
    assert "half converted" in orders.provision("partitions", "ensure", *AS_OF).err
    orders.done("partitions", "convert", "orders", *AS_OF)
    assert orders.provision("partitions", "list", *AS_OF).code == 0


def test_writers_and_readers_go_on_while_a_table_is_converted(orders: Project) -> None:
    write = "insert into orders (at) values ('2026-11-29') returning id"
    read = "select count(*) from orders where at < '2026-11-01'"
    expected = orders.rows(read)
    with meanwhile(orders, write, write, read) as found:
        orders.done("partitions", "convert", "orders", *AS_OF)
        time.sleep(0.1)

    errors = [each for each in found if isinstance(each[1], psycopg.Error)]
    assert not errors
    ids = [each[1][0] for each in found if each[0] == write]  # type: ignore[index]
    assert len(ids) == len(set(ids))
    assert {each[1] for each in found if each[0] == read} == {*expected}
    assert orders.rows("select count(*) from orders where at = '2026-11-29' and \"Total\" = 1")[0][0] >= len(ids)


def test_a_table_that_others_hold_is_not_waited_for(orders: Project) -> None:
    toml = orders.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.postgres]\n", "[stores.postgres]\nretries = 3\n"))
    waited: list[float] = []
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(orders.url, autocommit=True) as connection:
            while not over.is_set():
                before: Any = time.monotonic()
                connection.execute("insert into orders (at) values ('2026-11-29')")
                waited.append(time.monotonic() - before)

    with psycopg.connect(orders.url) as reader:
        reader.execute("select count(*) from orders")
        thread = threading.Thread(target=write)
        thread.start()
        ran = orders.provision("partitions", "convert", "orders", *AS_OF)
        over.set()
        thread.join()

    assert (ran.code, "error[window-in-the-way]" in ran.err) == (5, True), ran.err
    assert max(waited) < 2
    orders.done("partitions", "convert", "orders", *AS_OF)
    assert kind(orders) == "p"


def test_names_may_hold_anything(events: Project) -> None:
    table = '"S x"."Ev""ent\'s ä %s"'
    execute(
        events,
        f'create schema "S x"; create table {table} ('
        f'"I %" bigint generated by default as identity (start 5 increment 2), "At %s" date primary key);'
        f'create view "S x"."v %" as select "At %s" from {table};'
        f"insert into {table} (\"At %s\") select at from generate_series('2026-01-01'::date, '2026-11-01', '1 day') at",
    )
    text = f"store: postgres\ntable: {json.dumps(table)}\ncolumn: At %s\ninterval: 1 month\nahead: 3\n"
    (events.root / "partitions" / "events.yaml").write_text(text, encoding="utf-8")
    before = events.rows(f"select * from {table} order by 1")

    events.done("partitions", "convert", "events", *AS_OF)

    execute(events, f"insert into {table} (\"At %s\") values ('2027-01-05')")
    assert events.rows(f"select * from {table} order by 1")[:-1] == before
    assert events.rows('select count(*) from "S x"."v %"') == [(len(before) + 1,)]
    execute(events, f"delete from {table} where \"At %s\" = '2027-01-05'")
    events.done("partitions", "convert", "events", "--back")
    assert events.rows(f"select * from {table} order by 1") == before


@on_both
@pytest.mark.parametrize(("polite", "queues"), [(60_000, False), (0, True)])
def test_nobody_queues_behind_who_asks_for_the_table(
    project: Project, monkeypatch: pytest.MonkeyPatch, polite: int, queues: bool
) -> None:
    monkeypatch.setattr(locks, "POLITE", polite)
    execute(project, "create table t (a int)")
    waiting = "select count(*) from pg_locks where relation = 't'::regclass and not granted"
    with psycopg.connect(project.url) as reader, psycopg.connect(project.url) as asking:
        reader.execute("select from t")
        taking = threading.Thread(target=asking.execute, args=(locks.alone("public.t").encode(),))
        taking.start()
        looks = []
        for _ in range(30):
            time.sleep(0.02)
            looks.append(reader.execute(waiting).fetchone())
        reader.rollback()
        taking.join(timeout=30)

        assert ((1,) in looks) is queues
        held = "select mode from pg_locks where relation = 't'::regclass and pid = pg_backend_pid() and granted"
        assert ("AccessExclusiveLock",) in asking.execute(held).fetchall()

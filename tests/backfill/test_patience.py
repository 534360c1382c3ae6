"""What a run gives way to, and what it says of that."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.conftest import run_in
from tests.backfill.project import append, beside, standing
from tests.expected import Expected
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]


def test_a_query_of_the_user_holds_the_run_until_it_is_false(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 20_000)
    database.execute("create table busy (why text)")
    database.execute("insert into busy values ('nightly report')")
    append(shop, "yield:\n  sql: select why from busy\n")

    with beside(shop):
        project.until(lambda: standing(provision)["throttled_by"] == "yield.sql: nightly report")
        time.sleep(0.3)
        before = project.rows_done(database)
        time.sleep(0.5)
        held = project.rows_done(database)
        database.execute("truncate busy")

    assert held == before
    assert standing(provision)["rows_done"] == 18_000


def test_who_waits_for_the_whole_table_is_let_in(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    with beside(shop, "--rate", 10_000):
        project.until(lambda: project.rows_done(database) > 100)
        began = time.monotonic()
        database.execute("alter table orders add column more text")
        waited = time.monotonic() - began

    assert waited < 2.0
    assert standing(provision)["state"] == "succeeded"


def test_a_watch_at_a_terminal_draws_over_itself(shop: Path, url: str, database: Database) -> None:
    project.sow(url, 20_000)
    with beside(shop, "--rate", 1_500):
        project.until(lambda: project.rows_done(database) > 100)
        shown = project.in_a_terminal(shop, "backfill", "status", "source", "--watch")

    assert shown.count("shop · test") == 1
    assert shown.count("\x1b[3A\x1b[J") > 1, "three lines: the backfill, why it is slow, who runs it"
    assert "slowed by the rate of 1500 rows/s" in shown


def test_the_longest_wait_of_others_is_seen(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 600)
    path = shop / "backfills" / "source.yaml"
    slow = path.read_text().replace("\"'web-' || n\"", "\"'web-' || n || (select left(pg_sleep(0.005)::text, 0))\"")
    slow = slow.replace("'web-' || n ||", "'web-' || coalesce(n, 0) ||").replace(
        "pg_sleep(0.005)", "pg_sleep(0.005 + 0 * n)"
    )
    path.write_text(slow.replace("target: 20ms, rows: 200", "target: 1s, rows: 200") + "key: n\n")
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(0.01):
                connection.execute("update orders set note = 'w' where n = 3")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with beside(shop):
            pass
    finally:
        ended.set()
        writer.join()

    assert 50 < int(str(standing(provision)["longest_wait_ms"])) < 5_000


def test_random_keys_and_little_room_for_wal_are_warned_of(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    assert shop.exists()
    project.sow(url, 20_000)
    database.execute("alter system set max_wal_size = '4MB'")
    database.execute("select pg_reload_conf()")
    try:
        project.until(lambda: database.execute("show max_wal_size").fetchone() == ("4MB",))
        ran = provision("backfill", "run", "source")
    finally:
        database.execute("alter system reset max_wal_size")
        database.execute("select pg_reload_conf()")

    assert (
        "  warning: id is random and max_wal_size is 4MB: walking by it writes each page many times (3 times the"
        " WAL); `order: physical` does not, nor does max_wal_size = 8GB\n" in ran.out
    )


def test_a_partitioned_table_is_walked_by_its_key(
    expected: Expected, shop: Path, provision: Provision, database: Database
) -> None:
    database.execute("drop table orders")
    database.execute(
        "create table orders (n bigint not null, at date not null, source text, score numeric, primary key (at, n))"
        " partition by range (at)"
    )
    for month in (1, 2, 3):
        bounds = f"from ('2026-0{month}-01') to ('2026-0{month + 1}-01')"
        database.execute(f"create table orders_{month} partition of orders for values {bounds}".encode())
    database.execute(
        "insert into orders select i, '2026-01-01'::date + mod(i, 85), null, 1 from generate_series(1, 20000) i;"
        " analyze"
    )

    ran = provision("backfill", "run", "source", "--workers", 2)
    append(shop, "order: physical\n")
    physical = provision("backfill", "run", "source")

    assert ran.code == 0
    assert database.execute("select count(*) from orders where source = 'web-' || n").fetchone() == (20_000,)
    expected(physical.err)


def test_on_postgresql_15(postgres_15: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in(postgres_15, tmp_path, monkeypatch) as (url, provision_15):
        project.sow(url, 12_000)
        path = tmp_path / "shop" / "backfills" / "source.yaml"
        path.write_text(path.read_text() + "order: physical\n")
        assert provision_15("backfill", "run", "source", "--workers", "2") == 0
        with psycopg.connect(url) as connection:
            assert connection.execute(project.REFERENCE).fetchone() == (project.expected(12_000),)


def test_watch_shows_a_run_until_it_is_over(shop: Path, url: str, database: Database) -> None:
    project.sow(url, 20_000)
    with beside(shop, "--rate", 1_500):
        project.until(lambda: project.rows_done(database) > 100)
        watched = project.process(shop, "backfill", "status", "source", "--watch")
        code, out, err = project.ended(watched)

    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "shop · test"
    assert any(" running " in line and " rows/s" in line and " to go" in line for line in lines), out
    assert any(line.startswith("  source  succeeded  18,000 of 18,000 rows (100 %)") for line in lines)


@pytest.mark.usefixtures("shop")
def test_status_of_what_was_never_run(provision: Provision) -> None:
    assert provision("backfill", "status").out == "shop · test\n  source  not begun\n"
    assert (
        provision("backfill", "list").out == "  source  postgres  Source of orders that were taken before it was kept\n"
    )

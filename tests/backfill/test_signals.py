"""What slows a run down, on real servers: replicas, WAL, vacuum, whoever waits, a query of the user's."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provision.errors import FailedError
from provision.model.backfills import Backfill, ServerSignal
from provision.stores.postgres import server as connections
from provision.stores.postgres.backfill.signals import SELDOM, SignalReader
from tests.backfill import project
from tests.backfill.conftest import run_in
from tests.backfill.machines import Replica, receiver
from tests.backfill.project import append, beside, standing
from tests.servers import databases
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
OURS = "provision/backfill/source"


@pytest.fixture(scope="module")
def primary() -> Iterator[str]:
    """A server of this module's own: what slows a run down is often of the whole server."""
    with databases.Postgres15() as server:
        yield server.url


@pytest.fixture
def url(primary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The project in `tmp_path/shop`, on a database of its own."""
    with run_in(primary, tmp_path, monkeypatch) as (url, _):
        yield url


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Path:
    assert url
    return tmp_path / "shop"


Watch = Callable[..., SignalReader]


@pytest.fixture
def watch(url: str) -> Iterator[Watch]:
    """Makes a look-out over `orders` by itself."""
    with ExitStack() as opened:

        def made(user: str = "postgres", **given: Any) -> SignalReader:
            connection = connections.connect(url.replace("postgres@", f"{user}@", 1), "postgres")
            opened.enter_context(closing(connection))
            body = {"table": "orders", "yield": given}
            return SignalReader(connection, Backfill("source", "postgres", "", "", "", body), OURS)

        yield made


def later(out: SignalReader) -> ServerSignal:
    """The next look at what is looked at seldom."""
    time.sleep(SELDOM)
    return out.look()


def test_a_replica_that_lags_holds_the_run_until_it_has_caught_up(
    primary: str, shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 20_000)
    append(shop, "yield: {replication_lag: 1s}\n")
    with Replica(primary) as replica, psycopg.connect(replica.url, autocommit=True) as standby:
        standby.execute("select pg_wal_replay_pause()")
        with beside(shop, "--rate", 3000):
            project.until(lambda: str(standing(provision)["throttled_by"]).startswith("replication lag "))
            time.sleep(0.3)
            before = project.rows_done(database)
            time.sleep(0.7)
            held = project.rows_done(database)
            standby.execute("select pg_wal_replay_resume()")

    assert 0 < before < 18_000
    assert held == before
    assert standing(provision)["rows_done"] == 18_000


def test_who_only_receives_wal_lags_behind_nothing(
    primary: str, tmp_path: Path, database: Database, watch: Watch
) -> None:
    with receiver(primary, tmp_path):
        project.until(lambda: database.execute("select count(*) from pg_stat_replication").fetchone() == (1,))
        out = watch(replication_lag="1s")
        for _ in range(3):
            database.execute("select pg_logical_emit_message(false, 'x', 'some WAL')")
            assert later(out) == ServerSignal()
        lag = "select replay_lag > '1 s' from pg_stat_replication"
        assert database.execute(lag).fetchone() == (True,)


def test_wal_above_its_rate_is_seen_and_below_it_is_not(database: Database, watch: Watch) -> None:
    out = watch(wal="2MB")
    assert out.look() == ServerSignal()
    for megabytes, pattern in ((8, r"WAL \d+\.\d MB/s"), (0, "")):
        database.execute("select pg_logical_emit_message(false, 'x', repeat('x', %s))", [megabytes << 20])
        seen = later(out)
        assert re.fullmatch(pattern, seen.reason), seen
        assert (seen.seconds, seen.hold) == ((0.5, False) if pattern else (0.0, False))


def test_wal_of_the_run_itself_slows_it_down(shop: Path, url: str, provision: Provision, database: Database) -> None:
    project.sow(url, 6_000)
    append(shop, "yield: {wal: 1kB}\n")
    with beside(shop, "--rate", 2500):
        project.until(lambda: str(standing(provision)["throttled_by"]).startswith("WAL "))
        before = project.rows_done(database)
        time.sleep(1.0)
        after = project.rows_done(database)

    assert 0 < after - before < 2_000
    assert standing(provision)["rows_done"] == 5_400


def test_autovacuum_on_the_table_is_given_way_to_unless_it_is_not_to_be(
    url: str, database: Database, watch: Watch
) -> None:
    project.sow(url, 20_000)
    database.execute("alter system set autovacuum_naptime = '1s'")
    database.execute("select pg_reload_conf()")
    database.execute(
        "alter table orders set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
        " autovacuum_vacuum_cost_delay = 50, autovacuum_vacuum_cost_limit = 1)"
    )
    database.execute("update orders set note = 'dead'")
    out, other = watch(), watch(autovacuum=False)
    project.until(lambda: out.look().reason == "autovacuum on the table")

    worker = "select backend_type from pg_stat_progress_vacuum join pg_stat_activity using (pid)"
    assert database.execute(worker).fetchall() == [("autovacuum worker",)]
    assert out.look() == ServerSignal("autovacuum on the table", 0.05)
    assert later(other) == ServerSignal()
    database.execute("alter table orders reset (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)")
    database.execute("alter system reset autovacuum_naptime")
    database.execute("select pg_reload_conf()")
    project.until(lambda: later(out) == ServerSignal())


def test_waiters_and_vacuum_on_a_partition_are_seen(url: str, database: Database, watch: Watch) -> None:
    database.execute("drop table orders; create table orders (n bigint primary key, note text) partition by range (n)")
    database.execute("create table orders_1 partition of orders for values from (0) to (1000000)")
    database.execute("insert into orders select i, repeat('x', 100) from generate_series(1, 50000) i")
    database.execute("delete from orders where mod(n, 2) = 0")
    out = watch()

    with Sent(url, "set vacuum_cost_delay = 50; set vacuum_cost_limit = 1", "vacuum orders_1"):
        project.until(lambda: later(out).reason == "autovacuum on the table")
    with psycopg.connect(url) as other:
        other.execute("lock table orders_1 in share mode")
        with Sent(url, "alter table orders_1 add check (n > 0)"):
            project.until(lambda: out.look().reason == "lock waiters on the table")


def test_a_plain_user_sees_who_waits_and_is_told_what_it_cannot_see(
    url: str, provision: Provision, database: Database, monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    project.sow(url, 100)
    name = f"filler_{database.info.dbname}"
    database.execute(f"create role {name} login; grant all on orders, alembic_version to {name}".encode())
    database.execute(f"grant create on database {database.info.dbname} to {name}".encode())
    database.execute(f"alter schema provision owner to {name}".encode())
    database.execute(f"grant all on all tables in schema provision to {name}".encode())
    out = watch(name)
    with psycopg.connect(url) as other:
        other.execute("update orders set note = 'mine' where n = 1")
        with Sent(url, "alter table orders add check (n > 0)"):
            project.until(lambda: out.look().reason == "lock waiters on the table")
    monkeypatch.setenv("SHOP_POSTGRES", url.replace("postgres@", f"{name}@", 1))

    ran = provision("backfill", "run", "source")

    assert ran.code == 0, ran.err
    assert (
        "  warning: this user sees neither replication lag nor autovacuum: grant pg_read_all_stats to it\n" in ran.out
    )


def test_a_hold_outlasts_whoever_waits_for_the_table(url: str, watch: Watch) -> None:
    out = watch(sql="select 'closing time'")
    with psycopg.connect(url) as other:
        other.execute("lock table orders in share mode")
        with Sent(url, "alter table orders add more text"):
            time.sleep(0.2)
            assert out.look() == ServerSignal("yield.sql: closing time", 0.5, hold=True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("true", "yield.sql"), ("'nightly'", "yield.sql: nightly"), ("3", "yield.sql: 3"),
        ("false", ""), ("0", ""), ("''", ""), ("null::text", ""),
    ],
)  # fmt: skip
def test_what_a_query_of_the_user_may_answer(watch: Watch, answer: str, reason: str) -> None:
    expected = ServerSignal(reason, 0.5, hold=True) if reason else ServerSignal()

    assert watch(sql=f"select {answer}").look() == expected


def test_a_query_without_a_row_asks_for_nothing_and_a_wrong_one_is_an_error(watch: Watch) -> None:
    assert watch(sql="select 1 where false").look() == ServerSignal()
    with pytest.raises(FailedError) as refused:
        watch(sql="select 1 / 0").look()
    assert (refused.value.code, refused.value.what) == ("bad-yield", "yield.sql: division by zero")


class Sent:
    """Statements sent in a thread, which end with the block or are ended."""

    def __init__(self, url: str, *statements: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._statements = statements
        self._thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        try:
            for each in self._statements:
                self._connection.execute(each.encode())
        except psycopg.errors.QueryCanceled:
            return  # the block is over

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._connection.cancel_safe()
        self._thread.join()
        self._connection.close()

"""Backfills of stores that keep no transaction over a batch and its cursor: ClickHouse and Redis."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import pytest
import redis

from provision.backfill.log import LoggedRuns
from tests.backfill.project import CLICKHOUSE_AND_REDIS
from tests.expected import Expected
from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision

_NUMBERS = itertools.count(1)
_TABLES = (
    "CREATE TABLE orders (at DateTime('UTC'), shop String, price UInt64) ENGINE = MergeTree PARTITION BY toYYYYMM(at)"
    " ORDER BY at",
    "INSERT INTO orders SELECT toDateTime('2026-01-15 00:00:00', 'UTC') + number * 600,"
    " concat('s', toString(number % 3)), number FROM numbers(12000)",
    "CREATE TABLE daily (day Date, shop String, orders SimpleAggregateFunction(sum, UInt64),"
    " price SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(day)"
    " ORDER BY (day, shop)",
    "CREATE MATERIALIZED VIEW daily_mv TO daily AS SELECT toDate(at) AS day, shop, count() AS orders,"
    " sum(price) AS price FROM orders GROUP BY day, shop",
    "INSERT INTO orders SELECT toDateTime('2026-03-20 00:00:00', 'UTC') + number, 's9', 7 FROM numbers(1000)",
)
_DAILY = """
description: Days before the view was made
store: clickhouse
view: daily_mv
time: at
before: 2026-03-19 00:00:00
"""
_DIFFERENT = """
SELECT count() FROM
    (SELECT day, shop, sum(orders) AS n, sum(price) AS p FROM daily GROUP BY day, shop) AS had
    FULL JOIN (SELECT toDate(at) AS day, shop, count() AS n, sum(price) AS p FROM orders
        WHERE at < '2026-03-19' OR shop = 's9' GROUP BY day, shop) AS wanted
    ON had.day = wanted.day AND had.shop = wanted.shop AND had.n = wanted.n AND had.p = wanted.p
WHERE had.n = 0 OR wanted.n = 0
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clickhouse_embedded: str, redis_6: str) -> Iterator[Path]:
    name = f"backfills_{next(_NUMBERS)}"
    for folder in ("clickhouse", "redis", "backfills"):
        (tmp_path / folder).mkdir()
    (tmp_path / "provision.toml").write_text(CLICKHOUSE_AND_REDIS)
    (tmp_path / "backfills" / "daily.yaml").write_text(_DAILY)
    (tmp_path / "backfills" / "prefs.yaml").write_text("store: redis\npattern: app:*:prefs\nttl: 1h\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_CLICKHOUSE", _in(clickhouse_embedded, name))
    monkeypatch.setenv("SHOP_REDIS", redis_6)
    monkeypatch.setenv("PROVISION_ENV", "test")
    with clickhouse_connect.get_client(dsn=_in(clickhouse_embedded, "default")) as client:
        client.command(f"CREATE DATABASE {name}")
    with redis.Redis.from_url(redis_6) as client:
        client.flushall()
    yield tmp_path
    with clickhouse_connect.get_client(dsn=_in(clickhouse_embedded, "default")) as client:
        client.command(f"DROP DATABASE {name}")


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@pytest.fixture
def clickhouse(shop: Path) -> Iterator[Any]:
    assert shop.exists()
    with clickhouse_connect.get_client(dsn=os.environ["SHOP_CLICKHOUSE"], autogenerate_session_id=False) as client:
        for statement in _TABLES:
            client.command(statement)
        yield client


def test_history_before_a_view_is_summed_up(clickhouse: Any, provision: Provision) -> None:
    ran = provision("backfill", "run", "daily", "-o", "json")

    found = json.loads(ran.out)
    assert (ran.code, found["state"], found["rows_total"]) == (0, "succeeded", 9072)
    assert found["rows_done"] == 9072
    assert clickhouse.query(_DIFFERENT).result_rows == [(0,)]
    assert clickhouse.query("SHOW TABLES LIKE 'provision_fill%'").result_rows == []
    events = clickhouse.query("SELECT revision, kind FROM provision_ledger").result_rows
    assert events == [("backfill/daily", "applied")]


@pytest.mark.parametrize("instant", range(1, 8))
def test_a_run_that_ends_after_a_step_and_before_its_cursor_counts_nothing_twice(
    clickhouse: Any, provision: Provision, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    advance, calls = LoggedRuns.advance, itertools.count(1)

    def lost(self: LoggedRuns, *arguments: Any) -> None:
        if next(calls) == instant:
            raise RuntimeError("gone")
        advance(self, *arguments)

    monkeypatch.setattr(LoggedRuns, "advance", lost)
    first = provision("backfill", "run", "daily")
    second = provision("backfill", "run", "daily")

    assert (first.code, second.code) == (5, 0)
    assert clickhouse.query(_DIFFERENT).result_rows == [(0,)]


def test_history_is_never_counted_again(clickhouse: Any, provision: Provision) -> None:
    assert provision("backfill", "run", "daily").code == 0

    again = provision("backfill", "run", "daily")

    assert again.code == 3
    assert again.err.startswith(
        "error[backfill-complete]: daily is complete since TIME UTC: again would count rows twice\n"
    )
    assert clickhouse.query(_DIFFERENT).result_rows == [(0,)]


@pytest.mark.usefixtures("clickhouse")
def test_a_view_that_is_none_is_refused(expected: Expected, shop: Path, provision: Provision) -> None:
    (shop / "backfills" / "daily.yaml").write_text(_DAILY.replace("daily_mv", "dayly_mv"))

    expected(provision("backfill", "run", "daily").err)


@pytest.mark.usefixtures("shop")
def test_keys_without_expiry_get_one_and_others_keep_theirs(provision: Provision, redis_6: str) -> None:
    with redis.Redis.from_url(redis_6, decode_responses=True) as client:
        for n in range(5_000):
            client.set(f"app:{n}:prefs", n, ex=60 if n % 10 == 0 else None)
        client.set("app:1:other", 1)

        ran = provision("backfill", "run", "prefs", "-o", "json")

        found = json.loads(ran.out)
        assert (ran.code, found["state"], found["rows_done"]) == (0, "succeeded", 4_500)
        assert all(0 < client.ttl(f"app:{n}:prefs") <= (60 if n % 10 == 0 else 3600) for n in range(5_000))
        assert client.ttl("app:1:other") == -1
        assert client.ttl("provision:shop:backfills:redis") == -1


@pytest.mark.usefixtures("shop")
def test_a_store_of_one_worker_refuses_more(expected: Expected, provision: Provision) -> None:
    expected(provision("backfill", "run", "prefs", "--workers", 2).err)


def test_keys_of_provision_are_refused_and_those_of_the_application_named(shop: Path, provision: Provision) -> None:
    """`own-keys`, whatever the pattern begins with."""
    document = shop / "backfills" / "prefs.yaml"
    right = document.read_text()
    for pattern in ("provision:*", "provision:shop:ledger:redis"):
        document.write_text(right.replace("app:*:prefs", f'"{pattern}"'))
        ran = failed("own-keys", provision("backfill", "run", "prefs"))
        assert fix_of(ran) == "name keys of the application"

    document.write_text(right)
    assert provision("backfill", "run", "prefs").code == 0


@pytest.mark.usefixtures("shop")
def test_pause_and_cancel_of_a_logged_run(provision: Provision, redis_6: str) -> None:
    with redis.Redis.from_url(redis_6) as client:
        for n in range(100):
            client.set(f"app:{n}:prefs", n)
    assert provision("backfill", "pause", "prefs").code == 3
    assert provision("backfill", "run", "prefs").code == 0
    assert provision("backfill", "cancel", "prefs").code == 3

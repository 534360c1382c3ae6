"""D1: two batches at once that share keys wait for one another, never in a circle, and lose no valid value."""

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ..factories.postgres import insert_ml_base
from . import migrations
from .rows import scalar
from .servers import Server
from .staged import line, report, row, values

ROUNDS = 15
KEYS = 400
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NUMBERS = itertools.count(1)


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """A database at the head, of this test's own: what is stored here is committed."""
    name = f"together{next(NUMBERS)}"
    server.execute(f"CREATE DATABASE {name}")
    migrations.upgrade(server.url(name))
    with psycopg.connect(server.url(name)) as connection:
        insert_ml_base(connection)
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def until_one_waits(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as watcher:
        deadline = time.monotonic() + 20
        while scalar(watcher, WAITING) == 0:
            assert time.monotonic() < deadline, "the second batch waits for nothing"
            time.sleep(0.01)


def test_batch_that_waited_keeps_the_valid_value_it_finds(url: str) -> None:
    def spoil() -> tuple[int, ...]:
        with psycopg.connect(url) as connection:
            return report(connection, row("x", 1), row("30", 2))

    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(url) as first:
            assert report(first, row("20", 1)) == (1, 1, 0, 0, 0)
            second = pool.submit(spoil)
            until_one_waits(url)
        assert second.result(20) == (2, 1, 1, 1, 0)
    with psycopg.connect(url) as connection:
        assert values(connection) == [(20, "valid"), (30, "valid")]


def write(url: str, seed: int) -> None:
    """Batches of all keys, each in an order of its own; one value in two is none."""
    order = random.Random(seed)
    with psycopg.connect(url) as connection:
        for _ in range(ROUNDS):
            keys = order.sample(range(KEYS), KEYS)
            report(connection, *(line(1, order.choice(["1,,,A", "x,,,A"]), f"T{key}") for key in keys))
            connection.commit()


def test_batches_of_the_same_keys_never_wait_in_a_circle(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for written in [pool.submit(write, url, seed) for seed in range(4)]:
            written.result(300)  # raises DeadlockDetected, were there one
    with psycopg.connect(url) as connection:
        assert values(connection) == [(1, "valid")] * KEYS
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert scalar(connection, deadlocks) == 0

"""SQLite, PostgreSQL and Redis in one `up`, each waiting for revisions of the others."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from tests.seventh.shop import Shop

TOML = """\
[project]
name = "three"
home = "{home}"

[stores.postgres]
path = "alembic"
[stores.redis]
[stores.sqlite]

[environments.test]
postgres.url = "${{THREE_POSTGRES}}"
redis.url = "${{THREE_REDIS}}"
sqlite.url = "sqlite:///{file}"
"""
ALEMBIC = """\
from alembic import op
revision = "{number}"
down_revision = {after!r}
requires = {requires!r}
def upgrade(): op.execute("{up}")
def downgrade(): op.execute("{down}")
"""
FILES = {
    "sqlite/0001_shops.yaml": "up:\n  - sql: {run: create table shops (id int), undo: drop table shops}\ndown: auto\n",
    "alembic/versions/0001_orders.py": ALEMBIC.format(
        number="0001",
        after=None,
        requires=["sqlite/0001"],
        up="create table orders (shop int)",
        down="drop table orders",
    ),
    "redis/0001_orders.yaml": (
        "requires: [postgres/0001]\nup:\n  - create_stream: {name: orders, maxlen: 10}\ndown: auto\n"
    ),
    "sqlite/0002_totals.yaml": (
        "requires: [redis/0001]\n"
        "up:\n  - sql: {run: create table totals (shop int), undo: drop table totals}\ndown: auto\n"
    ),
    "alembic/versions/0002_sums.py": ALEMBIC.format(
        number="0002", after="0001", requires=["sqlite/0002"], up="create table sums (shop int)", down="drop table sums"
    ),
}
ORDER = ["sqlite/0001", "postgres/0001", "redis/0001", "sqlite/0002", "postgres/0002"]
_NUMBERS = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def three(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    installed: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_18: str,
    redis_6: str,
) -> Iterator[Shop]:
    """The project, its three databases empty; by turns, one of two stores keeps the run lock."""
    name = f"three_{next(_NUMBERS)}"
    root = tmp_path / "three"
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    with redis.Redis.from_url(redis_6) as client:
        client.flushall()
    root.mkdir()
    shop = Shop(root, installed)
    assert shop("init", "--stores", "postgres,redis,sqlite").code == 0
    for path, text in FILES.items():
        (root / path).write_text(text)
    (root / "provision.toml").write_text(TOML.format(home=request.param, file="three.db"))
    head, _, tail = postgres_18.partition("?")
    monkeypatch.setenv("THREE_POSTGRES", f"{head.rpartition('/')[0]}/{name}?{tail}")
    monkeypatch.setenv("THREE_REDIS", redis_6)
    yield shop
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


def ids(shop: Shop, *command: str) -> list[str]:
    ran = shop(*command, "-o", "json")
    assert ran.code == 0, ran.err + ran.out
    found = json.loads(ran.out)
    return [each["id"] for each in found["reverted" if command[0] == "down" else "applied"]]


def states(shop: Shop, *options: str) -> dict[str, str]:
    found = json.loads(shop("status", "-o", "json", *options).out)
    return {each["id"]: each["state"] for store in found["stores"] for each in store["revisions"]}


def tables(shop: Shop) -> list[str]:
    with closing(sqlite3.connect(shop.root / "three.db")) as connection:
        found = connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
    return [name for (name,) in found if not name.startswith("provision")]


def test_one_up_moves_the_three_in_the_order_of_what_they_require(three: Shop) -> None:
    assert ids(three, "up") == ORDER
    assert tables(three) == ["shops", "totals"]
    assert set(states(three).values()) == {"applied"}
    assert ids(three, "down", "--all", "--allow-destructive") == ORDER[::-1]
    assert tables(three) == []


def test_only_moves_and_shows_the_one_store(three: Shop) -> None:
    ids(three, "up", "postgres/0001")

    refused = three("up", "--only", "sqlite")
    shown = states(three, "--only", "sqlite")

    assert (refused.code, shown) == (3, {"sqlite/0001": "applied", "sqlite/0002": "pending"})
    assert "sqlite/0002" in refused.err
    assert "redis/0001" in refused.err
    ids(three, "up", "redis/0001")
    assert ids(three, "up", "--only", "sqlite") == ["sqlite/0002"]


def test_a_failure_in_it_stops_the_others_and_the_next_up_finishes(three: Shop) -> None:
    document = three.root / "sqlite" / "0002_totals.yaml"
    text = document.read_text()
    document.write_text(text.replace("table totals", "table shops"))

    failed = three("up")
    document.write_text(text)

    assert failed.code == 5
    assert "error[statement-failed]: table shops already exists" in failed.err
    assert ids(three, "up") == ORDER[3:]

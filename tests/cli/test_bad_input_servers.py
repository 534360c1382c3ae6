"""Servers that refuse, do not answer, or are too old: each is told, all of them at once, and nothing is begun."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import pytest

from provision.stores.clickhouse import connection as clickhouse_connection
from provision.stores.postgres import connection as postgres_connection
from provision.stores.redis import server as redis_server
from tests.cli.projects import NOWHERE, refused, untouched
from tests.servers.command_line import Provision, Ran

With = Callable[..., Ran]


def changed(url: str, **parts: str) -> str:
    """The url with another user, password or path."""
    split = urlsplit(url)
    user, password = parts.get("user", split.username or ""), parts.get("password", split.password or "")
    host = split.netloc.rpartition("@")[2]
    return urlunsplit(split._replace(netloc=f"{user}:{password}@{host}", path=parts.get("path", split.path)))


@pytest.fixture
def asking(postgres_15: str) -> Iterator[str]:
    """A database of Debian's PostgreSQL 15 for a user who must give the password `right`, over TCP."""
    with psycopg.connect(postgres_15, autocommit=True) as connection:
        connection.execute("CREATE ROLE asked LOGIN PASSWORD 'right'")
        connection.execute("CREATE DATABASE asked OWNER asked")
        yield f"postgresql://asked:right@127.0.0.1:{parse_qs(urlsplit(postgres_15).query)['port'][0]}/asked"
        connection.execute("DROP DATABASE asked WITH (FORCE)")
        connection.execute("DROP ROLE asked")


@pytest.fixture
def told(small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> With:
    """Run one command with other urls than the right ones; the right databases stay as they were."""

    def ran(*words: str, **urls: str) -> Ran:
        with untouched(small), monkeypatch.context() as patch:
            for store, url in urls.items():
                patch.setenv(f"SMALL_{store.upper()}", url)
            return provision(*(words or ("up",)))

    return ran


def test_right_password(told: With, asking: str) -> None:
    assert told("status", postgres=asking).code == 0


def test_wrong_passwords_are_all_named(told: With, asking: str) -> None:
    urls = {"clickhouse": os.environ["SMALL_CLICKHOUSE"], "redis": os.environ["SMALL_REDIS"], "postgres": asking}
    ran = told("up", **{store: changed(url, password="wrong-word") for store, url in urls.items()})
    refused(ran, 2, "FILL")


def test_no_password(told: With, asking: str) -> None:
    urls = {"clickhouse": os.environ["SMALL_CLICKHOUSE"], "redis": os.environ["SMALL_REDIS"], "postgres": asking}
    ran = told("up", **{store: url.replace(f":{urlsplit(url).password}@", "@") for store, url in urls.items()})
    refused(ran, 2, "FILL")


def test_unknown_user_and_database(told: With, asking: str) -> None:
    ran = told(
        postgres=changed(asking, path="/nothing"),
        clickhouse=changed(os.environ["SMALL_CLICKHOUSE"], user="nobody"),
        redis=changed(os.environ["SMALL_REDIS"], path="/99"),
    )
    refused(ran, 2, "FILL")


@pytest.mark.parametrize("words", [("up",), ("down", "--all"), ("plan",), ("up", "--dry-run")], ids=" ".join)
def test_unreachable_servers_are_all_named(told: With, words: tuple[str, ...]) -> None:
    ran = told(*words, **{name.removeprefix("SMALL_").lower(): url for name, url in NOWHERE.items()})
    refused(ran, 4, "FILL")


def test_hosts_that_nobody_knows(told: With) -> None:
    ran = told(**{store: f"{store}://nobody.invalid" for store in ("clickhouse", "redis")}, postgres="postgresql://nobody.invalid/x")
    refused(ran, 4, "FILL")


def test_unreachable_outweighs_a_wrong_password(told: With) -> None:
    ran = told(redis=changed(os.environ["SMALL_REDIS"], password="wrong-word"), postgres=NOWHERE["SMALL_POSTGRES"])
    refused(ran, 4, "FILL")


def test_status_shows_the_stores_that_answer(told: With) -> None:
    ran = told("status", clickhouse=NOWHERE["SMALL_CLICKHOUSE"])
    refused(ran, 4, "FILL")


def test_status_in_json_is_one_document(told: With) -> None:
    ran = told("status", "-o", "json", clickhouse=NOWHERE["SMALL_CLICKHOUSE"])
    states = {each["store"]: each["state"] for each in json.loads(ran.out)["stores"]}
    assert states == {"postgres": "ready", "clickhouse": "unreachable", "redis": "ready"}
    assert ran.code == 4


def test_something_else_answers(told: With) -> None:
    """A port where another program listens, which hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        port = listening.getsockname()[1]
        listening.close()
        ran = told(redis=f"redis://127.0.0.1:{port}/0", clickhouse=os.environ["SMALL_REDIS"].replace("redis", "http", 1))
    refused(ran, 4, "FILL")


@pytest.mark.parametrize("words", [("up",), ("status",)], ids=" ".join)
def test_urls_that_cannot_be_read(told: With, words: tuple[str, ...]) -> None:
    """A slash in a password breaks a url apart: no part of the password is shown."""
    ran = told(
        *words,
        postgres="postgresql://me:s3cret/more@127.0.0.1/small",
        clickhouse="clickhouse://me:s3cret/more@127.0.0.1/small",
        redis="redis://me:s3cret/more@127.0.0.1/0",
    )
    refused(ran, 2, "FILL")
    assert "s3cret" not in ran.err
    assert "more@" not in ran.err


def test_urls_of_another_kind(told: With) -> None:
    ran = told(postgres="mysql://h/x", clickhouse="clickhouse+native://h/x", redis="http://h/0")
    refused(ran, 2, "FILL")


def test_options_of_a_url_that_nobody_knows(told: With) -> None:
    ran = told(
        postgres=f"{os.environ['SMALL_POSTGRES']}&nosuch=1",
        redis=f"{os.environ['SMALL_REDIS']}?nosuch=1",
        clickhouse=f"{os.environ['SMALL_CLICKHOUSE']}?nosuch=1",
    )
    refused(ran, 2, "FILL")


def test_servers_that_are_too_old(told: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "OLDEST", 99)
    monkeypatch.setattr(clickhouse_connection, "OLDEST", (99, 1))
    monkeypatch.setattr(redis_server, "OLDEST", (99, 0))
    refused(told(), 2, "FILL")


def test_only_names_a_store_that_is_off(told: With) -> None:
    refused(told("up", "--only", "redis", redis="off"), 2, "FILL")


def test_requirement_of_a_store_that_is_off(told: With) -> None:
    refused(told("up", clickhouse="off"), 2, "FILL")


def test_home_store_that_is_off(told: With) -> None:
    refused(told("up", "--only", "redis", postgres="off", clickhouse="off"), 2, "FILL")

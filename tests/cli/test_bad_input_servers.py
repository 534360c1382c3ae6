"""Servers that refuse, do not answer, or are too old: each is told, all of them at once, and nothing is begun."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import pytest

from provision.stores.clickhouse import server as clickhouse_connection
from provision.stores.postgres import server as postgres_connection
from provision.stores.redis import server as redis_server
from tests.cli.projects import NOWHERE, edit, refused, untouched
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
    refused(
        ran,
        2,
        """\
error[wrong-password]: postgres refused the user or the password
  where  HOST/asked
  fix    correct user and password in the url
error[wrong-password]: clickhouse refused the user or the password
  where  HOST/small_N
  fix    correct user and password in the url
error[wrong-password]: the server refused the password
  where  redis: redis://HOST/0
  fix    correct user and password in the url
""",
    )


def test_no_password(told: With, asking: str) -> None:
    urls = {"clickhouse": os.environ["SMALL_CLICKHOUSE"], "redis": os.environ["SMALL_REDIS"], "postgres": asking}
    ran = told("up", **{store: url.replace(f":{urlsplit(url).password}@", "@") for store, url in urls.items()})
    refused(
        ran,
        2,
        """\
error[wrong-password]: postgres asks for a password and the url has none
  where  HOST/asked
  fix    correct user and password in the url
error[wrong-password]: clickhouse refused the user or the password
  where  HOST/small_N
  fix    correct user and password in the url
error[wrong-password]: the server refused the password
  where  redis: redis://HOST/0
  fix    correct user and password in the url
""",
    )


def test_unknown_user_and_database(told: With, asking: str) -> None:
    ran = told(
        postgres=changed(asking, path="/nothing"),
        clickhouse=changed(os.environ["SMALL_CLICKHOUSE"], user="nobody"),
        redis=changed(os.environ["SMALL_REDIS"], path="/99"),
    )
    refused(
        ran,
        2,
        """\
error[no-such-database]: postgres has no database 'nothing'
  where  HOST/nothing
  fix    createdb nothing, or correct the url
error[wrong-password]: clickhouse refused the user or the password
  where  HOST/small_N
  fix    correct user and password in the url
error[no-such-database]: the server has no such database number
  where  redis: redis://HOST/99
  fix    name a lower one in the url
""",
    )


@pytest.mark.parametrize("words", [("up",), ("down", "--all"), ("plan",), ("up", "--dry-run")], ids=" ".join)
def test_unreachable_servers_are_all_named(told: With, words: tuple[str, ...]) -> None:
    ran = told(*words, **{name.removeprefix("SMALL_").lower(): url for name, url in NOWHERE.items()})
    refused(
        ran,
        4,
        """\
error[unreachable]: postgres does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
error[unreachable]: clickhouse does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
error[unreachable]: no answer: nothing listens there
  where  redis: redis://127.0.0.1:1/0
  fix    see that the server runs and the url is right
""",
    )


def test_hosts_that_nobody_knows(told: With) -> None:
    ran = told(
        **{store: f"{store}://nobody.invalid" for store in ("clickhouse", "redis")},
        postgres="postgresql://nobody.invalid/x",
    )
    refused(
        ran,
        4,
        """\
error[unreachable]: postgres does not answer: the host name is not known
  where  nobody.invalid/x
  fix    start the server, or correct the url
error[unreachable]: clickhouse does not answer: the host name is not known
  where  nobody.invalid:8123/default
  fix    start the server, or correct the url
error[unreachable]: no answer: the host name is not known
  where  redis: redis://nobody.invalid
  fix    see that the server runs and the url is right
""",
    )


def test_unreachable_outweighs_a_wrong_password(told: With) -> None:
    ran = told(redis=changed(os.environ["SMALL_REDIS"], password="wrong-word"), postgres=NOWHERE["SMALL_POSTGRES"])
    refused(
        ran,
        4,
        """\
error[unreachable]: postgres does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
error[wrong-password]: the server refused the password
  where  redis: redis://HOST/0
  fix    correct user and password in the url
""",
    )


def test_status_shows_the_stores_that_answer(told: With) -> None:
    ran = told("status", clickhouse=NOWHERE["SMALL_CLICKHOUSE"])
    refused(
        ran,
        4,
        """\
error[unreachable]: clickhouse does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  3 to apply
    · postgres/0001  pending   Accounts
    · postgres/0002  pending   Orders of accounts
    · postgres/0003  pending   Notes on orders, read back while they are made
  clickhouse  unreachable    127.0.0.1:1/small
  redis       redis VERSION  redis://HOST/0  2 to apply
    · redis/0001     pending   Who signed in
    · redis/0002     pending   A second reader of the sign-ins
next: provision up --env test
""",
    )


def test_status_in_json_is_one_document(told: With) -> None:
    ran = told("status", "-o", "json", clickhouse=NOWHERE["SMALL_CLICKHOUSE"])
    states = {each["store"]: each["state"] for each in json.loads(ran.out)["stores"]}
    assert states == {"postgres": "ready", "clickhouse": "unreachable", "redis": "ready"}
    assert ran.code == 4


def test_servers_that_are_mistaken_for_one_another(told: With) -> None:
    redis, clickhouse = (urlsplit(os.environ[name]).netloc for name in ("SMALL_REDIS", "SMALL_CLICKHOUSE"))
    ran = told(redis=f"redis://{clickhouse}/0", clickhouse=f"clickhouse://{redis}/x")
    refused(
        ran,
        4,
        """\
error[unreachable]: clickhouse does not answer: what listens there speaks another protocol
  where  HOST/x
  fix    start the server, or correct the url
error[unreachable]: no answer: what listens there speaks another protocol
  where  redis: redis://HOST/0
  fix    see that the server runs and the url is right
""",
    )


@pytest.mark.parametrize("words", [("up",), ("status",)], ids=" ".join)
def test_urls_that_cannot_be_read(told: With, words: tuple[str, ...]) -> None:
    """A slash in a password breaks a url apart: no part of the password is shown."""
    ran = told(
        *words,
        postgres="postgresql://me:s3cret/more@127.0.0.1/small",
        clickhouse="clickhouse://me:s3cret/more@127.0.0.1/small",
        redis="redis://me:s3cret/more@127.0.0.1/0",
    )
    refused(
        ran,
        2,
        """\
error[bad-url]: the url of postgres cannot be read: its password holds an @, #, / or ? that divides the url
  where  provision.toml, [environments.test] postgres.url
  fix    percent-encode them: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25
error[bad-url]: the url of clickhouse cannot be read: its password holds an @, #, / or ? that divides the url
  where  provision.toml, [environments.test] clickhouse.url
  fix    percent-encode them: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25
error[bad-url]: the url of redis cannot be read: its password holds an @, #, / or ? that divides the url
  where  provision.toml, [environments.test] redis.url
  fix    percent-encode them: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25
""",
    )
    assert "s3cret" not in ran.err
    assert "more@" not in ran.err


def test_urls_of_another_kind(told: With) -> None:
    ran = told(postgres="mysql://h/x", clickhouse="clickhouse+native://h/x", redis="http://h/0")
    refused(
        ran,
        2,
        """\
error[bad-url]: the url of postgres cannot be read
  where  provision.toml, [environments.test] postgres.url
  fix    write postgresql://user:password@host:5432/database, special characters percent-encoded (@ as %40)
error[bad-url]: the url of clickhouse cannot be read
  where  provision.toml, [environments.test] clickhouse.url
  fix    write clickhouse://user:password@host:8123/database, special characters percent-encoded (@ as %40)
error[bad-url]: not a Redis url
  where  provision.toml, [environments.test] redis.url
  fix    write redis://user:password@host:6379/0, special characters percent-encoded (@ as %40)
""",
    )


def test_options_of_a_url_that_nobody_knows(told: With) -> None:
    ran = told(
        postgres=f"{os.environ['SMALL_POSTGRES']}&nosuch=1",
        redis=f"{os.environ['SMALL_REDIS']}?nosuch=1",
        clickhouse=f"{os.environ['SMALL_CLICKHOUSE']}?nosuch=1",
    )
    refused(
        ran,
        2,
        """\
error[bad-url]: the url of postgres cannot be read
  where  provision.toml, [environments.test] postgres.url
  fix    write postgresql://user:password@host:5432/database, special characters percent-encoded (@ as %40)
error[bad-url]: the url of clickhouse cannot be read
  where  provision.toml, [environments.test] clickhouse.url
  fix    write clickhouse://user:password@host:8123/database, special characters percent-encoded (@ as %40)
error[bad-url]: not a Redis url
  where  provision.toml, [environments.test] redis.url
  fix    write redis://user:password@host:6379/0, special characters percent-encoded (@ as %40)
""",
    )


def test_servers_that_are_too_old(told: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "OLDEST", 99)
    monkeypatch.setattr(clickhouse_connection, "OLDEST", (99, 1))
    monkeypatch.setattr(redis_server, "OLDEST", (99, 0))
    refused(
        told(),
        2,
        """\
error[server-too-old]: postgres runs PostgreSQL VERSION; 99 or newer is needed
  where  SOCKETS/.provision/postgres/small_N
  fix    upgrade the server
error[server-too-old]: clickhouse runs ClickHouse VERSION; 99.1 or newer is needed
  where  HOST/small_N
  fix    upgrade the server
error[server-too-old]: Redis 99.0 or later is needed, the server is VERSION
  where  redis: redis://HOST/0
  fix    upgrade the server
""",
    )


def test_only_names_a_store_that_is_off(told: With) -> None:
    refused(
        told("up", "--only", "redis", redis="off"),
        2,
        """\
error[store-not-configured]: --only names redis, which is off here
  where  environment test
  fix    set redis.url
""",
        "small · test\n",
    )


def test_requirement_of_a_store_that_is_off(told: With) -> None:
    refused(
        told("up", clickhouse="off"),
        2,
        """\
error[requirement-not-configured]: redis/0002 requires clickhouse/001, and clickhouse is not configured here
  where  redis/0002_second_reader.yaml
  fix    set the url of clickhouse, or leave redis out too
""",
        "small · test\n",
    )


def test_home_store_that_is_off(told: With, small: Path) -> None:
    edit(small / "redis" / "0002_second_reader.yaml", "requires: [clickhouse/001]\n", "")
    refused(
        told("up", "--only", "redis", postgres="off", clickhouse="off"),
        2,
        """\
error[no-home]: the home store postgres is off here
  where  environment test
  fix    set postgres.url, or run with --no-lock
""",
        "small · test\n",
    )

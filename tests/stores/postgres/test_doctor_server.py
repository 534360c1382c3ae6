"""What `doctor` finds on a PostgreSQL server; each fix is done as it is printed, and the finding is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provision.model import Finding, Severity, StoreOptions
from provision.stores.postgres.setup import health
from tests.servers.databases import Postgres15
from tests.servers.pooler import PgBouncer, placed
from tests.servers.running import HOST

SETTINGS = {"max_prepared_transactions": "2", "max_wal_size": "32MB", "min_wal_size": "32MB", "wal_level": "replica"}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres15]:
    """A server that may keep prepared transactions; its owner logs in over TCP too, into the database shop."""
    with Postgres15(settings=SETTINGS) as started:
        assert isinstance(started, Postgres15)
        with psycopg.connect(started.url, autocommit=True) as connection:
            connection.execute("create role owner login superuser password 'word'")
            connection.execute("create database shop owner owner")
        yield started


@pytest.fixture
def url(server: Postgres15) -> str:
    return f"postgresql://owner:word@{HOST}:{server.listens[0]}/shop"


def looked(url: str, path: Path, **extra: object) -> Sequence[Finding]:
    return health.look(StoreOptions("shop", "postgres", "shop", path, path, extra), url, home=True)


def odd(found: Sequence[Finding]) -> list[Finding]:
    return [each for each in found if each.severity is not Severity.FINE]


def commands(fix: str) -> list[str]:
    return re.findall(r"`([^`]*)`", fix)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_pooler_that_changes_the_connection_is_left_for_the_server(mode: str, url: str, tmp_path: Path) -> None:
    with PgBouncer(url, mode) as pooler:
        [found] = odd(looked(pooler.url, tmp_path))
        assert (found.rule, found.severity) == ("pooler", Severity.ERROR)
        [server] = re.findall(r"name the server itself in the url, ([\d.:]+);", found.fix)
        assert odd(looked(placed(pooler.url, server).replace("owner@", "owner:word@"), tmp_path)) == []


def test_pooler_in_the_mode_of_the_fix_is_no_hindrance(url: str, tmp_path: Path) -> None:
    with PgBouncer(url, "session") as pooler:
        found = looked(pooler.url, tmp_path)
    assert odd(found) == []
    assert [each.message for each in found if each.rule == "pooler"] == [
        "a pooler stands before the server, and leaves each session its connection"
    ]


def _idle(connection: psycopg.Connection[Any]) -> None:
    connection.execute("begin")
    connection.execute("create table if not exists waited (id int)")


def _prepared(connection: psycopg.Connection[Any]) -> None:
    connection.execute("begin")
    connection.execute("create table held (id int)")
    connection.execute("prepare transaction 'of ''somebody'")


def _slot(connection: psycopg.Connection[Any]) -> None:
    connection.execute("select pg_create_physical_replication_slot('nobody', true)")
    for _ in range(4):
        connection.execute("create table if not exists switched (id int); drop table switched; select pg_switch_wal()")
    connection.execute("checkpoint")


def _sql(text: str) -> Callable[[psycopg.Connection[Any]], object]:
    return lambda connection: connection.execute(text.encode())


BROUGHT = [
    ("settings", _sql("alter role owner set synchronous_commit = off"), "synchronous_commit is off: a crash may lose"),
    ("settings", _sql("alter database shop set track_activities = off"), "track_activities is off: a run does not see"),
    ("settings", _sql("alter role owner in database shop set synchronous_commit = off"), "synchronous_commit is off"),
    ("extensions", _sql("create extension pg_trgm version '1.5'"), "extension pg_trgm is 1.5, and 1.6 is there"),
    ("transactions", _idle, "and does nothing: create table if not exists waited (id int)"),
    ("transactions", _prepared, "the prepared transaction 'of ''somebody' has kept its locks for 0 s"),
    ("disk", _slot, "of log for nobody: the disk fills"),
]


@pytest.mark.parametrize(("rule", "bring", "says"), BROUGHT)
def test_statement_of_the_fix_ends_the_finding(
    rule: str, bring: Callable[[psycopg.Connection[Any]], object], says: str, url: str, tmp_path: Path
) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        bring(connection)
        [found] = odd(looked(url, tmp_path, longest_transaction="0ms"))
        assert (found.rule, found.severity, says in found.message) == (rule, Severity.WARNING, True), found
        execute(url, *commands(found.fix))
        assert odd(looked(url, tmp_path, longest_transaction="0ms")) == []


def test_setting_of_the_server_is_reset_for_all(url: str, tmp_path: Path) -> None:
    execute(url, "alter system set track_activities = off", "select pg_reload_conf()")
    [found] = odd(_until(lambda: looked(url, tmp_path), "settings"))
    execute(url, *commands(found.fix))
    assert odd(_until(lambda: looked(url, tmp_path), "")) == []


def _until(look: Callable[[], Sequence[Finding]], rule: str) -> Sequence[Finding]:
    """What is found once the server has read its settings anew, which it does a moment after it was asked to."""
    for _ in range(50):
        found = look()
        if [each.rule for each in odd(found)] == ([rule] if rule else []):
            break
    return found


def test_extension_that_the_server_lacks_is_left_out_of_the_revision(url: str, tmp_path: Path) -> None:
    revision = tmp_path / "versions" / "0001_search.py"
    revision.parent.mkdir()
    revision.write_text(
        '# create extension unheard_of\nop.execute("CREATE EXTENSION IF NOT EXISTS no_such, pg_trgm")\n'
    )
    [found] = odd(looked(url, tmp_path))
    assert "the extension no_such, which the server has no files of" in found.message
    assert found.fix.startswith("`apt-get install postgresql-15-no-such` on the server's machine")
    revision.write_text('op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")\n')
    assert odd(looked(url, tmp_path)) == []

"""The ClickHouse database of a test: what is emptied, what is made anew, and what it has then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from provision.testing.clickhouse_copies import ClickHouseCopies

TABLES = (
    "CREATE TABLE `a b` (n UInt64) ENGINE = MergeTree ORDER BY n",
    "CREATE TABLE sums (n UInt64) ENGINE = SummingMergeTree ORDER BY n",
)
VIEWS = (
    "CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT n FROM `a b`",
    "CREATE MATERIALIZED VIEW own ENGINE = MergeTree ORDER BY n AS SELECT n FROM `a b`",
)
HELD = "SELECT (SELECT count() FROM `a b`), (SELECT count() FROM sums)"
MADE = "SELECT uuid FROM system.tables WHERE database = currentDatabase() AND name = 'a b'"


@pytest.fixture
def copies(clickhouse_embedded: str) -> Iterator[Callable[..., ClickHouseCopies]]:
    """Copies of a database that these statements made."""
    url = urlsplit(clickhouse_embedded)._replace(path="/model").geturl()
    made: list[ClickHouseCopies] = []

    def of(*statements: str) -> ClickHouseCopies:
        with _client(url, "default") as client:
            client.command("CREATE DATABASE model")
        with _client(url) as client:
            for each in statements:
                client.command(each)
        made.append(ClickHouseCopies(url))
        return made[-1]

    yield of
    for each in made:
        each.close()
    with _client(url, "default") as client:
        client.command("DROP DATABASE model")
        assert client.query("SHOW DATABASES LIKE 'provision%'").result_rows == []


def _client(url: str, database: str = "") -> Client:
    parts = urlsplit(url)
    return clickhouse_connect.get_client(
        dsn=parts._replace(scheme="http", path=f"/{database}" if database else parts.path).geturl()
    )


def test_tables_and_views_of_a_test_are_emptied_and_stay(copies: Callable[..., ClickHouseCopies]) -> None:
    each = copies(*TABLES, *VIEWS)
    with _client(each.renew()) as client:
        before = client.query(MADE).result_rows
        client.command("INSERT INTO `a b` VALUES (1), (2)")
        assert client.query(HELD).result_rows == [(2, 2)]
        assert client.query("SELECT count() FROM own").result_rows == [(2,)]

    with _client(each.renew()) as client:
        assert client.query(HELD).result_rows == [(0, 0)]
        assert client.query("SELECT count() FROM own").result_rows == [(0,)]
        assert client.query(MADE).result_rows == before


def test_rows_of_revisions_are_there_again(copies: Callable[..., ClickHouseCopies]) -> None:
    each = copies(*TABLES, "INSERT INTO `a b` VALUES (7)")
    with _client(each.renew()) as client:
        before = client.query(MADE).result_rows
        client.command("INSERT INTO `a b` VALUES (8)")
        client.command("ALTER TABLE `a b` DELETE WHERE n = 7 SETTINGS mutations_sync = 2")

    with _client(each.renew()) as client:
        assert client.query("SELECT n FROM `a b`").result_rows == [(7,)]
        assert client.query(MADE).result_rows == before


@pytest.mark.parametrize(
    "change", ["ALTER TABLE sums ADD COLUMN x String", "DROP TABLE sums", "CREATE VIEW v AS SELECT 1"]
)
def test_what_was_changed_is_made_anew(copies: Callable[..., ClickHouseCopies], change: str) -> None:
    each = copies(*TABLES)
    with _client(each.renew()) as client:
        before = client.query(MADE).result_rows
        client.command(change)

    with _client(each.renew()) as client:
        assert client.query(MADE).result_rows != before
        assert client.query("DESCRIBE TABLE sums").result_rows[0][:2] == ("n", "UInt64")
        assert client.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY 1"
        ).result_rows == [
            ("a b",),
            ("sums",),
        ]


def test_views_have_rows_of_revisions_once(copies: Callable[..., ClickHouseCopies]) -> None:
    each = copies(*TABLES, *VIEWS, "INSERT INTO `a b` VALUES (7)")
    for _ in range(2):
        with _client(each.renew()) as client:
            assert client.query(HELD).result_rows == [(1, 1)]
            assert client.query("SELECT n FROM own").result_rows == [(7,)]

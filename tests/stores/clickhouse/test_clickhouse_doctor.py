"""What `doctor` finds of replicated tables and mutations of a ClickHouse; each fix is done as it is printed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

from provision.model import Finding, Severity, StoreOptions
from provision.stores.clickhouse.setup import health, replicas

_NUMBERS = itertools.count(1)
NAMED = "CREATE TABLE t (a Int8) ENGINE = ReplicatedMergeTree('/tables/{shard}/{table}', 'one') ORDER BY a;\n"


@pytest.fixture
def url(clickhouse_embedded: str) -> Iterator[str]:
    """A database of the test's own."""
    name = f"doctor_{next(_NUMBERS)}"
    with clickhouse_connect.get_client(dsn=urlsplit(clickhouse_embedded)._replace(path="/default").geturl()) as client:
        client.command(f"CREATE DATABASE {name}")
        yield urlsplit(clickhouse_embedded)._replace(path=f"/{name}").geturl()
        client.command(f"DROP DATABASE {name}")


def odd(url: str, path: Path) -> Sequence[Finding]:
    found = health.look(StoreOptions("events", "clickhouse", "shop", path, path), url, home=False)
    return [each for each in found if each.severity is not Severity.FINE and each.rule != "disk"]


def test_mutation_that_cannot_succeed_is_ended_by_the_statement_of_the_fix(url: str, tmp_path: Path) -> None:
    with clickhouse_connect.get_client(dsn=url) as client:
        client.command("CREATE TABLE t (a Int8, b Int8) ENGINE = MergeTree ORDER BY a")
        client.command("INSERT INTO t VALUES (1, 1)")
        client.command("ALTER TABLE t UPDATE b = throwIf(a = 1, 'never') WHERE 1", settings={"mutations_sync": "0"})
        found: Sequence[Finding] = ()
        for _ in range(200):  # it is tried in the background
            if found := odd(url, tmp_path):
                break
        [each] = found
        assert (each.rule, each.severity) == ("mutations", Severity.WARNING)
        assert (
            "a mutation of t fails again and again: (UPDATE b = throwIf(a = 1, 'never') WHERE 1): Code: "
            in each.message
        )
        [statement] = re.findall(r"`([^`]*)`", each.fix)
        client.command(statement)
    assert odd(url, tmp_path) == []


def test_statement_of_the_fix_names_what_fills_a_disk(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LEAST_FREE", 2)
    found = health.look(StoreOptions("events", "clickhouse", "shop", tmp_path, tmp_path), url, home=False)
    statements = {re.findall(r"`([^`]*)`", each.fix)[0] for each in found if each.rule == "disk"}
    with clickhouse_connect.get_client(dsn=url) as client:
        client.command("CREATE TABLE large (a Int64) ENGINE = MergeTree ORDER BY a")
        client.command("INSERT INTO large SELECT number FROM numbers(100000)")
        [rows] = [client.query(each).result_rows for each in statements]
    assert (urlsplit(url).path.strip("/"), "large") in [row[:2] for row in rows]


def test_replicated_table_of_a_server_that_cannot_have_one(url: str, tmp_path: Path) -> None:
    file = tmp_path / "001_t.sql"
    file.write_text("-- ReplicatedMergeTree('/{a}', '{b}')\n" + NAMED)
    keeper, missing, name = odd(url, tmp_path)
    assert keeper.message == "revisions make replicated tables, and the server has no keeper, or none that answers"
    assert (
        missing.message
        == "001_t.sql makes a replica at /tables/{shard}/{table} named one, and the server knows no {shard}"
    )
    assert name.message == "001_t.sql names every replica one: the second server cannot make its own"

    [written] = re.findall(r"write (\S+) as the name", name.fix)
    assert missing.fix.endswith("or leave it out of the path")
    file.write_text(NAMED.replace("'one'", written).replace("/{shard}", ""))
    assert [each.message for each in odd(url, tmp_path)] == [
        keeper.message,
        "001_t.sql makes a replica at /tables/{table} named {replica}, and the server knows no {replica}",
    ]
    [engine] = re.findall(r"or write (\w+) in the revisions", keeper.fix)
    file.write_text(f"CREATE TABLE t (a Int8) ENGINE = {engine} ORDER BY a;\n")
    assert odd(url, tmp_path) == []


@pytest.mark.parametrize(("expired", "why"), [(0, "is read-only"), (1, "has lost its session with the keeper")])
def test_replica_that_takes_no_rows_names_its_path(expired: int, why: str, tmp_path: Path) -> None:
    """Of a row of system.replicas: the engine of the tests has no keeper."""
    options = StoreOptions("events", "clickhouse", "shop", tmp_path, tmp_path)
    found = replicas.ill(options, "shop", "odd name", expired, "/clickhouse/t", "r1")
    assert found.message == f"the replica r1 of odd name {why} (path /clickhouse/t)"
    assert found.fix.startswith("`SYSTEM RESTART REPLICA shop.`odd name``; where the keeper has lost it")

"""Ledgers and locks as commit a8d2579 wrote them, before records had a number: today's commands go on with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.core.audit import audit
from provision.model import EventKind
from provision.testing.contract import Bench
from tests.contract.conftest import CASES

KEPT = Path(__file__).parents[1] / "fixtures" / "ledgers"


def redis(bench: Bench, found: list[list[str]]) -> None:
    client = bench.case._client  # type: ignore[attr-defined]
    for key in client.scan_iter("provision:*"):
        client.delete(key)
    for command in found:
        client.execute_command(*command)


def postgres(bench: Bench, found: dict[str, Any]) -> None:
    connection = bench.case._connection  # type: ignore[attr-defined]
    connection.execute("drop schema provision cascade")
    for statement in found["statements"]:
        connection.execute(statement)
    for table in ("ledger", "fence", "lease"):
        sql = (
            f"insert into provision.{table} select * from jsonb_populate_recordset(null::provision.{table}, %s::jsonb)"
        )
        connection.execute(sql, [json.dumps(found[table])])


def clickhouse(bench: Bench, found: dict[str, Any]) -> None:
    client, database = bench.case._client, bench.case._database  # type: ignore[attr-defined]
    client.command(f"DROP TABLE {database}.provision_ledger SYNC")
    for statement in found["statements"]:
        client.command(statement.replace("provision_ledger", f"{database}.provision_ledger"))
    rows = "\n".join(json.dumps(row) for row in found["rows"]).encode()
    client.command(f"INSERT INTO {database}.provision_ledger FORMAT JSONEachRow", data=rows)


def influx(bench: Bench, found: list[str]) -> None:
    with bench.store() as store:
        server = store.ledger._server()  # type: ignore[attr-defined]
        for line in found:  # each over today's point of the same time
            server.write("provision_vfr", line)


def weaviate(bench: Bench, found: dict[str, Any]) -> None:
    with bench.store() as store:
        server = store.ledger._server()  # type: ignore[attr-defined]
        for each in found["classes"]:
            server.send("DELETE", f"/schema/{each['class']}")
            server.send("POST", "/schema", each)
        for each in found["objects"]:
            server.send("POST", "/objects", {name: each[name] for name in ("class", "id", "properties")})


def arango(bench: Bench, found: dict[str, Any]) -> None:
    with bench.store() as store:
        server = store.ledger._server()  # type: ignore[attr-defined]
        for name in ("provision_ledger", "provision_leases"):
            server.ask("PUT", f"/_api/collection/{name}/truncate")
            for each in found[name]:
                server.ask("POST", f"/_api/document/{name}", each)


FOUND: dict[str, tuple[str, Callable[[Bench, Any], None]]] = {
    "postgres15": ("Postgres15Case", postgres),
    "clickhouse": ("ClickhouseCase", clickhouse),
    "redis7": ("Redis7Case", redis),
    "influx1": ("Influx1Case", influx),
    "influx2": ("Influx2Case", influx),
    "weaviate": ("WeaviateCase", weaviate),
    "arango": ("ArangoCase", arango),
}


@pytest.fixture(params=FOUND)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """All is applied, and what the database keeps of it is what the earlier release wrote."""
    kind = CASES[request.param]
    case = kind(request.getfixturevalue(kind.server))
    name, put = FOUND[request.param]
    try:
        bench = Bench(case, tmp_path)
        bench.up()
        put(bench, json.loads((KEPT / f"{name}.json").read_text()))
        yield bench
    finally:
        case.close()


def test_what_an_earlier_release_wrote_is_gone_on_with(earlier: Bench) -> None:
    bench = earlier
    then = bench.events()
    assert [each.revision for each in then if each.kind is EventKind.APPLIED] == [
        f"{bench.case.name}/{number}" for number in ("001", "002", "003")
    ]
    assert not any("file" in each.detail for each in then)
    assert audit(then) == ()
    if bench.case.leases:
        with bench.store() as store:
            assert store.leases is not None
            held = store.leases.read("run")
            assert held is not None
            assert (held.owner.actor, held.owner.run, held.expires_in < 0) == ("ci@runner-4", "", True)
            assert store.leases.ask_back("run", held.owner, held.token, "dba@host")

    assert bench.up().done == ()
    assert bench.events() == then
    assert len(bench.down().done) == 3
    assert bench.case.seen() == []
    assert len(bench.up().done) == 3
    assert bench.events()[: len(then)] == then
    assert audit(bench.events()) == ()

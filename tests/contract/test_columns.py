"""Fields and columns of another release in a ledger: what is more is passed by and stays, what is missing is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from provision.errors import ConfigError
from provision.model import Event
from provision.stores.influx.entries import key
from provision.testing.contract import Bench

Fields = dict[str, Any]


def of_server(bench: Bench, ask: Callable[[Any], object]) -> None:
    with bench.store() as store:
        ask(store.ledger._server())  # type: ignore[attr-defined]


def redis(bench: Bench, event: Event, fields: Fields) -> None:
    kept = {name: value for name, value in fields.items() if name not in ("project", "token", "n")}
    words = [str(word) for pair in kept.items() if pair[1] is not None for word in pair]
    client = bench.case._client  # type: ignore[attr-defined]
    client.execute_command("XADD", "provision:vfr:ledger:redis", f"{event.token}-{event.n}", *words)


def influx(bench: Bench, event: Event, fields: Fields) -> None:
    kept = {**fields, "detail_0": fields.get("detail")}
    texts = {name: kept.get(name) for name in ("revision", "kind", "checksum", "at", "actor", "detail_0", "later")}
    escaped = {name: str(value).replace('"', '\\"') for name, value in texts.items() if value is not None}
    valued = ",".join([*(f'{name}="{value}"' for name, value in escaped.items()), f"duration_ms={event.duration_ms}i"])
    line = f"events,project=vfr,store=influx {valued} {key(event.token, event.n)}"
    of_server(bench, lambda server: server.write("provision_vfr", line))


def weaviate(bench: Bench, event: Event, fields: Fields) -> None:
    name = "Provision_vfr_weaviate_ledger"
    kept = {**{each: value for each, value in fields.items() if value is not None}, "store": "weaviate"}
    identity = f"5f1c1c2c-0000-4000-8000-{event.token:012}"

    def add(server: Any) -> None:
        server.send("POST", f"/schema/{name}/properties", {"name": "later", "dataType": ["text"]})
        server.send("POST", "/objects", {"class": name, "id": identity, "properties": kept})

    of_server(bench, add)


def arango(bench: Bench, event: Event, fields: Fields) -> None:
    own = {"_key": f"entry-{event.token}", "store": "arango", "position": 10_000 + event.token}
    of_server(bench, lambda server: server.ask("POST", "/_api/document/provision_ledger", {**fields, **own}))


def postgres(bench: Bench, event: Event, fields: Fields) -> None:
    altered = "drop column actor" if "actor" not in fields else "add column later text default 'x'"
    bench.case._connection.execute(f"alter table provision.ledger {altered}")  # type: ignore[attr-defined]
    if "actor" in fields:
        appended(bench, event)


def clickhouse(bench: Bench, event: Event, fields: Fields) -> None:
    client, database = bench.case._client, bench.case._database  # type: ignore[attr-defined]
    altered = "DROP COLUMN actor" if "actor" not in fields else "ADD COLUMN later String DEFAULT 'x'"
    client.command(f"ALTER TABLE {database}.provision_ledger {altered}")
    if "actor" in fields:
        appended(bench, event)


def appended(bench: Bench, event: Event) -> None:
    with bench.store() as store:
        store.ledger.append(event)


PUT: Mapping[str, Callable[[Bench, Event, Fields], None]] = {
    "postgres": postgres,
    "clickhouse": clickhouse,
    "redis": redis,
    "influx": influx,
    "weaviate": weaviate,
    "arango": arango,
}


def once_more(bench: Bench) -> Event:
    """The last entry of what is applied, as a later run would write it again."""
    return replace(bench.events()[-1], token=90, n=1)


def test_ledger_with_more_than_is_known_is_gone_on_with(bench: Bench) -> None:
    if bench.case.kind not in PUT:
        pytest.skip("its ledger is no table")
    bench.up()
    event = once_more(bench)

    PUT[bench.case.kind](bench, event, {**event.record(), "later": "x"})

    assert bench.events()[-1] == event
    assert bench.up().done == ()
    assert len(bench.down().done) == 3
    assert bench.case.seen() == []


def test_ledger_that_lacks_something_says_what(bench: Bench) -> None:
    if bench.case.kind not in PUT:
        pytest.skip("its ledger is no table")
    bench.up()
    event = once_more(bench)
    fields = {name: value for name, value in event.record().items() if name != "actor"}

    PUT[bench.case.kind](bench, event, fields)

    with pytest.raises(ConfigError) as refused:
        bench.up()
    assert refused.value.code == "ledger-unreadable"
    assert refused.value.what.endswith(("it has no actor", "it has no column actor"))

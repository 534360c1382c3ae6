"""The ledger on the server: keys, positions, late and doubled writers, lost answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from provision.errors import ConfigError, FailedError, LeaseLost
from provision.model import EventKind
from provision.stores.arango import server
from provision.stores.arango.names import Keys
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.gate import Gate, error
from tests.stores.arango.moves import event, opened
from tests.stores.arango.raw import Raw

Make = Callable[..., ArangoStore]


def test_keys_of_two_names_never_meet() -> None:
    first, second = Keys("a:b", "c"), Keys("a", "b:c")
    assert first.event(1, 1) != second.event(1, 1)
    assert Keys("vfr", "graph").event(7, 12) == "vfr:graph:000000000007:00000012"
    assert Keys("vfr", "graph").lease("backfill/x") == "vfr:backfill%2Fx"


def test_entry_is_durable_and_can_be_read_without_us(make: Make, raw: Raw) -> None:
    opened(make(), raw.url).ledger.append(event(7, 1, EventKind.STARTED, statement=1, detail={"text": "POST"}))
    [found] = raw.rows("FOR d IN provision_ledger RETURN d")
    assert {key: value for key, value in found.items() if key not in ("_id", "_rev")} == {
        "_key": "vfr:graph:000000000007:00000001",
        "project": "vfr",
        "store": "graph",
        "position": 1,
        "token": 7,
        "n": 1,
        "revision": "graph/0001",
        "kind": "started",
        "checksum": "c" * 64,
        "at": "2026-03-02T09:14:00.000000+00:00",
        "actor": "ci@runner-4",
        "duration_ms": 0,
        "statement": 1,
        "detail": {"schema": 2, "text": "POST"},
    }
    assert raw.properties("provision_ledger")["waitForSync"] is True
    index = raw.indexes("provision_ledger")["by_position"]
    assert (index["type"], index["fields"], index["unique"]) == ("persistent", ["project", "store", "position"], True)


def test_late_writer_with_a_head_of_its_own_is_refused_by_the_server(make: Make, raw: Raw) -> None:
    late, newer = opened(make(), raw.url), opened(make(), raw.url)
    late.ledger.raise_fence(1)
    late.ledger.append(event(1, 1))
    newer.ledger.raise_fence(2)
    with pytest.raises(LeaseLost) as caught:
        late.ledger.append(event(1, 2))
    assert caught.value.what == "the run lock was taken over by the run with token 2"
    assert [(each.token, each.n) for each in newer.ledger.read()] == [(1, 1)]


def test_late_writer_that_looks_first_is_refused(make: Make, raw: Raw) -> None:
    opened(make(), raw.url).ledger.append(event(3, 1, actor="ada@host"))
    with pytest.raises(LeaseLost) as caught:
        opened(make(), raw.url).ledger.append(event(2, 9))
    expected = "the run lock was taken over by ada@host (ledger entry vfr:graph:000000000003:00000001)"
    assert caught.value.what == expected
    with pytest.raises(LeaseLost):
        opened(make(), raw.url).ledger.raise_fence(2)


def test_fence_is_raised_twice_and_read_by_nobody(make: Make, raw: Raw) -> None:
    store = opened(make(), raw.url)
    for _ in range(2):
        store.ledger.raise_fence(4)
    opened(make(), raw.url).ledger.raise_fence(4)
    assert list(store.ledger.read()) == []
    assert len(raw.rows("FOR d IN provision_ledger RETURN 1")) == 1


def test_writers_of_one_token_queue_up(make: Make, raw: Raw) -> None:
    stores = [opened(make(), raw.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: [each[1].ledger.append(event(1, 10 * each[0] + n)) for n in range(5)],
                      enumerate(stores)))  # fmt: skip
    assert len(stores[0].ledger.read()) == 20
    assert sorted(raw.rows("FOR d IN provision_ledger RETURN d.position")) == list(range(1, 21))


def test_second_writer_of_a_key_is_refused(make: Make, raw: Raw) -> None:
    opened(make(), raw.url).ledger.append(event(1, 1, actor="ada@host"))
    with pytest.raises(LeaseLost) as caught:
        opened(make(), raw.url).ledger.append(event(1, 1))
    expected = "the run lock was taken over by ada@host (ledger entry vfr:graph:000000000001:00000001)"
    assert caught.value.what == expected


def test_append_whose_answer_was_lost_is_found_done(make: Make, barred: Gate, url_through: str) -> None:
    store = opened(make(), url_through)
    store.ledger.append(event(1, 1))
    barred.rule = lambda method, path: "lost" if method == "POST" and "/document/" in path else None
    with pytest.raises(FailedError) as caught:
        store.ledger.append(event(1, 2))
    assert (caught.value.code, caught.value.where) == (
        "server-lost",
        f"http://127.0.0.1:{barred.port}",
    )
    barred.rule = lambda _method, _path: None
    store.ledger.append(event(1, 2))
    assert [each.n for each in store.ledger.read()] == [1, 2]


def test_read_without_a_ledger_or_a_database(make: Make, raw: Raw) -> None:
    store = make()
    store.open(raw.url)
    assert list(store.ledger.read()) == []
    raw.make()
    assert list(store.ledger.read()) == []
    assert raw.ask("GET", "/_api/collection?excludeSystem=true")["result"] == []


def test_document_of_somebody_else(make: Make, raw: Raw) -> None:
    store = opened(make(), raw.url)
    strange = {"_key": "x", "project": "vfr", "store": "graph", "position": 1, "token": 1, "n": 1, "kind": "?"}
    raw.ask("POST", "/_api/document/provision_ledger", strange)
    with pytest.raises(ConfigError) as caught:
        store.ledger.read()
    found = caught.value
    assert (found.code, found.what, found.where, found.fix) == (
        "ledger-unreadable",
        "document x of provision_ledger was not written by provision: it has no detail",
        f"{raw.server}/{raw.database}",
        "remove the document, or set another project name",
    )


def test_read_without_permission(make: Make, barred: Gate, url_through: str) -> None:
    store = opened(make(), url_through)
    barred.rule = lambda _method, path: error(403, 11, "forbidden") if path.endswith("/cursor") else None
    with pytest.raises(ConfigError) as caught:
        store.ledger.read()
    assert (caught.value.code, caught.value.what, caught.value.fix) == (
        "not-allowed",
        "the server refused: forbidden (error 11)",
        "give the user that right",
    )


def test_write_on_a_server_that_turned_read_only(make: Make, raw: Raw) -> None:
    store = opened(make(), raw.url)
    raw.ask("PUT", "/_admin/server/mode", {"mode": "readonly"}, "_system")
    try:
        with pytest.raises(FailedError) as caught:
            store.ledger.append(event(1, 1))
    finally:
        raw.ask("PUT", "/_admin/server/mode", {"mode": "default"}, "_system")
    assert (caught.value.code, caught.value.fix) == (
        "server-refused",
        "set the server's mode to default, then run the same command again",
    )
    assert caught.value.what.startswith("the server refused: ")
    assert caught.value.what.endswith("(error 1004)")
    assert list(store.ledger.read()) == []


def test_read_goes_on_over_the_first_answer(make: Make, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PAGE", 10)
    store = opened(make(), raw.url)
    for n in range(25):
        store.ledger.append(event(1, n))
    assert [each.n for each in store.ledger.read()] == list(range(25))

"""Leases on the server: its clock, one document, revisions that keep two writers apart."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from provision.errors import ConfigError
from provision.model import Heartbeat, Owner
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.gate import Gate, error
from tests.stores.arango.raw import Raw

Make = Callable[..., ArangoStore]
ME, YOU = Owner("me@host", 1, "boot ns 1"), Owner("you@host", 2, "boot ns 2")


def test_lease_makes_the_database_of_a_fresh_server(make: Make, raw: Raw) -> None:
    store = make()
    store.open(raw.url)
    assert store.leases is not None
    assert store.leases.read("run") is None
    store.leases.create()
    assert store.leases.take("run", ME, 30, 0).token == 1
    assert raw.database in raw.databases()


def test_lease_is_one_document_with_the_servers_times(make: Make, raw: Raw) -> None:
    store = make()
    store.open(raw.url)
    assert store.leases is not None
    store.leases.create()
    store.leases.take("backfill/x", ME, 30, 4)
    [found] = raw.rows("FOR d IN provision_leases FILTER d.holder != null RETURN d")
    assert (found["_key"], found["project"], found["name"], found["highest"]) == (
        "vfr:backfill%2Fx",
        "vfr",
        "backfill/x",
        5,
    )
    assert found["expires"] - found["taken_at"] == 30_000
    assert abs(found["taken_at"] / 1000 - time.time()) < 10


def test_lease_replaced_in_between_is_read_again(make: Make, raw: Raw, barred: Gate, url_through: str) -> None:
    store, other = make(), make()
    store.open(url_through)
    other.open(raw.url)
    assert store.leases is not None
    assert other.leases is not None
    store.leases.create()
    assert store.leases.take("run", ME, 0.01, 0).token == 1
    time.sleep(0.02)
    taken: list[int] = []

    def meanwhile(method: str, _path: str) -> None:
        if method == "PUT" and not taken and other.leases is not None:
            taken.append(other.leases.take("run", YOU, 30, 0).token)

    barred.rule = meanwhile
    found = store.leases.take("run", ME, 30, 0)
    assert (taken, found.owner, found.token) == ([2], YOU, 2)


def test_lease_whose_answer_was_lost_is_still_ours(make: Make, barred: Gate, url_through: str) -> None:
    store = make()
    store.open(url_through)
    assert store.leases is not None
    store.leases.create()
    token = store.leases.take("run", ME, 0.01, 0).token
    time.sleep(0.02)
    lost: list[str] = []

    def once(method: str, _path: str) -> str | None:
        if method == "PUT" and not lost:
            lost.append(method)
            return "lost"
        return None

    barred.rule = once
    held = store.leases.take("run", ME, 30, 0)
    assert (held.owner, held.token, lost) == (ME, token + 1, ["PUT"])
    assert store.leases.extend("run", ME, held.token, 30) is Heartbeat.KEPT
    assert store.leases.release("run", held.owner, held.token)


def test_lease_where_nothing_may_be_read(make: Make, barred: Gate, url_through: str) -> None:
    store = make()
    store.open(url_through)
    assert store.leases is not None
    barred.rule = lambda _method, _path: error(403, 11, "forbidden")
    with pytest.raises(ConfigError) as caught:
        store.leases.read("run")
    assert (caught.value.code, caught.value.what) == ("not-allowed", "the server refused: forbidden (error 11)")

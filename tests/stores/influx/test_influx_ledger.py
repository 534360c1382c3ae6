"""The ledger as points: none is written over another, and late runs are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from provision.errors import ConfigError, FailedError, LeaseLost
from provision.model import Event, Step
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.conftest import shown
from tests.stores.influx.moves import event
from tests.stores.influx.raw import Raw

Make = Callable[..., InfluxStore]
DATABASE = "  - create_database: {name: app}\n"


def made(store: InfluxStore, token: int, n: int, **fields: object) -> Event:
    return replace(event(Step(store.revisions()[0]), token=token, n=n), **fields)  # type: ignore[arg-type]


def test_ledger_has_an_infinite_tier_of_its_own(make: Make, raw: Raw) -> None:
    store = make(DATABASE)
    store.ledger.append(made(store, 3, 7))

    assert raw.tiers("provision_vfr") == {"ledger": ("0s", "168h0m0s", True)}
    (record,) = raw.records("SELECT * FROM provision_vfr.ledger.events")
    assert (record["project"], record["store"], record["revision"]) == ("vfr", "influx", "influx/0001")
    exact = raw.ask('SELECT "kind" FROM provision_vfr.ledger.events WHERE time = 3000007')
    assert [each["values"] for each in exact] == [[[0, "at"]]]


def test_ledger_long_details_come_back_exactly(make: Make) -> None:
    store = make(DATABASE)
    text = 'line\n"quoted" \\ back\\\\slash ü☃ ' * 8000
    written = made(store, 1, 1, detail={"text": text}, actor='a "b" \\')

    store.ledger.append(written)

    assert list(store.ledger.read()) == [written]


def test_ledger_many_events_are_read_page_by_page(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provision.stores.influx.version_1.PAGE", 3)
    store = make(DATABASE)
    events = [made(store, 1 + n // 4, n) for n in range(1, 8)]
    for each in events:
        store.ledger.append(each)

    assert list(store.ledger.read()) == events


def test_ledger_late_run_learns_who_is_ahead(make: Make) -> None:
    store = make(DATABASE)
    store.ledger.append(made(store, 2, 1, actor="anna@host"))

    with pytest.raises(LeaseLost) as late:
        store.ledger.append(made(store, 1, 9))
    with pytest.raises(LeaseLost) as fence:
        store.ledger.raise_fence(1)

    words = "the run lock was taken over by anna@host (ledger entry 2000001)"
    assert (late.value.what, fence.value.what) == (words, words)
    store.ledger.raise_fence(2)
    store.ledger.append(made(store, 2, 2))


def test_ledger_point_of_somebody_else_is_told(make: Make, raw: Raw) -> None:
    store = make(DATABASE)
    raw.write("provision_vfr", ["events,project=vfr,store=influx x=1 5"])

    with pytest.raises(ConfigError) as caught:
        store.ledger.read()

    assert shown(caught.value) == (
        f"the point at 5000000000 ns of provision_vfr was not written by provision | {raw.base} | delete the point, or"
        " set another project name [ledger-unreadable 2]"
    )


def test_ledger_refused_entry_is_told(make: Make, raw: Raw) -> None:
    store = make(DATABASE)
    store.ledger.append(made(store, 1, 1))
    raw.write("provision_vfr", ['events,project=other,store=influx statement="text" 3600'])

    with pytest.raises(FailedError) as caught:
        store.ledger.append(made(store, 1, 2, statement=4))

    assert shown(caught.value).startswith("the server refused a ledger entry: partial write: field type conflict:")
    assert shown(caught.value).endswith(f"| {raw.base} | see to the cause, run again [server-refused 5]")

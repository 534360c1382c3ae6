"""The ledger in a collection: its pages, its keys, and what is not ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provision.errors import ConfigError, FailedError, LeaseLost
from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.weaviate import ledger
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import connect
from tests.stores.weaviate.conftest import Make
from tests.stores.weaviate.raw import Raw, event

LEDGER = "Provision_vfr_weaviate_ledger"


def test_reading_where_there_is_no_ledger_makes_none(make: Make, raw: Raw) -> None:
    store = make()
    raw.wipe()

    assert store.ledger.read() == []
    assert raw.get("/schema")["classes"] == []


def test_more_events_than_a_page(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "PAGE", 7)
    store = make()
    written = [event(token=token, n=n) for token in (1, 2) for n in range(1, 15)]
    for each in reversed(written):
        store.ledger.append(each)

    assert store.ledger.read() == written


def test_event_sent_twice_by_a_gateway_is_one(make: Make) -> None:
    store = make()
    store.ledger.append(event())
    store.ledger.append(event())

    assert store.ledger.read() == [event()]


def test_key_of_another_run_is_refused(make: Make) -> None:
    store = make()
    store.ledger.append(event())

    with pytest.raises(LeaseLost) as caught:
        store.ledger.append(event(actor="someone@else"))
    assert caught.value.what == "the run lock was taken over by ci@runner-4"


def test_object_that_is_not_ours_is_named(make: Make, raw: Raw) -> None:
    store = make()
    where = "5f1c1c2c-0000-4000-8000-000000000001"
    raw.send("POST", "/objects", {"class": LEDGER, "id": where, "properties": {"project": "vfr"}})

    with pytest.raises(ConfigError) as caught:
        store.ledger.read()
    error = caught.value
    assert (error.code, error.what) == (
        "ledger-unreadable",
        f"object {where} of {LEDGER} was not written by provision: it has no detail",
    )
    assert (error.where, error.fix) == (raw.url, "delete that object, or set another project name")


def test_projects_whose_names_meet_in_one_collection_keep_apart(make: Make, raw: Raw) -> None:
    """Collections that differ in case alone are one to the server."""
    store = make()
    options = store.options
    other = build(replace(options, project="VFR"))
    other.open(raw.url)
    other.ledger.create()
    store.ledger.append(event())
    other.ledger.append(event(project="VFR"))

    assert [each.project for each in store.ledger.read()] == ["vfr"]
    assert [each.project for each in other.ledger.read()] == ["VFR"]
    assert len(raw.get("/schema")["classes"]) == 1
    other.close()


def test_stores_whose_names_meet_in_one_collection_keep_apart(make: Make, raw: Raw) -> None:
    first, second = (build(replace(make().options, name=name)) for name in ("w-1", "w_1"))
    for store in (first, second):
        store.open(raw.url)
        store.ledger.create()
    first.ledger.append(event())

    assert (len(first.ledger.read()), second.ledger.read()) == (1, [])
    for store in (first, second):
        store.close()


def test_ledger_needs_no_automatic_schema_and_no_vectors(make: Make, raw: Raw) -> None:
    make().ledger.append(event(statement=3))
    found = raw.get(f"/schema/{LEDGER}")

    assert found["vectorIndexConfig"]["skip"] is True
    assert found["vectorizer"] == "none"
    assert len(found["properties"]) == 12
    assert {each["indexFilterable"] for each in found["properties"]} == {False}


def test_event_of_five_megabytes_comes_back(make: Make) -> None:
    store = make()
    long = event(detail={"text": "x" * 5_000_000})
    store.ledger.append(long)

    assert store.ledger.read() == [long]


def test_ledger_that_the_server_refuses_to_make_is_told(make: Make, raw: Raw) -> None:
    store = make()
    raw.wipe()
    raw.send("POST", "/schema", {"class": "Article"})
    raw.send("POST", "/aliases", {"alias": LEDGER, "class": "Article"})

    with pytest.raises(FailedError) as caught:
        store.ledger.create()
    error = caught.value
    assert (error.code, error.what) == (
        "server-refused",
        f"the server refused: alias name {LEDGER} already exists",
    )
    assert (error.where, error.fix) == (raw.url, "see to the cause, run again")


def test_names_are_the_servers(raw: Raw, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("names")
    options = StoreOptions("search-eu", "weaviate", "Müller & Co", place, place)
    assert Names(options.project, options.name).ledger == "Provision_m_ller___co_search_eu_ledger"
    store = build(options)
    store.open(raw.url)
    store.ledger.create()
    assert connect(options, raw.url).collection("Provision_m_ller___co_search_eu_ledger") is not None
    store.close()

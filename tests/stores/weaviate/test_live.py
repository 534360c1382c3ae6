"""What `import` finds on a server, and that applying it to an empty one makes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provision.documents.ensure import EnsuredKind
from provision.documents.folder import write_found
from provision.kinds import build
from provision.model import StoreOptions
from provision.model.statements import Outcome
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import connect
from provision.stores.weaviate.setup.live import found
from tests.stores.weaviate.raw import Mover, Raw


def filled(raw: Raw) -> None:
    title = {"name": "title", "dataType": ["text"], "tokenization": "field"}
    raw.send("POST", "/schema", {"class": "Writer", "properties": [title]})
    raw.send(
        "POST",
        "/schema",
        {
            "class": "Article",
            "description": "news",
            "vectorConfig": {"v": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"}},
            "multiTenancyConfig": {"enabled": True, "autoTenantActivation": True},
            "properties": [title, {"name": "by", "dataType": ["Writer"]}],
        },
    )
    tenants = [{"name": "acme"}, {"name": "blue", "activityStatus": "INACTIVE"}]
    raw.send("POST", "/schema/Article/tenants", tenants)
    for alias in ("News", "Art"):
        raw.send("POST", "/aliases", {"alias": alias, "class": "Article"})


def everything(raw: Raw) -> tuple[str, Any]:
    return raw.everything(), raw.tenants("Article")


def test_collections_tenants_and_aliases_are_found_without_defaults(raw: Raw, tmp_path: Path) -> None:
    filled(raw)
    options = StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path)

    writer, article = found(options, raw.url)

    assert (writer.message, article.message) == ("collection Writer", "collection Article")
    assert (writer.left_out, article.left_out) == ((), ())
    title = {"name": "title", "dataType": ["text"], "tokenization": "field"}
    assert list(article.operations) == [
        (
            "create_collection",
            {
                "class": "Article",
                "description": "news",
                "vectorConfig": {
                    "v": {
                        "vectorizer": {"none": {}},
                        "vectorIndexType": "flat",
                        "vectorIndexConfig": {"distance": "cosine"},
                    }
                },
                "multiTenancyConfig": {"autoTenantActivation": True, "enabled": True},
                "properties": [title, {"name": "by", "dataType": ["Writer"]}],
            },
        ),
        (
            "create_tenants",
            {"class": "Article", "tenants": [{"name": "acme"}, {"name": "blue", "activityStatus": "INACTIVE"}]},
        ),
        ("create_alias", {"alias": "Art", "class": "Article"}),
        ("create_alias", {"alias": "News", "class": "Article"}),
    ]


def test_what_is_found_makes_the_same_on_an_empty_server(raw: Raw, tmp_path: Path) -> None:
    filled(raw)
    options = StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path)
    full = everything(raw)
    listed = found(options, raw.url)
    for one in listed:
        write_found(options, one)
    server = connect(options, raw.url)
    live = Live(server, Names("vfr", "weaviate"), options)
    probes = [_probed(name, body, live) for one in listed for name, body in one.operations]
    assert set(probes) == {Outcome.DONE}  # adopted as it is

    raw.wipe()
    store = build(options)
    store.open(raw.url)
    store.ledger.create()
    Mover(store).move()
    store.close()
    server.close()

    raw.send("DELETE", "/schema/Provision_vfr_weaviate_ledger")
    assert everything(raw) == full


def _probed(name: str, body: Any, live: Live) -> Outcome:
    kind: EnsuredKind[Live] = OPERATIONS[name]
    return kind.probe(body, live).outcome


def test_references_in_a_circle_come_last(raw: Raw, tmp_path: Path) -> None:
    raw.send("POST", "/schema", {"class": "B", "properties": [{"name": "self", "dataType": ["B"]}]})
    raw.send("POST", "/schema", {"class": "A", "properties": [{"name": "b", "dataType": ["B"]}]})
    raw.send("POST", "/schema/B/properties", {"name": "a", "dataType": ["A"]})

    listed = found(StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path), raw.url)

    assert [each.message for each in listed] == ["collection A", "collection B", "references in a circle"]
    assert listed[0].operations[0][1].get("properties", []) == []
    assert listed[2].operations == (("add_property", {"class": "A", "property": {"name": "b", "dataType": ["B"]}}),)


def test_ledger_and_dangling_aliases_are_not_found(raw: Raw, tmp_path: Path) -> None:
    options = StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path)
    store = build(options)
    store.open(raw.url)
    store.ledger.create()
    store.close()
    raw.send("POST", "/schema", {"class": "Gone"})
    raw.send("POST", "/aliases", {"alias": "Left", "class": "Gone"})
    raw.send("DELETE", "/schema/Gone")

    assert found(options, raw.url) == []


def test_collection_that_was_replaced_is_not_found(raw: Raw, tmp_path: Path) -> None:
    mark = '[provision {"alias": "S", "into": "New", "stage": "%s", "seen": 1}]'
    raw.send("POST", "/schema", {"class": "Old", "description": "text\n" + mark % "kept"})
    raw.send("POST", "/schema", {"class": "New", "description": "text\n" + mark % "copying"})

    (only,) = found(StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path), raw.url)

    assert (only.message, only.operations[0][1]["description"]) == ("collection New", "text")

"""A snapshot of Weaviate has every change that is made by hand, and is the same again once that is undone."""

from __future__ import annotations

from pathlib import Path

from provision.model import StoreOptions
from provision.stores.weaviate.setup.snapshot import taken
from provision.stores.weaviate.setup.stats import measured
from tests.stores.by_hand import told
from tests.stores.weaviate.raw import Raw
from tests.stores.weaviate.test_live import filled

TITLE = {"name": "extra", "dataType": ["text"]}
PLAIN = {"class": "Plain", "properties": [{"name": "note", "dataType": ["text"]}]}
CHANGES = (
    (("POST", "/schema/Plain/properties", {"name": "more", "dataType": ["int"]}), None, "create_collection Plain"),
    (("POST", "/schema/Writer/properties", TITLE), None, "create_collection Writer"),
    (("POST", "/schema", {"class": "Other"}), ("DELETE", "/schema/Other", None), "create_collection Other"),
    (("POST", "/aliases", {"alias": "Late", "class": "Writer"}), ("DELETE", "/aliases/Late", None), "create_alias"),
    (("DELETE", "/aliases/Art", None), ("POST", "/aliases", {"alias": "Art", "class": "Article"}), "create_alias"),
    (("POST", "/aliases", {"alias": "P", "class": "Plain"}), ("DELETE", "/aliases/P", None), "create_alias"),
    (
        ("DELETE", "/aliases/News", None),
        ("POST", "/aliases", {"alias": "News", "class": "Article"}),
        "create_alias Article News",
    ),
    (
        ("DELETE", "/schema/Article/tenants", ["blue"]),
        ("POST", "/schema/Article/tenants", [{"name": "blue", "activityStatus": "INACTIVE"}]),
        "tenants",
    ),
    (("DELETE", "/schema/Spare", None), ("POST", "/schema", {"class": "Spare"}), "create_collection Spare"),
    (("POST", "/schema/Article/tenants", [{"name": "red"}]), ("DELETE", "/schema/Article/tenants", ["red"]), "tenants"),
)


def test_every_change_by_hand_is_one_difference(raw: Raw, tmp_path: Path) -> None:
    filled(raw)
    raw.send("POST", "/schema", PLAIN)
    raw.send("POST", "/schema", {"class": "Spare"})
    options = StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path)
    for change, undo, name in reversed(CHANGES):
        before = taken(options, raw.url)
        found = told(options, lambda: taken(options, raw.url), lambda change=change: raw.send(*change), tmp_path / "m")
        assert (len(found), name in found[0]) == (1, True), (name, found)
        if undo is not None:
            raw.send(*undo)
            assert taken(options, raw.url) == before


def test_statistics_count_objects_of_every_tenant_at_work(raw: Raw, tmp_path: Path) -> None:
    raw.send("POST", "/schema", PLAIN)
    raw.send("POST", "/schema", {"class": "Shared", "multiTenancyConfig": {"enabled": True}})
    raw.send(
        "POST", "/schema/Shared/tenants", [{"name": "a"}, {"name": "b"}, {"name": "c", "activityStatus": "INACTIVE"}]
    )
    for _ in range(2):
        raw.send("POST", "/objects", {"class": "Plain", "properties": {"note": "one"}})
    for tenant in "ab":
        raw.send("POST", "/objects", {"class": "Shared", "tenant": tenant, "properties": {}})
    found = measured(StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path), raw.url).tables
    assert {name: each.rows for name, each in found.items()} == {"Plain": 2, "Shared": 2}

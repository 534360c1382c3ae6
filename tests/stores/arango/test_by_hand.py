"""Ten changes of ArangoDB behind the tool's back are told, nothing else is, and none once they are undone."""

from __future__ import annotations

from pathlib import Path

from provision.model import StoreOptions
from provision.stores.arango.setup.snapshot import taken
from provision.stores.arango.setup.stats import measured
from tests.stores.arango.raw import Raw
from tests.stores.by_hand import told

Sent = tuple[str, str, object]
INDEX = {"type": "persistent", "fields": ["name"], "name": "by_name"}
EDGE = {"collection": "knows", "from": ["people"], "to": ["people"]}
VIEW = {"name": "v", "type": "arangosearch", "links": {"people": {"includeAllFields": True}}}
ANALYZER = {"name": "words", "type": "delimiter", "properties": {"delimiter": ","}, "features": []}
SCHEMA = {"rule": {"type": "object", "properties": {"name": {"type": "string"}}}, "level": "strict", "message": "m"}
CHANGES: tuple[tuple[Sent, Sent, str], ...] = (
    (("POST", "/_api/collection", {"name": "other"}), ("DELETE", "/_api/collection/other", None), "other"),
    (("POST", "/_api/collection", {"name": "e", "type": 3}), ("DELETE", "/_api/collection/e", None), "e"),
    (("DELETE", "/_api/collection/spare", None), ("POST", "/_api/collection", {"name": "spare"}), "spare"),
    (
        ("PUT", "/_api/collection/people/properties", {"schema": SCHEMA}),
        ("PUT", "/_api/collection/people/properties", {"schema": None}),
        "people",
    ),
    (
        ("POST", "/_api/index?collection=spare", {**INDEX, "name": "late"}),
        ("DELETE", "/_api/index/spare/late", None),
        "late",
    ),
    (
        ("DELETE", "/_api/index/people/by_name", None),
        ("POST", "/_api/index?collection=people", INDEX),
        "by_name",
    ),
    (("POST", "/_api/gharial", {"name": "h", "edgeDefinitions": []}), ("DELETE", "/_api/gharial/h", None), "h"),
    (("DELETE", "/_api/view/v", None), ("POST", "/_api/view", VIEW), "v"),
    (("POST", "/_api/view", {**VIEW, "name": "w"}), ("DELETE", "/_api/view/w", None), "w"),
    (
        ("POST", "/_api/analyzer", {**ANALYZER, "name": "more"}),
        ("DELETE", "/_api/analyzer/more", None),
        "more",
    ),
)


def test_every_change_by_hand_is_told_and_silent_once_undone(raw: Raw, tmp_path: Path) -> None:
    options = StoreOptions("graph", "arango", "vfr", tmp_path, tmp_path)
    raw.make()
    for name, kind in (("people", 2), ("spare", 2), ("knows", 3)):
        raw.ask("POST", "/_api/collection", {"name": name, "type": kind})
    raw.ask("POST", "/_api/index?collection=people", INDEX)
    raw.ask("POST", "/_api/gharial", {"name": "g", "edgeDefinitions": [EDGE]})
    raw.ask("POST", "/_api/analyzer", ANALYZER)
    raw.ask("POST", "/_api/view", VIEW)
    before = taken(options, raw.url)
    for change, undo, name in CHANGES:
        found = told(options, lambda: taken(options, raw.url), lambda change=change: raw.ask(*change), tmp_path / "m")
        assert found, name
        assert all(name in each for each in found), (name, found)
        raw.ask(*undo)
        assert taken(options, raw.url) == before, name
    raw.ask("POST", "/_api/document/people", {"name": "a row"})
    assert taken(options, raw.url) == before
    assert {name: each.rows for name, each in measured(options, raw.url).tables.items()} == {
        "knows": 0,
        "people": 1,
        "spare": 0,
    }

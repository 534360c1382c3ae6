"""The shipped schemas are what the scripts write, and they take what the vendor's pages show."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from provision.stores.arango.files import schema
from tests.doubles.served.contract import SPECS
from tests.doubles.served.required import require_document

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "provision/stores/arango/migrate/body_schemas.json"


def test_bodies_are_what_the_script_writes() -> None:
    require_document("arangodb-openapi-calibrated.json", "ArangoDB's OpenAPI document")
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from generate_arango_schema import generated  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(ROOT / "docs"))
    assert generated(
        Path(os.environ.get("PROVISION_SPECS", SPECS)) / "arangodb-openapi-calibrated.json"
    ) == SHIPPED.read_text(encoding="utf-8")


def test_bodies_name_version_and_notice() -> None:
    made = json.loads(SHIPPED.read_text(encoding="utf-8"))["$comment"]
    assert made == "Made by docs/generate_arango_schema.py from the ArangoDB Core API 3.12.10 (API v0); see NOTICE."
    assert "provision/stores/arango/migrate/body_schemas.json" in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_published_schema_is_the_store_s() -> None:
    assert json.loads((ROOT / "docs/schemas/arango.json").read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize(
    "operation",
    [
        {"create_collection": {"name": "c", "type": 3, "keyOptions": {"type": "autoincrement", "increment": 5}}},
        {"create_collection": {"name": "c", "schema": {"rule": {"type": "object"}, "level": "moderate"}}},
        {"update_collection": {"name": "c", "schema": None}},
        {"create_index": {"collection": "c", "name": "i", "type": "ttl", "fields": ["a"], "expireAfter": 0}},
        {"create_index": {"collection": "c", "name": "i", "type": "inverted", "fields": ["a", {"name": "b"}]}},
        {"create_view": {"name": "v", "type": "arangosearch", "links": {"c": {"includeAllFields": True}}}},
        {"create_analyzer": {"name": "a", "type": "ngram", "properties": {"min": 2}, "features": ["norm"]}},
        {"create_database": {"name": "d", "options": {"sharding": "single"}}},
    ],
)
def test_vendor_s_bodies_are_taken(operation: dict[str, object]) -> None:
    assert jsonschema_rs.Draft202012Validator(schema()).is_valid({"up": [operation], "down": "auto"})


@pytest.mark.parametrize(
    "operation",
    [
        {"create_collection": {"name": "c", "isSystem": True}},
        {"create_collection": {"name": "c", "schema": {"rules": {}}}},
        {"create_index": {"collection": "c", "name": "i", "type": "ttl", "fields": ["a"]}},
        {"create_index": {"collection": "c", "type": "persistent", "fields": ["a"]}},
        {"create_database": {"name": "d", "users": [{"username": "u", "passwd": "p"}]}},
        {"insert_documents": {"collection": "c", "documents": [{"a": 1}]}},
        {"insert_documents": {"collection": "c", "documents": [{"_key": "a", "_rev": "x"}]}},
        {"create_graph": {"name": "g", "edgeDefinitions": [{"collection": "e", "from": [], "to": ["c"]}]}},
    ],
)
def test_others_are_not(operation: dict[str, object]) -> None:
    assert not jsonschema_rs.Draft202012Validator(schema()).is_valid({"up": [operation], "down": "auto"})

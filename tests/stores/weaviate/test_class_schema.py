"""The shipped definition of a class: made from the vendor's document, and no narrower than the server's answers."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from provision.stores.weaviate.files import schema
from provision.stores.weaviate.migrate.defaults import INDEXES, bare, filled
from tests.servers.required import not_run
from tests.stores.weaviate.raw import Raw

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return importlib.import_module("generate_weaviate_schema")
    finally:
        sys.path.remove(str(ROOT / "docs"))


def test_shipped_file_is_what_the_script_makes_of_the_vendors_document(generator: ModuleType) -> None:
    if not generator.OPENAPI.exists():
        not_run("OpenAPI document of Weaviate 1.39.0", "../shared/specs/weaviate-openapi3.json")
    assert generator.SHIPPED.read_text(encoding="utf-8") == generator.generated(generator.OPENAPI)


def test_notice_names_version_and_licence() -> None:
    shipped = json.loads((ROOT / "provision/stores/weaviate/migrate/class_schema.json").read_text(encoding="utf-8"))
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert shipped["$comment"].endswith("Weaviate REST API 1.39.0, BSD-3-Clause; see NOTICE.")
    assert "Weaviate REST API 1.39.0" in notice
    assert "BSD-3-Clause" in notice


def valid(body: object) -> bool:
    return jsonschema_rs.is_valid({"$ref": "#/$defs/Class", "$defs": schema()["$defs"]}, body)


@pytest.mark.parametrize(
    "body",
    [
        {"class": "A", "vectorIndexType": "hnsw", "vectorIndexConfig": {"threshold": 3}},
        {"class": "A", "vectorIndexType": "dynamic", "vectorIndexConfig": {"flat": {"ef": 3}}},
        {"class": "A", "vectorIndexType": "hfresh", "vectorIndexConfig": {"ef": 3}},
        {"class": "A", "vectorConfig": {"v": {"vectorIndexType": "flat"}}},
        {"class": "A", "properties": [{"name": "p", "dataType": ["text"], "bucketGeneration": 1}]},
        {"class": "A", "properties": [{"name": "p", "dataType": []}]},
        {"class": "A", "replicationConfig": {"factr": 1}},
        {"class": "A", "shardingConfig": {"actualCount": 1}},
        {"class": "A", "description": None},
        {"properties": []},
    ],
)
def test_class_with_a_key_that_nobody_reads_is_refused(body: object) -> None:
    assert not valid(body)


# `dynamic` needs a server with asynchronous indexing.
TYPES = [kind for kind in INDEXES if kind != "dynamic"]
PROPERTIES = [
    {"name": kind.lower().replace("[]", "_list"), "dataType": [kind]}
    for kind in (
        *("text", "int", "number", "boolean", "date", "uuid", "blob", "geoCoordinates", "phoneNumber"),
        *("text[]", "int[]", "number[]", "boolean[]", "date[]", "uuid[]"),
    )
]
NESTED = {"name": "o", "dataType": ["object"], "nestedProperties": [{"name": "t", "dataType": ["text"]}]}


def shapes() -> dict[str, dict[str, Any]]:
    one = {"class": "Article", "properties": [*PROPERTIES, NESTED]}
    made: dict[str, dict[str, Any]] = {"bare": one, "tenants": {**one, "multiTenancyConfig": {"enabled": True}}}
    for kind in TYPES:
        made[f"single {kind}"] = {"class": "Article", "vectorIndexType": kind}
        made[f"named {kind}"] = {
            "class": "Article",
            "vectorConfig": {"v": {"vectorizer": {"none": {}}, "vectorIndexType": kind}},
        }
    return made


def known(found: Any) -> Any:
    """The answer without what a document cannot say, and without empty keys, which mean the same as none."""
    own = ("actualCount", "actualVirtualCount", "trackDefaultQuantization")
    if isinstance(found, dict):
        return {key: known(each) for key, each in found.items() if each is not None and key not in own}
    return [known(each) for each in found] if isinstance(found, list) else found


@pytest.mark.parametrize("shape", shapes())
def test_defaults_are_those_that_the_server_fills_in(raw: Raw, shape: str) -> None:
    stated = shapes()[shape]
    raw.send("POST", "/schema", stated)
    found = raw.get("/schema/Article")
    if shape == "tenants":
        assert set(found.pop("shardingConfig").values()) == {0, ""}
    if not found["properties"]:
        del found["properties"]

    assert known(filled(stated)) == known(found)


@pytest.mark.parametrize("shape", shapes())
def test_answer_of_the_server_is_a_class_that_the_schema_takes(raw: Raw, shape: str) -> None:
    raw.send("POST", "/schema", shapes()[shape])
    found = known(raw.get("/schema/Article"))
    found.pop("shardingConfig") if shape == "tenants" else None

    errors = jsonschema_rs.Draft202012Validator({"$ref": "#/$defs/Class", "$defs": schema()["$defs"]})
    assert [str(each.instance_path) for each in errors.iter_errors(found)] == []


@pytest.mark.parametrize("shape", shapes())
def test_class_without_its_defaults_makes_the_same_class_again(raw: Raw, shape: str) -> None:
    raw.send("POST", "/schema", shapes()[shape])
    found = raw.get("/schema/Article")
    raw.send("DELETE", "/schema/Article")

    raw.send("POST", "/schema", bare(found))

    assert raw.get("/schema/Article") == found


def test_class_without_its_defaults_keeps_what_was_changed(raw: Raw) -> None:
    stated = {
        "class": "Article",
        "description": "news",
        "invertedIndexConfig": {"bm25": {"b": 0.6}, "indexTimestamps": True, "stopwords": {"additions": ["foo"]}},
        "vectorConfig": {
            "v": {
                "vectorizer": {"none": {}},
                "vectorIndexType": "hnsw",
                "vectorIndexConfig": {"distance": "dot", "rq": {"enabled": True}},
            }
        },
        "multiTenancyConfig": {"enabled": True},
        "properties": [{"name": "title", "dataType": ["text"], "tokenization": "field", "indexSearchable": False}],
    }
    raw.send("POST", "/schema", stated)

    assert bare(raw.get("/schema/Article")) == stated

"""Documents of the ArangoDB contract double: keys, revisions, schemas, unique indexes, many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.doubles_tests.wire import Got, Wire

RULE = {"properties": {"a": {"type": "number", "minimum": 0, "maximum": 1}}, "required": ["a"]}


def refused(got: Got) -> tuple[int, int]:
    return got.status, got.body["errorNum"]


@pytest.fixture
def items(arango: Wire) -> Wire:
    arango.made("POST", "/_api/collection", {"name": "items"})
    return arango


def add(wire: Wire, query: str = "", **body: Any) -> Got:
    return wire.send("POST", f"/_api/document/items{query}", body)


def test_insert_tells_where_and_which_revision(items: Wire) -> None:
    got = add(items, _key="k")
    assert got.status == 202
    assert got.headers["location"] == "/_db/_system/_api/document/items/k"
    assert got.headers["etag"] == f'"{got.body["_rev"]}"'
    assert add(items, "?waitForSync=true").status == 201


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        ('{"_key": "a/b"}', 400, 1221),
        ('{"_key": ""}', 400, 1221),
        ("{1: 2}", 400, 600),
        ('"text"', 400, 10),
    ],
)
def test_document_that_is_none_is_refused(items: Wire, body: str, status: int, number: int) -> None:
    assert refused(items.send("POST", "/_api/document/items", body, content_type="application/json")) == (
        status,
        number,
    )


def test_same_key_is_1210_and_overwrite_modes_say_otherwise(items: Wire) -> None:
    add(items, _key="k", a={"b": 1})
    assert refused(add(items, _key="k")) == (409, 1210)
    assert add(items, "?overwriteMode=ignore", _key="k", c=1).status == 202
    assert "c" not in items.made("GET", "/_api/document/items/k")
    assert "_oldRev" in add(items, "?overwriteMode=update", _key="k", a={"c": 2}).body
    assert items.made("GET", "/_api/document/items/k")["a"] == {"b": 1, "c": 2}
    add(items, "?overwriteMode=replace", _key="k", d=1)
    assert set(items.made("GET", "/_api/document/items/k")) == {"_key", "_id", "_rev", "d"}


@pytest.mark.parametrize("written", ['"{}"', "{}"], ids=["quoted", "bare"])
def test_if_match_takes_quoted_and_bare_revisions(items: Wire, written: str) -> None:
    first = add(items, _key="k").body["_rev"]
    second = items.send("PUT", "/_api/document/items/k", {"a": 1}, if_match=written.format(first)).body["_rev"]
    late = items.send("PUT", "/_api/document/items/k", {"a": 2}, if_match=written.format(first))
    assert refused(late) == (412, 1200)
    assert late.body["_rev"] == second


def test_revision_of_the_body_counts_when_it_is_asked_to(items: Wire) -> None:
    add(items, _key="k")
    assert items.send("PATCH", "/_api/document/items/k", {"_rev": "_old"}).status == 202
    got = items.send("PATCH", "/_api/document/items/k?ignoreRevs=false", {"_rev": "_old"})
    assert refused(got) == (412, 1200)


def test_of_rivals_with_one_revision_one_wins(arango_url: str, items: Wire) -> None:
    revision = add(items, _key="k").body["_rev"]

    def rival(number: int) -> int:
        wire = Wire(arango_url)
        status = wire.send("PUT", "/_api/document/items/k", {"n": number}, if_match=revision).status
        wire.close()
        return status

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(rival, range(5))) == [202, 412, 412, 412, 412]


def test_schema_is_held_against_documents(items: Wire) -> None:
    schema = {"rule": RULE, "level": "moderate", "message": "a is a share"}
    add(items, _key="old", a=7)
    items.made("PUT", "/_api/collection/items/properties", {"schema": schema})
    got = add(items, a=2)
    assert (got.status, got.body["errorNum"], got.body["errorMessage"]) == (400, 1620, "a is a share")
    assert add(items, _key="good", a=0.5).status == 202
    # Moderate: what was wrong before may stay wrong, what was right may not become wrong.
    assert items.send("PATCH", "/_api/document/items/old", {"a": 9}).status == 202
    assert refused(items.send("PATCH", "/_api/document/items/good", {"a": 9})) == (400, 1620)
    items.made("PUT", "/_api/collection/items/properties", {"schema": None})
    assert add(items, a=2).status == 202


def test_schema_that_is_none_is_1621(arango: Wire) -> None:
    body = {"name": "x", "schema": {"rule": {"type": "nonsense"}}}
    assert refused(arango.send("POST", "/_api/collection", body)) == (400, 1621)


def test_computed_values_are_made_on_writes(arango: Wire) -> None:
    rules = [
        {"name": "total", "expression": "RETURN @doc.a + @doc.b", "overwrite": True},
        {"name": "one", "expression": "RETURN 1", "overwrite": False, "computeOn": ["insert"]},
    ]
    arango.made("POST", "/_api/collection", {"name": "items", "computedValues": rules})
    made = add(arango, "?returnNew=true", a=1, b=2, total=9, one=5).body["new"]
    assert (made["total"], made["one"]) == (3, 5)
    assert add(arango, "?returnNew=true", a=1, b=2).body["new"]["one"] == 1


def test_unique_index_refuses_a_second_document(items: Wire) -> None:
    body = {"type": "persistent", "fields": ["a", "b"], "unique": True, "sparse": True, "name": "pair"}
    items.made("POST", "/_api/index?collection=items", body)
    add(items, _key="k", a=1, b=2)
    got = add(items, a=1, b=2)
    assert refused(got) == (409, 1210)
    assert got.body["errorMessage"].endswith("index pair of type persistent over 'a', 'b'; conflicting key: k")
    assert [add(items, a=1).status, add(items, a=1).status] == [202, 202]
    other = add(items, a=2, b=2).body["_key"]
    assert refused(items.send("PATCH", f"/_api/document/items/{other}", {"a": 1})) == (409, 1210)
    assert items.send("PATCH", "/_api/document/items/k", {"c": 1}).status == 202


def test_unique_index_over_data_that_breaks_it_is_400(items: Wire) -> None:
    add(items, a=1)
    add(items, a=1)
    body = {"type": "persistent", "fields": ["a"], "unique": True}
    assert refused(items.send("POST", "/_api/index?collection=items", body)) == (400, 1210)
    assert len(items.made("GET", "/_api/index?collection=items")["indexes"]) == 1


def test_edges_need_both_ends(arango: Wire) -> None:
    arango.made("POST", "/_api/collection", {"name": "links", "type": 3})
    assert refused(arango.send("POST", "/_api/document/links", {"_from": "a/1", "_to": "b"})) == (400, 1233)
    assert arango.send("POST", "/_api/document/links", {"_from": "a/1", "_to": "b/2"}).status == 202


def test_many_tell_of_each_and_count_the_refused(items: Wire) -> None:
    add(items, _key="1")
    got = items.send("POST", "/_api/document/items", [{"_key": "1"}, {"_key": "2"}, {"_key": "1"}])
    assert [each.get("errorNum") for each in got.body] == [1210, None, 1210]
    assert got.headers["x-arango-error-codes"] == "1210:2"
    read = items.send("PUT", "/_api/document/items?onlyget=1", ["1", "3"])
    assert [each.get("_key", each.get("errorNum")) for each in read.body] == ["1", 1202]


def test_null_is_kept_unless_told_otherwise(items: Wire) -> None:
    add(items, _key="k", a={"b": 1, "c": 2})
    items.made("PATCH", "/_api/document/items/k?keepNull=false", {"a": {"b": None}})
    assert items.made("GET", "/_api/document/items/k")["a"] == {"c": 2}
    items.made("PATCH", "/_api/document/items/k?mergeObjects=false", {"a": {"d": None}})
    assert items.made("GET", "/_api/document/items/k")["a"] == {"d": None}


@pytest.mark.parametrize(
    ("duplicate", "expected"),
    [
        ("error", {"created": 1, "errors": 1, "empty": 0, "updated": 0, "ignored": 0}),
        ("update", {"created": 1, "errors": 0, "empty": 0, "updated": 1, "ignored": 0}),
        ("ignore", {"created": 1, "errors": 0, "empty": 0, "updated": 0, "ignored": 1}),
    ],
)
def test_import_counts_what_it_did(items: Wire, duplicate: str, expected: dict[str, int]) -> None:
    add(items, _key="1")
    path = f"/_api/import?collection=items&type=auto&onDuplicate={duplicate}"
    assert items.made("POST", path, [{"_key": "1", "a": 1}, {"_key": "2"}]) == {"error": False, **expected}


def test_generated_keys_follow_the_key_options(arango: Wire) -> None:
    options = {"type": "autoincrement", "increment": 5, "offset": 10, "allowUserKeys": False}
    arango.made("POST", "/_api/collection", {"name": "items", "keyOptions": options})
    assert [add(arango).body["_key"] for _ in range(3)] == ["10", "15", "20"]
    assert refused(add(arango, _key="1")) == (400, 1222)

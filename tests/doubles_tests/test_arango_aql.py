"""AQL that the ArangoDB contract double evaluates, and what it says of the rest."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.doubles_tests.wire import Got, Wire


def ask(wire: Wire, query: str, **binds: Any) -> Got:
    named = {name.replace("source_", "@"): value for name, value in binds.items()}
    return wire.send("POST", "/_api/cursor", {"query": query, "bindVars": named})


@pytest.fixture
def items(arango: Wire) -> Wire:
    arango.made("POST", "/_api/collection", {"name": "items"})
    arango.made("POST", "/_api/collection", {"name": "links", "type": 3})
    documents = [{"_key": str(n), "n": n, "odd": n % 2, "tags": [{"t": n}, {"t": -n}]} for n in range(5)]
    arango.made("POST", "/_api/document/items", documents)
    ends = [{"_from": f"items/{n}", "_to": f"items/{n + 1}"} for n in range(4)]
    arango.made("POST", "/_api/document/links", ends)
    return arango


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("RETURN 1", [1]),
        ("/* a comment */ RETURN 'x' // and another", ["x"]),
        ("FOR d IN items FILTER d.n >= 1 AND d.odd == 0 SORT d.n DESC LIMIT 1 RETURN d.n", [4]),
        ("FOR d IN items SORT d.odd, d.n DESC LIMIT 1, 2 RETURN d.n", [2, 0]),
        ("FOR i IN 3..1 RETURN i * 2", [6, 4, 2]),
        ("FOR d IN items FILTER d.missing == null COLLECT WITH COUNT INTO n RETURN n", [5]),
        ("FOR d IN items COLLECT odd = d.odd AGGREGATE s = SUM(d.n) RETURN [odd, s]", [[0, 6], [1, 4]]),
        ("FOR d IN items FILTER d.n == 2 RETURN d.tags[*].t", [[2, -2]]),
        ("RETURN (FOR d IN items FILTER d.n IN [1, 3] RETURN d.n)", [[1, 3]]),
        ("FOR d IN items RETURN DISTINCT d.odd", [0, 1]),
        ("LET a = [3, 1] RETURN [LENGTH(a), FIRST(SORTED(a)), a[-1]]", [[2, 1, 1]]),
        ("LET a = [3, 1] RETURN [3 IN a, a ANY == 1, a ALL > 2]", [[True, True, False]]),
        ("RETURN [1 / 0, 7 % 3, -2 + 1, 1 ? 2 : 3]", [[None, 1, -1, 2]]),
        ("RETURN ['a' < 'b', null < false, NOT true]", [[True, True, False]]),
        ("FOR v, e, p IN 1..2 OUTBOUND 'items/0' links RETURN [v.n, LENGTH(p.edges)]", [[1, 1], [2, 2]]),
        ("FOR v IN 1 INBOUND 'items/2' links RETURN v._key", ["1"]),
        ("RETURN LENGTH(items)", [5]),
        ("RETURN DOCUMENT('items/3').n", [3]),
    ],
)
def test_query_gives_its_result(items: Wire, query: str, result: Any) -> None:
    got = ask(items, query)
    assert (got.status, got.body["result"]) == (201, result)


def test_time_is_in_milliseconds(arango: Wire) -> None:
    [now] = ask(arango, "RETURN DATE_NOW()").body["result"]
    assert abs(now - time.time() * 1000) < 5000


def test_bind_variables_name_values_and_collections(items: Wire) -> None:
    query = "FOR d IN @@c FILTER d.n == @n AND d.odd == @odd SORT d.n, d.odd RETURN d._key"
    assert ask(items, query, source_c="items", n=3, odd=1).body["result"] == ["3"]


def test_writes_are_done_and_told(items: Wire) -> None:
    query = "FOR d IN items FILTER d.odd == 1 UPDATE d WITH {b: OLD.n + 1} IN items RETURN NEW.b"
    got = ask(items, query.replace("OLD.n", "d.n"))
    assert (got.body["result"], got.body["extra"]["stats"]["writesExecuted"]) == ([2, 4], 2)
    upsert = "UPSERT {n: @n} INSERT {n: @n, made: true} UPDATE {seen: true} IN items RETURN [OLD.n, NEW.made, NEW.seen]"
    assert [ask(items, upsert, n=n).body["result"] for n in (9, 1)] == [[[None, True, None]], [[1, None, True]]]
    assert ask(items, "FOR d IN items REMOVE d IN items").body["extra"]["stats"]["writesExecuted"] == 6
    assert ask(items, "INSERT {_key: 'x'} INTO items RETURN NEW._id").body["result"] == ["items/x"]


def test_query_that_fails_half_way_changes_nothing(items: Wire) -> None:
    items.made(
        "POST", "/_api/index?collection=items", {"type": "persistent", "fields": ["u"], "unique": True, "sparse": True}
    )
    got = ask(items, "FOR d IN items UPDATE d WITH {u: 1} IN items")
    assert (got.status, got.body["errorNum"]) == (409, 1210)
    assert ask(items, "FOR d IN items FILTER d.u == 1 RETURN d").body["result"] == []


@pytest.mark.parametrize(
    ("query", "binds", "status", "number"),
    [
        ("RETRUN 1", {}, 400, 1501),
        ("FOR d IN items FILTER d.n = 1 RETURN d", {}, 400, 1501),
        ("FOR d IN items", {}, 400, 1501),
        ("  ", {}, 400, 1502),
        ("FOR d IN nope RETURN d", {}, 404, 1203),
        ("FOR d IN items FILTER false INSERT d INTO nope", {}, 404, 1203),
        ("RETURN NOPE(1)", {}, 400, 1540),
        ("RETURN LENGTH(1, 2)", {}, 400, 1541),
        ("FOR d IN items FILTER d.n == @v RETURN d", {}, 400, 1551),
        ("RETURN 1", {"v": 1}, 400, 1552),
        ("REMOVE 'nope' IN items", {}, 404, 1202),
        ("FOR d IN items WINDOW {preceding: 1} AGGREGATE s = SUM(d.n) RETURN s", {}, 501, 9),
        ("FOR d IN items SEARCH d.n == 1 RETURN d", {}, 501, 9),
    ],
)
def test_query_that_cannot_run_is_refused(items: Wire, query: str, binds: Any, status: int, number: int) -> None:
    got = ask(items, query, **binds)
    assert (got.status, got.body["errorNum"]) == (status, number)


def test_result_comes_in_batches(arango: Wire) -> None:
    first = arango.made("POST", "/_api/cursor", {"query": "FOR i IN 1..5 RETURN i", "batchSize": 2, "count": True})
    assert (first["result"], first["hasMore"], first["count"]) == ([1, 2], True, 5)
    rest = [arango.made(method, f"/_api/cursor/{first['id']}") for method in ("POST", "PUT")]
    assert [(each["result"], each["hasMore"]) for each in rest] == [([3, 4], True), ([5], False)]
    assert arango.send("POST", f"/_api/cursor/{first['id']}").body["errorNum"] == 1600

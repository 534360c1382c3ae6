"""Every operation: made and undone as raw requests see it, the same again is nothing, otherwise is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provision.errors import StatementFailed
from provision.model import Direction, Step
from provision.model.statements import Mark, Outcome
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.moves import advance, fates, move, opened, write
from tests.stores.arango.raw import Raw

Make = Callable[..., ArangoStore]
DONE, NOT_DONE, DIFFERENT = Outcome.DONE, Outcome.NOT_DONE, Outcome.DIFFERENT
EVERYTHING = """
- create_analyzer: {name: words, type: text, properties: {locale: en, stopwords: []}, features: [frequency, norm]}
- create_collection:
    name: people
    waitForSync: true
    keyOptions: {type: padded}
    schema: {rule: {properties: {age: {type: number, minimum: 0, maximum: 1}}}, level: new, message: no}
    computedValues: [{name: seen, expression: "RETURN @doc.age * 2", overwrite: true}]
- create_collection: {name: knows, type: 3}
- create_index: {collection: people, name: by_age, type: persistent, fields: [age, name], unique: true, sparse: true}
- create_index: {collection: people, name: gone, type: ttl, fields: [until], expireAfter: 60}
- create_index: {collection: people, name: place, type: geo, fields: [lat, lon]}
- create_index: {collection: people, name: box, type: mdi, fields: [x, y], fieldValueTypes: double}
- create_index: {collection: people, name: found, type: inverted, fields: [name, {name: text, analyzer: words}]}
- create_graph: {name: g, edgeDefinitions: [{collection: knows, from: [people], to: [people]}]}
- create_view: {name: v, type: arangosearch, links: {people: {includeAllFields: true}}}
- create_view: {name: w, type: search-alias, indexes: [{collection: people, index: found}]}
- insert_documents: {collection: people, documents: [{_key: ada, age: 0.5, name: Ada}, {_key: bob, age: 1}]}
- insert_documents: {collection: knows, documents: [{_key: ab, _from: people/ada, _to: people/bob}]}
"""


def stopped(store: ArangoStore) -> str:
    with pytest.raises(StatementFailed) as caught:
        move(store)
    return caught.value.what


def test_everything_there_and_gone_again(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, EVERYTHING)
    store = opened(make(), raw.url)
    assert {each.outcome for each in fates(store)} <= {NOT_DONE, DIFFERENT}
    move(store)
    assert {each.outcome for each in fates(store)} == {DONE}
    assert raw.collections() == {"people": 2, "knows": 3}
    properties = raw.properties("people")
    assert (properties["waitForSync"], properties["keyOptions"]["type"]) == (True, "padded")
    assert properties["schema"]["level"] == "new"
    assert set(raw.indexes("people")) == {"by_age", "gone", "place", "box", "found"}
    [graph] = raw.ask("GET", "/_api/gharial")["graphs"]
    assert graph["edgeDefinitions"] == [{"collection": "knows", "from": ["people"], "to": ["people"]}]
    assert sorted(each["name"] for each in raw.ask("GET", "/_api/view")["result"]) == ["v", "w"]
    assert raw.ask("GET", "/_api/analyzer/words")["type"] == "text"
    assert raw.rows("FOR d IN people SORT d._key RETURN [d._key, d.seen]") == [["ada", 1], ["bob", 2]]
    move(store)
    move(store, Direction.DOWN)
    assert {each.outcome for each in fates(store, Direction.DOWN)} == {DONE}
    assert raw.collections() == {}
    assert raw.ask("GET", "/_api/gharial")["graphs"] == []
    assert raw.ask("GET", "/_api/view")["result"] == []
    assert [each for each in raw.ask("GET", "/_api/analyzer")["result"] if "::" in each["name"]] == []


def test_databases(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, f"- create_database: {{name: {raw.database}_more}}")
    store = opened(make(), raw.url)
    move(store)
    assert f"{raw.database}_more" in raw.databases()
    assert store.losses(_down(store)) == (f"everything in database {raw.database}_more is lost",)
    move(store, Direction.DOWN)
    assert f"{raw.database}_more" not in raw.databases()


def test_own_database_is_never_dropped(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, f"- drop_database: {{name: {raw.database}}}", "{irreversible: gone}")
    store = opened(make(), raw.url)
    assert stopped(store) == f"database {raw.database} holds the ledger: it cannot be dropped by a migration"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{name: c, type: 3}", "collection c is there with type 2, the file says 3"),
        ("{name: c, waitForSync: true}", "collection c is there with waitForSync false, the file says true"),
        ("{name: c, schema: {rule: {type: object}}}", "collection c is there with schema null, the file says"),
        ("{name: c, keyOptions: {type: uuid}}", 'collection c is there with keyOptions.type "traditional", the'),
    ],
)
def test_collection_that_is_there_otherwise(make: Make, raw: Raw, folder: Path, body: str, what: str) -> None:
    write(folder, f"- create_collection: {body}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    before = raw.properties("c")
    assert stopped(store).startswith(what)
    assert raw.properties("c") == before


def test_collection_with_more_than_the_document_says(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- create_collection: {name: c}\n- create_collection: {name: d, schema: {rule: {type: object}}}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c", "schema": {"rule": {"type": "object"}}})
    raw.ask("POST", "/_api/collection", {"name": "d", "schema": {"rule": {"type": "object", "required": ["a"]}}})
    said = [each.reason for each in fates(store)]
    assert said[0].startswith("collection c is there with schema {")
    assert said[0].endswith("the file says null")
    assert said[1] == "collection d is there with more in its schema.rule than the file says"


def test_collection_updated(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- create_collection: {name: c}")
    later = "- update_collection: {name: c, waitForSync: true, schema: {rule: {required: [a]}, level: moderate}}"
    write(folder, later, "[update_collection: {name: c, waitForSync: false, schema: {rule: {}, level: none}}]", 2)
    store = opened(make(), raw.url)
    move(store)
    assert raw.properties("c")["schema"]["rule"] == {"required": ["a"]}
    assert raw.answer("POST", "/_api/document/c", {"b": 1})[0] == 400
    assert fates(store)[1].outcome is DONE
    move(store, Direction.DOWN)
    assert raw.collections() == {}


def test_collection_updated_that_is_not_there(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- update_collection: {name: c, waitForSync: true}", "{irreversible: no}")
    assert stopped(opened(make(), raw.url)) == "there is no collection c"


INDEX = "- create_index: {collection: c, name: by_a, type: persistent, fields: [a]%s}"


@pytest.mark.parametrize(
    ("there", "what"),
    [
        (
            {"type": "persistent", "fields": ["b"], "name": "by_a"},
            "index by_a of c (persistent, b) is there, the file says index by_a of c (persistent, a);"
            " no index can be altered",
        ),
        (
            {"type": "persistent", "fields": ["a"], "name": "by_a", "unique": True},
            "index by_a of c (persistent, a, unique) is there, the file says index by_a of c (persistent, a);"
            " no index can be altered",
        ),
        (
            {"type": "persistent", "fields": ["a"], "name": "other"},
            "c has that index under the name other: the server makes no second one",
        ),
    ],
)
def test_index_that_is_there_otherwise(make: Make, raw: Raw, folder: Path, there: dict[str, object], what: str) -> None:
    write(folder, INDEX % "")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/index?collection=c", there)
    before = raw.indexes("c")
    assert stopped(store) == what
    assert raw.indexes("c") == before


@pytest.mark.parametrize("kind", ["hash", "skiplist"])
def test_index_of_an_old_type_is_the_same(make: Make, raw: Raw, folder: Path, kind: str) -> None:
    write(folder, INDEX % "")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/index?collection=c", {"type": kind, "fields": ["a"], "name": "by_a"})
    assert fates(store)[0].outcome is DONE


def test_index_changed_is_drop_and_create_in_the_plan(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- create_collection: {name: c}\n" + INDEX % "")
    write(folder, "- drop_index: {collection: c, name: by_a}\n" + INDEX % ", unique: true",
          "[drop_index: {collection: c, name: by_a}]", 2)  # fmt: skip
    store = opened(make(), raw.url)
    move(store)
    assert raw.indexes("c")["by_a"]["unique"] is True
    [said] = store.describe([Step(store.revisions()[1])])
    assert said.statements == (
        "DELETE /_api/index/c/by_a",
        'POST /_api/index?collection=c\n{"name": "by_a", "type": "persistent", "fields": ["a"], "unique": true}',
    )


def test_unique_index_over_doubled_values(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, INDEX % ", unique: true")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", [{"a": 1}, {"a": 1}])
    said = stopped(store)
    assert said.startswith("index by_a of c (persistent, a, unique): unique constraint violated")
    assert said.endswith("(error 1210)")


def test_index_of_a_missing_collection(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, INDEX % "")
    assert stopped(opened(make(), raw.url)) == "there is no collection c"


def test_graph_whose_collection_went_missing(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- create_collection: {name: c}\n- create_collection: {name: e, type: 3}")
    write(folder, "- create_graph: {name: g, edgeDefinitions: [{collection: e, from: [c], to: [c]}]}", number=2)
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "e", "type": 3})
    fate = fates(store)[2]
    assert fate.outcome is NOT_DONE
    [statement] = store.statements.of(Step(store.revisions()[1]))
    with pytest.raises(StatementFailed) as caught:
        advance(store, Mark("vfr", 1, "graph/0002", 1), statement, 1)
    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "statement-failed",
        "graph g is made of collection c, which is not there",
        "arango/0002_x.yaml:2",
        "make the server as the file says, or write what it should be",
    )
    assert raw.ask("GET", "/_api/gharial")["graphs"] == []


def test_graph_altered(make: Make, raw: Raw, folder: Path) -> None:
    collections = "".join(f"- create_collection: {{name: {name}}}\n" for name in ("a", "b", "c"))
    collections += "".join(f"- create_collection: {{name: {name}, type: 3}}\n" for name in ("e", "f", "h"))
    first = "{collection: e, from: [a], to: [b]}, {collection: f, from: [a], to: [a]}"
    write(folder, f"{collections}- create_graph: {{name: g, edgeDefinitions: [{first}], orphanCollections: [c]}}")
    then = "{collection: e, from: [a], to: [a]}, {collection: h, from: [a], to: [c]}"
    back = f"alter_graph: {{name: g, edgeDefinitions: [{first}], orphanCollections: [c]}}"
    write(folder, f"- alter_graph: {{name: g, edgeDefinitions: [{then}], orphanCollections: [b]}}", f"[{back}]", 2)
    store = opened(make(), raw.url)
    move(store)
    graph = raw.ask("GET", "/_api/gharial/g")["graph"]
    assert sorted(graph["edgeDefinitions"], key=lambda each: str(each["collection"])) == [
        {"collection": "e", "from": ["a"], "to": ["a"]},
        {"collection": "h", "from": ["a"], "to": ["c"]},
    ]
    assert graph["orphanCollections"] == ["b"]
    assert fates(store)[-1].outcome is DONE
    assert set(raw.collections()) == {"a", "b", "c", "e", "f", "h"}
    move(store, Direction.DOWN)
    assert raw.collections() == {}


def test_graph_that_is_not_there_is_not_altered(make: Make, raw: Raw, folder: Path) -> None:
    made = "- create_collection: {name: e, type: 3}\n- create_collection: {name: c}\n"
    write(folder, made + "- alter_graph: {name: g, edgeDefinitions: [{collection: e, from: [c], to: [c]}]}",
          "{irreversible: no}")  # fmt: skip
    assert stopped(opened(make(), raw.url)) == "there is no graph g"


def test_collection_of_a_live_graph_is_not_dropped(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- drop_collection: {name: c}", "{irreversible: gone}")
    store = opened(make(), raw.url)
    definition = {"collection": "e", "from": ["c"], "to": ["c"]}
    raw.ask("POST", "/_api/gharial", {"name": "g", "edgeDefinitions": [definition]})
    assert stopped(store) == "graph g is made of collection c: drop or alter it first"
    assert set(raw.collections()) == {"c", "e"}


def test_documents_that_are_there_otherwise_are_never_written_over(make: Make, raw: Raw, folder: Path) -> None:
    rows = "documents: [{_key: a, size: 1}, {_key: b, size: 1}]"
    write(folder, f"- create_collection: {{name: c}}\n- insert_documents: {{collection: c, {rows}}}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", {"_key": "b", "size": 2})
    assert stopped(store) == "c/b is there with size 2, the file says 1"
    assert raw.rows("FOR d IN c RETURN [d._key, d.size]") == [["b", 2]]


def test_documents_of_which_some_are_there(make: Make, raw: Raw, folder: Path) -> None:
    rows = "documents: [{_key: a, size: 1}, {_key: b, size: 1}]"
    write(folder, f"- create_collection: {{name: c}}\n- insert_documents: {{collection: c, {rows}}}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", {"_key": "b", "size": 1, "more": True})
    move(store)
    assert raw.rows("FOR d IN c SORT d._key RETURN [d._key, d.more]") == [["a", None], ["b", True]]


def test_document_that_the_schema_refuses(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- create_collection: {name: c, schema: {rule: {required: [a]}, message: a is missing}}\n"
          "- insert_documents: {collection: c, documents: [{_key: x, a: 1}, {_key: y}]}")  # fmt: skip
    said = stopped(opened(make(), raw.url))
    assert said.startswith("2 documents in c: document y: ")
    assert said.endswith("(error 1620)")


def test_edge_without_ends_is_refused_by_the_server_too(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- insert_documents: {collection: e, documents: [{_key: x}]}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "e", "type": 3})
    assert stopped(store).startswith("1 document in e: document x: ")


def test_delete_says_what_is_lost_and_takes_only_what_is_there(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, "- delete_documents: {collection: c, keys: [a, b]}", "{irreversible: gone}")
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", [{"_key": "b"}, {"_key": "kept"}])
    assert store.losses(Step(store.revisions()[0])) == (
        "2 documents are lost from c, whatever was changed there since",
    )
    move(store)
    assert raw.rows("FOR d IN c RETURN d._key") == ["kept"]


AQL = """
- aql:
    query: "FOR d IN c FILTER d.size == @old UPDATE d WITH {size: @new} IN c"
    bindVars: {old: 1, new: 2}
    probe: {query: "RETURN LENGTH(FOR d IN c FILTER d.size == 1 RETURN 1)", equals: 0}
    down: {query: "FOR d IN c FILTER d.size == 2 UPDATE d WITH {size: 1} IN c"}
"""


def test_aql_and_back(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, AQL)
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", [{"size": 1}, {"size": 1}, {"size": 9}])
    assert fates(store)[0].outcome is NOT_DONE
    move(store)
    assert sorted(raw.rows("FOR d IN c RETURN d.size")) == [2, 2, 9]
    move(store, Direction.DOWN)
    assert sorted(raw.rows("FOR d IN c RETURN d.size")) == [1, 1, 9]
    assert store.losses(_down(store)) == ("UPDATE can lose what is there",)


def test_aql_that_the_server_refuses(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, AQL.replace("FOR d IN c FILTER d.size == @old", "FOR d IN c FILTERED d.size == @old"))
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    raw.ask("POST", "/_api/document/c", {"size": 1})
    said = stopped(store)
    assert said.startswith("aql FOR d IN c FILTERED d.size == @old UPDATE d WITH {size: @ne…: ")
    assert said.endswith("(error 1501)")


def test_aql_probe_with_no_row(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, AQL.replace("RETURN LENGTH(FOR d IN c FILTER d.size == 1 RETURN 1)", "FOR d IN c RETURN 1"))
    store = opened(make(), raw.url)
    raw.ask("POST", "/_api/collection", {"name": "c"})
    assert stopped(store) == "the probe answers 0 rows, where it must answer one: FOR d IN c RETURN 1"
    assert fates(store)[0].outcome is Outcome.CANNOT_TELL


def _down(store: ArangoStore) -> Step:
    return Step(store.revisions()[0], Direction.DOWN)

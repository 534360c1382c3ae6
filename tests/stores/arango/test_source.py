"""What is wrong in documents and between them is said before anything is connected to, with place and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provision.errors import ConfigError, ProvisionError, Several
from provision.stores.arango.store import ArangoStore

Make = Callable[..., ArangoStore]
NODES = "  - create_collection: {name: nodes}\n"
EDGES = "  - create_collection: {name: edges, type: 3}\n"
GRAPH = "  - create_graph: {name: g, edgeDefinitions: [{collection: %s, from: [%s], to: [%s]}]}\n"


def refused(make: Make, folder: Path, *bodies: str, down: str = "auto") -> list[tuple[str, str, str, str]]:
    """Every mistake of the documents: code, what, where, fix."""
    for number, body in enumerate(bodies, 1):
        (folder / f"{number:04d}_x.yaml").write_text(f"up:\n{body}down: {down}\n")
    with pytest.raises(ProvisionError) as caught:
        make().revisions()
    errors = caught.value.errors if isinstance(caught.value, Several) else [caught.value]
    assert all(isinstance(each, ConfigError) for each in errors)
    return [(each.code, each.what, each.where, each.fix) for each in errors]


def test_graph_with_a_missing_collection(make: Make, folder: Path) -> None:
    body = NODES + GRAPH % ("edges", "nodes", "people")
    assert refused(make, folder, body) == [
        (
            "document-invalid",
            "graph g is made of collection edges, which no file makes",
            "arango/0001_x.yaml:3:29",
            "write create_collection for it with type 3, before the graph",
        ),
        (
            "document-invalid",
            "graph g is made of collection people, which no file makes",
            "arango/0001_x.yaml:3:29",
            "write create_collection for it before the graph",
        ),
    ]


def test_graph_made_before_its_collections(make: Make, folder: Path) -> None:
    [(code, what, where, fix)] = refused(make, folder, NODES + GRAPH % ("edges", "nodes", "nodes") + EDGES)
    assert (code, what) == ("document-invalid", "graph g is made of collection edges, which no file makes")
    assert where == "arango/0001_x.yaml:3:29"
    assert fix == "write create_collection for it with type 3, before the graph"


def test_graph_of_collections_in_another_file_is_fine(make: Make, folder: Path) -> None:
    for number, body in enumerate((NODES, EDGES, GRAPH % ("edges", "nodes", "nodes")), 1):
        (folder / f"{number:04d}_x.yaml").write_text(f"up:\n{body}down: auto\n")
    assert len(make().revisions()) == 3


def test_edge_collection_used_for_nodes(make: Make, folder: Path) -> None:
    assert refused(make, folder, EDGES + NODES + GRAPH % ("edges", "edges", "nodes")) == [
        (
            "document-invalid",
            "graph g takes its nodes from edges, which is an edge collection",
            "arango/0001_x.yaml:4:29",
            "name a collection of type 2",
        )
    ]


def test_document_collection_used_for_edges(make: Make, folder: Path) -> None:
    assert refused(make, folder, NODES + GRAPH % ("nodes", "nodes", "nodes")) == [
        (
            "document-invalid",
            "graph g takes its edges from nodes, which is a document collection",
            "arango/0001_x.yaml:3:29",
            "give it type 3 in its create_collection",
        )
    ]


def test_edge_collection_used_as_document_collection(make: Make, folder: Path) -> None:
    rows = "  - insert_documents: {collection: edges, documents: [{_key: a, _from: nodes/a}, {_key: b}]}\n"
    assert refused(make, folder, EDGES + rows) == [
        (
            "document-invalid",
            f"edges is an edge collection, and document {key} has no {end}",
            f"arango/0001_x.yaml:3:{column}",
            "write _from and _to as collection/key, or name a document collection",
        )
        for key, end, column in (("a", "_to", 56), ("b", "_from", 83))
    ]


@pytest.mark.parametrize(
    ("body", "what", "where", "fix"),
    [
        (
            "create_collection: {name: 1st}",
            "no collection may be called 1st",
            "2:25",
            "begin with a letter, then letters, digits, _ and - alone",
        ),
        (
            "create_collection: {name: _own}",
            "no collection may be called _own",
            "2:25",
            "begin with a letter, then letters, digits, _ and - alone",
        ),
        (
            "create_collection: {name: provision_ledger}",
            "no collection may be called provision_ledger",
            "2:25",
            "names that begin with provision_ are provision's own",
        ),
        (
            f"create_collection: {{name: {'n' * 257}}}",
            "the name of the collection has 257 bytes",
            "2:25",
            "write at most 256",
        ),
        (
            "create_database: {name: größe}",
            "no database may be called größe",
            "2:23",
            "begin with a letter, then letters, digits, _ and - alone",
        ),
        (
            f"create_database: {{name: {'d' * 65}}}",
            "the name of the database has 65 bytes",
            "2:23",
            "write at most 64",
        ),
        (
            "create_index: {collection: c, name: primary, type: persistent, fields: [a]}",
            "no index may be called primary",
            "2:35",
            "the server makes that one by itself: choose another name",
        ),
        (
            "create_view: {name: a/b, type: arangosearch}",
            "no view may be called a/b",
            "2:19",
            "begin with a letter, then letters, digits, _ and - alone",
        ),
        (
            "create_analyzer: {name: 'a::b', type: identity}",
            "no analyzer may be called a::b",
            "2:23",
            "begin with a letter, then letters, digits, _ and - alone",
        ),
    ],
)
def test_illegal_name(make: Make, folder: Path, body: str, what: str, where: str, fix: str) -> None:
    found = refused(make, folder, f"  - {body}\n")
    assert found == [("document-invalid", what, f"arango/0001_x.yaml:{where}", fix)]


def test_illegal_document_keys(make: Make, folder: Path) -> None:
    rows = "  - insert_documents: {collection: c, documents: [{_key: a b}, {_key: c}, {_key: c}]}\n"
    assert refused(make, folder, rows) == [
        (
            "document-invalid",
            "no document may have the _key a b",
            "arango/0001_x.yaml:2:52",
            "write 1 to 254 of the characters a-z A-Z 0-9 _ - : . @ ( ) + , = ; $ ! * ' %",
        ),
        ("document-invalid", "two documents have the _key c", "arango/0001_x.yaml:2:76", "give one of them another"),
    ]


@pytest.mark.parametrize("key", ["type: 3", "keyOptions: {type: uuid}", "numberOfShards: 3"])
def test_update_of_what_is_fixed(make: Make, folder: Path, key: str) -> None:
    name, _, value = key.partition(": ")
    found = refused(make, folder, f"  - update_collection: {{name: c, {key}}}\n", down='{irreversible: "x"}')
    shown = {"{type: uuid}": '{"type": "uuid"}'}.get(value, value)
    fix = "write nothing here: it is fixed when the collection is made; make another collection"
    what = f"update_collection.{name} is {shown}"
    assert found == [("document-invalid", what, "arango/0001_x.yaml:2:34", fix)]


def test_collection_made_again_with_what_is_fixed_changed(make: Make, folder: Path) -> None:
    assert refused(make, folder, NODES, "  - create_collection: {name: nodes, type: 3}\n") == [
        (
            "document-invalid",
            "collection nodes is made by arango/0001_x.yaml:2 with another type",
            "arango/0002_x.yaml:2:38",
            "drop it first, or make a collection of another name and move the documents with aql",
        )
    ]


def test_collection_made_again_with_another_property(make: Make, folder: Path) -> None:
    assert refused(make, folder, NODES, "  - create_collection: {name: nodes, waitForSync: true}\n") == [
        (
            "document-invalid",
            "collection nodes is made by arango/0001_x.yaml:2 with another waitForSync",
            "arango/0002_x.yaml:2:38",
            "write update_collection to change waitForSync",
        )
    ]


def test_collection_dropped_and_made_again_is_fine(make: Make, folder: Path) -> None:
    again = "  - drop_collection: {name: nodes}\n  - create_collection: {name: nodes, type: 3}\n"
    (folder / "0001_x.yaml").write_text(f"up:\n{NODES}down: auto\n")
    (folder / "0002_x.yaml").write_text(f"up:\n{again}down: {{irreversible: gone}}\n")
    assert len(make().revisions()) == 2


def test_index_changed(make: Make, folder: Path) -> None:
    index = "  - create_index: {collection: nodes, name: by_a, type: persistent, fields: [a]%s}\n"
    assert refused(make, folder, NODES + index % "", index % ", unique: true") == [
        (
            "document-invalid",
            "index by_a of nodes (persistent, a) is made by arango/0001_x.yaml:3, and no index can be altered",
            "arango/0002_x.yaml:2:39",
            "write drop_index before it",
        )
    ]


def test_index_of_an_old_type(make: Make, folder: Path) -> None:
    index = "  - create_index: {collection: nodes, name: by_a, type: hash, fields: [a]}\n"
    [(code, what, where, fix)] = refused(make, folder, NODES + index)
    assert (code, what, where) == ("document-invalid", "create_index.type is hash", "arango/0001_x.yaml:3:51")
    assert fix == "one of fulltext, geo, inverted, mdi, mdi-prefixed, persistent, ttl, vector"


def test_index_with_a_key_of_another_type(make: Make, folder: Path) -> None:
    index = "  - create_index: {collection: nodes, name: by_a, type: ttl, fields: [a], expireAfter: 1, uniqe: true}\n"
    [(code, what, where, fix)] = refused(make, folder, NODES + index)
    assert (code, what, where) == ("document-invalid", "create_index has no key uniqe", "arango/0001_x.yaml:3:91")
    assert fix == "keys: collection, expireAfter, fields, inBackground, name, type"


def test_collection_that_a_graph_is_made_of_dropped(make: Make, folder: Path) -> None:
    graph = NODES + EDGES + GRAPH % ("edges", "nodes", "nodes")
    (folder / "0002_x.yaml").write_text("up:\n  - drop_collection: {name: nodes}\ndown: {irreversible: gone}\n")
    assert refused(make, folder, graph) == [
        (
            "document-invalid",
            "graph g is made of collection nodes",
            "arango/0002_x.yaml:2:23",
            "drop or alter the graph before it",
        )
    ]


def test_graph_with_two_definitions_and_a_false_orphan(make: Make, folder: Path) -> None:
    twice = "{collection: edges, from: [nodes], to: [nodes]}"
    graph = f"  - create_graph: {{name: g, edgeDefinitions: [{twice}, {twice}], orphanCollections: [nodes]}}\n"
    assert refused(make, folder, NODES + EDGES + graph) == [
        (
            "document-invalid",
            "edge collection edges has two definitions in graph g",
            "arango/0001_x.yaml:4:29",
            "join them: list every collection under from and to",
        ),
        (
            "document-invalid",
            "nodes is no orphan of graph g: an edge definition names it",
            "arango/0001_x.yaml:4:146",
            "take it out of the list",
        ),
    ]


def test_aql_probe_that_writes(make: Make, folder: Path) -> None:
    aql = (
        "  - aql:\n"
        '      query: "FOR d IN c UPDATE d WITH {a: 1} IN c"\n'
        '      probe: {query: "FOR d IN c REMOVE d IN c", equals: 1}\n'
        '      down: {query: "FOR d IN c UPDATE d WITH {a: null} IN c"}\n'
    )
    assert refused(make, folder, aql) == [
        ("document-invalid", "the probe may change documents: REMOVE", "arango/0001_x.yaml:4:7", "let it only read")
    ]


def test_aql_probe_that_only_names_a_writing_word_is_fine(make: Make, folder: Path) -> None:
    aql = (
        "  - aql:\n"
        '      query: "RETURN 1"\n'
        "      probe: {query: \"RETURN LENGTH(FOR d IN c FILTER d.kind == 'REMOVE' RETURN 1)\", equals: 0}\n"
        '      down: {query: "RETURN 1"}\n'
    )
    (folder / "0001_x.yaml").write_text(f"up:\n{aql}down: auto\n")
    assert len(make().revisions()) == 1

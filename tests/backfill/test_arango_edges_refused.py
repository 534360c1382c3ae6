"""Rows that make no edge, edges that are another's, documents that are wrong: named, and nothing is spoilt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backfill.graph import FOLLOWS, Graph, at_advance, chain, laid_out
from tests.servers.command_line import Provision


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, arango: str) -> Iterator[Graph]:
    with laid_out(tmp_path, monkeypatch, url, arango) as made:
        yield made


def test_row_without_its_vertex_is_named_and_passed_over_if_allowed(graph: Graph, provision: Provision) -> None:
    graph.sow(200)
    graph.raw.ask("DELETE", "/_api/document/nodes/m77")
    row = min(graph.ids(77, 78))  # either edge needs it; the first by the key is met first

    refused = provision("backfill", "run", "follows")
    passed = provision("backfill", "resume", "follows", "--skip-failed", 2)

    assert (refused.code, refused.err) == (
        5,
        f"error[batch-failed]: row {row}: there is no vertex nodes/m77, and no edge may lead to nothing\n"
        "  where  backfills/follows.yaml\n"
        "  fix    write the vertex or correct the row, or pass such rows over with --skip-failed N, then"
        " `provision backfill resume follows`; where the template is to change, `provision backfill cancel follows`,"
        " edit it, then `provision backfill run follows`\n",
    )
    assert passed.code == 7
    assert passed.err.startswith("error[rows-skipped]: 2 rows could not be filled and were passed over")
    assert graph.ends() == chain(200, 77, 78)
    assert f"    passed over {row}: there is no vertex nodes/m77" in provision("backfill", "status", "follows").out
    assert "provision_ledger" not in [each["name"] for each in graph.raw.ask("GET", "/_api/collection")["result"]]

    graph.vertices("m77")
    provision("backfill", "cancel", "follows")
    assert provision("backfill", "run", "follows").code == 0
    assert graph.ends() == chain(200)


def test_edge_of_another_is_left_alone_and_named(graph: Graph, provision: Provision) -> None:
    graph.sow(60)
    graph.vertices("other")
    theirs = {"_key": "m9-m10", "_from": "nodes/other", "_to": "nodes/m10", "theirs": 1}
    same = {"_key": "m19-m20", "_from": "nodes/m19", "_to": "nodes/m20", "weight": 0.3}
    graph.raw.ask("POST", "/_api/document/follows", [theirs, same])
    before = graph.edges()

    ran = provision("backfill", "run", "follows", "--skip-failed", 1)

    assert ran.err.startswith("error[rows-skipped]: 1 rows")
    said = provision("backfill", "status", "follows").out
    assert "edge m9-m10 is there already, from nodes/other to nodes/m10" in said
    assert before.items() <= graph.edges().items()
    assert len(graph.edges()) == 59


def test_two_rows_of_one_key_are_one_edge_or_an_error(graph: Graph, provision: Provision) -> None:
    graph.sow(3)
    graph.execute("insert into models (n, name, parent, tenant) values (10, 'm2', 'm1', 'acme'), (11, 'm3', 'm1', 'a')")
    graph.document(FOLLOWS.replace('"{parent}-{name}"', '"{name}"'))

    ran = provision("backfill", "run", "follows", "--skip-failed", 1)

    assert ran.err.startswith("error[rows-skipped]: 1 rows")
    assert "edge m3 is there already, from nodes/m" in provision("backfill", "status", "follows").out
    assert set(graph.edges()) == {"m2", "m3"}


def test_vertices_of_another_tenant_are_no_ends(graph: Graph, provision: Provision) -> None:
    graph.sow(20)
    graph.execute("update models set tenant = 'globex' where n = 7")
    graph.document(FOLLOWS + 'ends: {tenant: "{tenant}"}\n')

    ran = provision("backfill", "run", "follows")

    assert ran.err.startswith(
        f"error[batch-failed]: row {graph.ids(7)[0]}: tenant of vertex nodes/m6 is 'acme', not 'globex'\n"
    )


@pytest.mark.parametrize(
    ("spoil", "columns", "said"),
    [
        ("update models set name = 'a b' where n = 9", "", "_key would be m8-a b, and no document may have the _key"),
        ("update models set name = null where n = 9", "", "name is NULL, for {parent}-{name}"),
        ("select 1", "score: 1 / (n - 9)", "division by zero"),
        ("select 1", "score: case n when 9 then 'infinity'::timestamptz end", "timestamp too large"),
        ("select 1", "score: '(select n from models m where m.n <= greatest(models.n - 8, 1))'", "more than one row"),
    ],
)
def test_row_that_makes_no_edge_is_named(
    graph: Graph, provision: Provision, spoil: str, columns: str, said: str
) -> None:
    graph.sow(30)
    if "select n from" in columns:  # one row for the first nine, two for the tenth alone
        graph.execute("delete from models where n > 10")
    graph.execute(spoil)
    if columns:
        mapped = "columns: {name: name, parent: parent, meta: meta, at: at, tenant: tenant, " + columns + "}"
        graph.document(FOLLOWS.replace("columns: [name, parent, score, meta, at, tenant]", mapped))

    ran = provision("backfill", "run", "follows", "--skip-failed", 1)

    assert ran.err.startswith("error[rows-skipped]: 1 rows"), ran.err
    assert said in provision("backfill", "status", "follows").out


def test_condition_that_fails_on_a_row_ends_the_run(graph: Graph, provision: Provision) -> None:
    graph.sow(30)
    graph.document(FOLLOWS.replace("where: parent is not null", "where: 1 / (n - 9) > -100"))

    ran = provision("backfill", "run", "follows")

    assert ran.err.startswith("error[batch-refused]: models: division by zero\n  where  backfills/follows.yaml\n")


def test_source_column_that_goes_away_ends_the_run(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(200)
    at_advance(monkeypatch, 2, lambda: graph.execute("alter table models drop column score"))

    ran = provision("backfill", "run", "follows")

    assert ran.err.startswith(
        'error[schema-changed]: the schema changed under the run: column "score" does not exist\n'
    )


def test_collection_that_goes_away_ends_the_run(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(200)
    at_advance(monkeypatch, 2, lambda: graph.raw.ask("DELETE", "/_api/collection/follows"))

    ran = provision("backfill", "run", "follows")

    assert ran.err.startswith("error[schema-changed]: the schema changed under the run: collection or view not found")


def test_document_that_the_schema_of_the_collection_refuses_is_named(graph: Graph, provision: Provision) -> None:
    graph.sow(100)
    rule = {"properties": {"score": {"type": "number", "maximum": 0.6}}}
    schema = {"rule": rule, "level": "strict", "message": "a score is at most 0.6"}
    graph.raw.ask("PUT", "/_api/collection/follows/properties", {"schema": schema})
    graph.execute("update models set score = 0.7 where n in (33, 66)")

    ran = provision("backfill", "run", "follows", "--skip-failed", 2)

    assert ran.err.startswith("error[rows-skipped]: 2 rows")
    assert graph.ends() == chain(100, 33, 66)
    assert f"passed over {graph.ids(33)[0]}: a score is at most 0.6 (error 1620)" in (
        provision("backfill", "status", "follows").out
    )
    assert json.loads(provision("backfill", "status", "follows", "-o", "json").out)[0]["rows_done"] == 97


_BAD = {
    "source": (
        "store: models",
        "store: modles",
        "error[unknown-store]: no store is called 'modles'\n  where  backfills/follows.yaml:4:3\n",
    ),
    "itself": (
        "store: models",
        "store: arango",
        "error[capability-missing]: arango has no rows to fill from: stores of kind arango are not read\n",
    ),
    "table": (
        "table: models",
        "table: model",
        "error[unknown-table]: models has no table model\n"
        "  where  backfills/follows.yaml:5:3\n  fix    did you mean models?\n",
    ),
    "column": (
        "parent, score",
        "parent, scor",
        "error[unknown-column]: `from` reads no column score\n"
        "  where  backfills/follows.yaml:13:7\n  fix    did you mean scor?\n"
        "error[unknown-column]: models has no column scor\n"
        "  where  backfills/follows.yaml:7:3\n  fix    did you mean score?\n",
    ),
    "template": (
        "nodes/{parent}",
        "nodes/{paren}",
        "error[unknown-column]: `from` reads no column paren\n"
        "  where  backfills/follows.yaml:11:1\n  fix    did you mean parent?\n",
    ),
    "where": (
        "where: parent is not null",
        "where: parent",
        "error[bad-expression]: `where` is neither true nor false\n"
        "  where  backfills/follows.yaml:8:3\n  fix    compare it with something\n",
    ),
    "where of many rows": (
        "where: parent is not null",
        "where: count(parent) > 0",
        "error[bad-expression]: where: aggregate functions are not allowed in WHERE\n"
        "  where  backfills/follows.yaml:8:3\n  fix    correct the expression\n",
    ),
    "expression": (
        "columns: [name, parent, score, meta, at, tenant]",
        "columns: {name: nam, parent: parent, score: score, meta: meta, at: at}",
        'error[unknown-column]: columns.name: column "nam" does not exist\n  where  backfills/follows.yaml:7:13\n',
    ),
    "key": (
        "key: id",
        "key: parent",
        "error[key-not-unique]: parent of models is not unique\n  where  backfills/follows.yaml:6:3\n",
    ),
    "edges": (
        "edges: follows",
        "edges: folows",
        "error[unknown-table]: arango has no collection folows\n"
        "  where  backfills/follows.yaml:9:1\n  fix    did you mean follows?\n",
    ),
    "no edges": (
        "edges: follows",
        "edges: nodes",
        "error[not-a-table]: nodes is no collection of edges\n"
        "  where  backfills/follows.yaml:9:1\n  fix    name one that holds edges\n",
    ),
    "vertices": (
        "_to: nodes/",
        "_to: node/",
        "error[unknown-table]: arango has no collection node\n"
        "  where  backfills/follows.yaml:12:1\n  fix    did you mean nodes?\n",
    ),
    "key of edges": ('"{parent}-{name}"', "one", "error[document-invalid]: "),
    "missing": ("edges: follows\n", "", "error[document-invalid]: "),
}


@pytest.mark.parametrize("case", _BAD)
def test_wrong_document_is_refused_before_a_row_is_read(graph: Graph, provision: Provision, case: str) -> None:
    graph.sow(3)
    old, new, said = _BAD[case]
    graph.document(FOLLOWS.replace(old, new, 1))

    ran = provision("backfill", "run", "follows")

    assert (ran.code, ran.err[: len(said)]) == (2, said), ran.err
    assert graph.edges() == {}


def test_two_workers_are_refused(graph: Graph, provision: Provision) -> None:
    graph.sow(3)

    ran = provision("backfill", "run", "follows", "--workers", 2)

    assert ran.err.startswith("error[capability-missing]: arango has no shared runs")

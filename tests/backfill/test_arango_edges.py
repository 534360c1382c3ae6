"""Edges of a graph made of rows of PostgreSQL: right, never doubled, and what waits for them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.graph import FOLLOWS, Graph, chain, laid_out
from tests.servers.command_line import Provision


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, arango: str) -> Iterator[Graph]:
    with laid_out(tmp_path, monkeypatch, url, arango) as made:
        yield made


def test_every_row_becomes_an_edge_with_its_attributes(graph: Graph, provision: Provision) -> None:
    graph.sow(300)

    ran = provision("backfill", "run", "follows", "-o", "json")

    found = json.loads(ran.out)
    assert (ran.code, found["state"], found["rows_done"], found["rows_total"]) == (0, "succeeded", 299, 299)
    assert graph.ends() == chain(300)
    edge = {name: value for name, value in graph.edges()["m1-m2"].items() if name not in ("_id", "_rev")}
    assert edge == {
        "_key": "m1-m2",
        "_from": "nodes/m1",
        "_to": "nodes/m2",
        "score": 0.5,
        "meta": {"n": 2},
        "at": "2026-03-02T08:00:02Z",
        "label": "m1 then m2",
        "weight": 1,
        "active": True,
    }
    assert "score" not in graph.edges()["m2-m3"]  # NULL
    assert [each["revision"] for each in graph.all_of("provision_ledger") if "at" in each] == ["backfill/follows"]
    with psycopg.connect(graph.url) as source:
        assert source.execute("select to_regnamespace('provision')").fetchone() == (None,)


def test_run_again_writes_nothing(graph: Graph, provision: Provision) -> None:
    graph.sow(120)
    assert provision("backfill", "run", "follows").code == 0
    before = graph.edges()

    again = provision("backfill", "run", "follows")

    assert (again.code, graph.edges()) == (0, before)


def test_key_of_two_columns_is_walked_in_its_order(graph: Graph, provision: Provision) -> None:
    graph.sow(150)
    graph.execute("update models set tenant = 't' || n % 3; alter table models add unique (tenant, n)")
    graph.document(FOLLOWS.replace("key: id", "key: [n, tenant]"))

    ran = provision("backfill", "run", "follows", "-o", "json")

    assert (ran.code, json.loads(ran.out)["rows_done"]) == (0, 149)
    assert graph.ends() == chain(150)


_REVISIONS = {
    "0001_follows.yaml": "description: Edges\nup:\n  - create_collection: {name: more}\ndown: auto\n",
    "0002_whole.yaml": "description: Whole\nrequires: [backfill/follows]\nup:\n"
    "  - create_collection: {name: whole}\ndown: auto\n",
}


def test_revision_waits_for_the_edges_and_up_makes_them_where_rows_are_few(graph: Graph, provision: Provision) -> None:
    graph.sow(300)
    for name, text in _REVISIONS.items():
        (graph.place / "arango" / name).write_text(text)

    ran = provision("up")

    assert (ran.code, ran.err) == (0, "")
    assert "backfill/follows is complete: 299 rows filled" in ran.out
    assert graph.ends() == chain(300)
    assert {"more", "whole"} <= graph.raw.collections().keys()


def test_revision_is_held_where_rows_are_many(graph: Graph, provision: Provision) -> None:
    graph.sow(20)
    graph.execute(
        "insert into models (n, name, parent, tenant) select i, 'm1', 'm2', 'a' from generate_series(50, 10060) i"
    )
    for name, text in _REVISIONS.items():
        (graph.place / "arango" / name).write_text(text)

    held = json.loads(provision("up", "--output", "json").out)["held"]

    assert held == [{"id": "arango/0002", "waits_for": ["backfill/follows"]}]
    assert graph.edges() == {}
    assert provision("backfill", "run", "follows").code == 0
    assert json.loads(provision("up", "--output", "json").out)["applied"][0]["id"] == "arango/0002"


_REGISTRY = """
insert into tenants (slug, name) values ('acme', 'Acme'), ('globex', 'Globex');
insert into probabilistic_models (model_name, version, created_at, tenant_id, model_type, parameters)
select *, 'ensemble', '{}' from (values
    ('model_xgboost', '1.1', '2026-01-01 00:00+00'::timestamptz, 'acme'),
    ('model_xgboost', '1.2', '2026-02-01 00:00+00', 'acme'),
    ('model_xgboost', '2.0-rc 1', '2026-03-01 12:00:00.5+01', 'acme'), ('meta', '1', '2026-01-01', 'acme'),
    ('meta', '2', '2026-01-02', 'globex'), ('meta', '7', '2026-01-01', null), ('meta', '8', '2026-01-02', null)) made
"""


def _later(_folder: str, names: list[str]) -> set[str]:
    """What is not needed for the registry of models."""
    return {name for name in names if name[:4] > "0004" and name[0] == "0"} | {"repeatable", "__pycache__"}


def test_shipped_edges_lead_from_each_version_to_the_next(graph: Graph, provision: Provision) -> None:
    for path in sorted((project.ROOT / "arango").glob("000[1-4]*.yaml")):
        lines = path.read_text().splitlines(keepends=True)
        (graph.place / "arango" / path.name).write_text("".join(each for each in lines if "requires:" not in each))
    shutil.copytree(project.ROOT / "alembic", graph.place / "models", dirs_exist_ok=True, ignore=_later)
    assert provision("up").code == 0
    graph.execute(_REGISTRY)
    nodes = [
        {"_key": key, "component_type": "ml_model", "component_name": key, "tenant_id": "acme"}
        | {"confidence_contribution": 0.5, "uncertainty_contribution": 0.5}
        for key in ("model_xgboost_v1_1", "model_xgboost_v1_2", "model_xgboost_v2_0-rc_1")
    ]
    graph.raw.ask("POST", "/_api/document/probabilistic_nodes", nodes)
    text = (project.ROOT / "backfills" / "model_versions.yaml").read_text()
    graph.document(text.replace("store: postgres", "store: models").replace("postgres/", "models/"), "model_versions")

    ran = provision("backfill", "run", "model_versions", "-o", "json")

    assert (ran.code, ran.err.count("error")) == (0, 0), ran.err
    versions = sorted(graph.edges("probability_dependencies").values(), key=lambda each: str(each["_key"]))
    assert [(each["_from"].split("/")[1], each["_to"].split("/")[1], each["created_at"]) for each in versions] == [
        ("model_xgboost_v1_1", "model_xgboost_v1_2", "2026-02-01T00:00:00Z"),
        ("model_xgboost_v1_2", "model_xgboost_v2_0-rc_1", "2026-03-01T11:00:00.500000Z"),
    ]
    shutil.copytree(project.ROOT / "checks", graph.place / "checks", ignore=lambda _, names: {*names} - {"graph.yaml"})
    found = json.loads(provision("validate", "graph", "--output", "json").out)["results"]
    assert {each["check"] for each in found if each["status"] not in ("pass", "empty")} == set()

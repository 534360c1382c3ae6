"""`graph`: the files alone, without an environment and without a database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.command_line import Provision

TEXT = """\
small
  postgres
    0001  Accounts
    0002  Orders of accounts
    0003  Notes on orders, read back while they are made
  clickhouse
    001  events of orders
    002  events per day  ← postgres/0002
  redis
    0001  Who signed in
    0002  A second reader of the sign-ins  ← clickhouse/001
"""
BRANCHED = """\
small
  postgres
    0001  Accounts
    0002  Orders of accounts
      0002b  Addresses  ← postgres/0001
    0003  Notes  ← postgres/0002, postgres/0002b
"""
MERMAID = """\
flowchart TD
  subgraph clickhouse["clickhouse"]
    clickhouse_2f_001["001 events of orders"]
    clickhouse_2f_002["002 events per day"]
  end
  subgraph redis["redis"]
    redis_2f_0001["0001 Who signed in"]
    redis_2f_0002["0002 A second reader of the sign-ins"]
  end
  redis_2f_0001 --> redis_2f_0002
  clickhouse_2f_001 -.-> redis_2f_0002
  clickhouse_2f_001 --> clickhouse_2f_002
"""
DOT = """\
digraph "small" {
  node [shape=box]
  subgraph "cluster_clickhouse" {
    label="clickhouse"
    "clickhouse/001" [label="001 events of orders"]
    "clickhouse/002" [label="002 events per day"]
  }
  subgraph "cluster_redis" {
    label="redis"
    "redis/0001" [label="0001 Who signed in"]
    "redis/0002" [label="0002 A second reader of the sign-ins"]
  }
  "redis/0001" -> "redis/0002"
  "clickhouse/001" -> "redis/0002" [style=dashed]
  "clickhouse/001" -> "clickhouse/002"
}
"""


def test_graph_text_names_what_is_required(files: Path, provision: Provision) -> None:
    assert provision("graph") == (0, TEXT, "")
    assert not (files / ".provision").exists()


def test_graph_branch_is_indented_and_the_merge_names_both(files: Path, provision: Provision) -> None:
    versions = files / "alembic" / "versions"
    body = "\n\ndef upgrade() -> None: ...\n\n\ndef downgrade() -> None: ...\n"
    (versions / "0002b_addresses.py").write_text(
        f'"""Addresses"""\n\nrevision = "0002b"\ndown_revision = "0001"\n{body}'
    )
    (versions / "0003_order_notes.py").write_text(
        f'"""Notes"""\n\nrevision = "0003"\ndown_revision = ("0002", "0002b")\n{body}'
    )
    ran = provision("graph", "--only", "postgres")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [line.split() for line in BRANCHED.splitlines()]
    assert "      0002b  Addresses" in ran.out


@pytest.mark.usefixtures("files")
def test_graph_mermaid(provision: Provision) -> None:
    ran = provision("graph", "--format", "mermaid", "--only", "clickhouse", "--only", "redis")
    assert ran == (0, MERMAID, "")


@pytest.mark.usefixtures("files")
def test_graph_dot(provision: Provision) -> None:
    assert provision("graph", "--format", "dot", "--only", "clickhouse", "--only", "redis") == (0, DOT, "")


@pytest.mark.usefixtures("files")
def test_graph_json(provision: Provision) -> None:
    document = json.loads(provision("graph", "-o", "json", "--only", "redis").out)
    assert document["heads"] == {"redis": ["redis/0002"]}
    assert document["revisions"][1] == {
        "id": "redis/0002",
        "description": "A second reader of the sign-ins",
        "path": "redis/0002_second_reader.yaml",
        "parents": ["redis/0001"],
        "requires": ["clickhouse/001"],
        "draft": False,
    }


def test_graph_outside_a_project_is_refused(
    provision: Provision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = provision("graph")
    assert (ran.code, ran.err) == (
        2,
        "error[no-project]: no provision.toml here or in any folder above\n"
        f"  where  {tmp_path}\n"
        "  fix    run `provision init` in the folder of the project, or change into it\n",
    )

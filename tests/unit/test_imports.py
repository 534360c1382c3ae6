"""What each command imports: whole modules that it has no use for stay out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

DRIVERS = {
    "psycopg",
    "sqlalchemy",
    "alembic",
    "clickhouse_connect",
    "clickhouse_migrations",
    "redis",
    "urllib3",
    "influxdb_client",
    "weaviate",
    "arango",
}
KINDS = ("postgres", "clickhouse", "redis", "influx", "weaviate", "arango")
_RUN = """
import contextlib, io, json, sys
from provision.cli.main import run
with contextlib.redirect_stdout(io.StringIO()):
    code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded(arguments: Sequence[str], folder: Path, code: str = _RUN) -> set[str]:
    """The modules of a process that ran a command in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    code_of_command, modules = json.loads(done.stdout)
    assert code_of_command == 0, done.stderr
    return set(modules)


def drivers(modules: set[str]) -> set[str]:
    return DRIVERS & {name.split(".")[0] for name in modules}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with one revision of each of the six kinds."""
    listed = "\n".join(f"[stores.{kind}]" for kind in KINDS)
    (tmp_path / "provision.toml").write_text(f'[project]\nname = "shop"\nhome = "postgres"\n{listed}\n')
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text("")
    (versions / "0001_first.py").write_text('revision = "0001"\ndown_revision = None\n\n\ndef upgrade():\n    x = 1\n')
    repeatable = tmp_path / "alembic" / "repeatable"
    repeatable.mkdir()
    (repeatable / "view.sql").write_text("create or replace view v as select 1;\n-- down:\ndrop view v;\n")
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "001_first.sql").write_text("CREATE TABLE t (a UInt8) ENGINE = Memory;\n")
    documents = {
        "redis": "create_stream: {name: events, maxlen: 10, group: workers, owner: me, description: all}",
        "influx": "create_database: {name: metrics}",
        "weaviate": "create_collection: {class: Article, vectorizer: none}",
        "arango": "create_collection: {name: people}",
    }
    for kind, operation in documents.items():
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "0001_first.yaml").write_text(f"up:\n  - {operation}\ndown: auto\n")
    return tmp_path


def test_the_package_itself_is_next_to_nothing(tmp_path: Path) -> None:
    code = "import json, sys\nbefore = set(sys.modules)\nimport provision\n"
    found = loaded((), tmp_path, f"{code}print(json.dumps([0, sorted(set(sys.modules) - before)]))")

    assert {name for name in found if name.startswith("provision")} == {"provision"}
    assert len(found) < 15


def test_help_knows_no_kind(tmp_path: Path) -> None:
    found = loaded(("--help",), tmp_path)

    assert drivers(found) == set()
    assert not {name for name in found if name.startswith(("provision.stores", "provision.core", "provision.flows"))}


def test_the_graph_of_six_kinds_loads_no_driver(shop: Path) -> None:
    found = loaded(("graph",), shop)

    assert drivers(found) == set()
    assert not {"asyncio", "ssl", "http.client", "importlib.metadata"} & found


def test_the_graph_is_read_without_what_a_run_needs(shop: Path) -> None:
    found = loaded(("graph",), shop)

    parts = {f"provision.stores.{kind}.{part}" for kind in KINDS for part in ("ledger", "lease", "marks", "peer")}
    assert not parts & found
    assert not {name for name in found if name.startswith("provision.stores.clickhouse.migrate")}
    assert not {name for name in found if name.startswith("provision.embedded.") and name.split(".")[-1] in KINDS}

"""`rebase`: the revisions of a branch stand behind those of another one, and the merged project goes up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import engine
from tests.cli.conftest import provision
from tests.commutes.projects import started, written
from tests.commutes.test_command import git
from tests.servers.command_line import Provision

__all__ = ["provision"]
TOML = """
[project]
name = "shop"
home = "redis"
[stores.postgres]
[stores.redis]
[environments.local]
embedded = true
"""


def stream(name: str) -> dict[str, object]:
    return {"create_stream": {"name": name, "maxlen": 10, "description": "d"}}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """On `feature` two revisions of PostgreSQL and one of Redis that requires the second; `main` has one each."""
    root = started(tmp_path / "shop", "postgres", "shop")
    (root / "provision.toml").write_text(TOML)
    (root / ".gitignore").write_text(".provision/\n__pycache__/\n")
    (root / "redis").mkdir()
    (root / "redis" / ".gitkeep").touch()
    git(root, "init", "-q", "-b", "main")
    written(root, "postgres", 1, "first", ["create table first (id int)"])
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    git(root, "checkout", "-q", "-b", "feature")
    written(root, "postgres", 2, "mine", ["create table mine (id int)"])
    written(root, "postgres", 3, "also", ["create table also (id int)"])
    written(root, "redis", 1, "mine", [stream("mine")])
    file = root / "redis" / "0001_mine.yaml"
    file.write_text(file.read_text().replace('{"description"', '{"requires": ["postgres/0003"], "description"'))
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "mine")
    git(root, "checkout", "-q", "main")
    written(root, "postgres", 2, "theirs", ["create table theirs (id int)"])
    written(root, "redis", 1, "theirs", [stream("theirs")])
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "theirs")
    git(root, "checkout", "-q", "feature")
    monkeypatch.chdir(root)
    yield root
    for kind in ("postgres", "redis"):
        engine(kind, kind, root / ".provision").reset()


def test_branch_is_put_behind_another_and_the_merge_goes_up(shop: Path, provision: Provision) -> None:
    ran = provision("rebase", "main", "--env", "local")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "  alembic/versions/0002_mine.py → 0003_mine.py: postgres/0002 is postgres/0003, on 0002",
        "  alembic/versions/0003_also.py → 0004_also.py: postgres/0003 is postgres/0004, on 0003",
        "  redis/0001_mine.yaml → 0002_mine.yaml: redis/0001 is redis/0002, on 0001",
        "3 files written; next: git merge main",
    ]
    assert re.findall(r'revision = "(\d+)"', (shop / "alembic" / "versions" / "0004_also.py").read_text()) == [
        "0004",
        "0003",
    ]
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "rebased")
    git(shop, "merge", "-q", "main")
    assert "postgres/0004" in (shop / "redis" / "0002_mine.yaml").read_text()
    assert provision("up", "--env", "local").code == 0
    assert provision("status", "--check", "--env", "local").code == 0
    assert provision("rebase", "main", "--env", "local").out.startswith("nothing to do: ")


def test_what_is_applied_is_not_renumbered(shop: Path, provision: Provision) -> None:
    assert provision("up", "--env", "local").code == 0
    before = sorted(each.name for each in shop.rglob("*.py"))
    ran = provision("rebase", "main", "--env", "local")
    assert (ran.code, ran.err.splitlines()[0]) == (3, "error[already-applied]: postgres/0002 is applied in local")
    assert sorted(each.name for each in shop.rglob("*.py")) == before


def test_dry_run_writes_nothing(shop: Path, provision: Provision) -> None:
    ran = provision("rebase", "main", "--env", "local", "--dry-run")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "3 files would be written")
    assert (shop / "alembic" / "versions" / "0002_mine.py").is_file()

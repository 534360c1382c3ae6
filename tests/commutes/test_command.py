"""`commutes` on branches of a repository: as text, as JSON, as annotations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import provision
from tests.commutes.projects import started, written
from tests.expected import Expected
from tests.servers.command_line import Provision

__all__ = ["provision"]
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b.c")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *AUTHOR, *arguments], cwd=root, check=True, capture_output=True)


def branch(root: Path, name: str, number: int, statement: str) -> None:
    """A branch of `base` with one revision more."""
    git(root, "checkout", "-q", "-b", name, "base")
    written(root, "postgres", number, name, [statement])
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", name)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project below the root of its repository; `main` and `index` commute, `main` and `column` do not."""
    git(tmp_path, "init", "-q", "-b", "base")
    root = started(tmp_path / "shop", "postgres", "shop")
    written(root, "postgres", 1, "orders", ["create table orders (id int primary key, status text)"])
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    branch(root, "main", 2, "alter table orders add column note text")
    branch(root, "index", 2, "create index orders_status on orders (status)")
    branch(root, "column", 2, "alter table orders add column paid int")
    branch(root, "code", 2, "do $$ begin null; end $$")
    monkeypatch.chdir(root)
    return root


@pytest.mark.usefixtures("shop")
def test_commuting_branches_say_so(provision: Provision, expected: Expected) -> None:
    ran = provision("commutes", "main..index")
    assert (ran.code, ran.err) == (0, "")
    expected(ran.out)


@pytest.mark.usefixtures("shop")
def test_conflict_names_the_thing_and_both_files(provision: Provision, expected: Expected) -> None:
    ran = provision("commutes", "main..")  # the branch in hand is `code`
    expected(ran.out, "unknown")
    ran = provision("commutes", "main..column")
    assert (ran.code, ran.err) == (1, "")
    expected(ran.out)


@pytest.mark.usefixtures("shop")
def test_conflict_as_json_and_as_annotation(provision: Provision) -> None:
    found = json.loads(provision("commutes", "main..column", "-o", "json").out)
    assert (found["commute"], found["renumber"], found["exit"]) == (False, ["postgres/0002"], 1)
    assert found["stores"] == [{"store": "postgres", "left": ["postgres/0002"], "right": ["postgres/0002"]}]
    assert found["conflicts"] == [
        {
            "store": "postgres",
            "left": "postgres/0002",
            "left_file": "alembic/versions/0002_main.py",
            "right": "postgres/0002",
            "right_file": "alembic/versions/0002_column.py",
            "why": "both write relation public.orders order of columns",
            "unknown": False,
        }
    ]
    ran = provision("commutes", "main..column", "-o", "github")
    assert "::error file=alembic/versions/0002_column.py,title=conflict" in ran.out


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("named", ["main", "main..nowhere", "..main"])
def test_what_names_no_branches_is_refused(provision: Provision, named: str) -> None:
    ran = provision("commutes", named)
    assert (ran.code, "error[bad-reference]" in ran.err) == (2, True)

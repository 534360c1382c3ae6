"""Revisions that a second process renders: what is found is what this process would have found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.stores.postgres.lint import apart, rendered
from tests.servers.command_line import Provision

WHO = 'import os\nwith open("who", "a") as file:\n    file.write(f"{os.getpid()} ")'


@pytest.fixture
def second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork for few revisions too, and beside the threads of the test runner, which wait for nothing of ours."""
    monkeypatch.setattr(rendered, "WORTH", 1)
    monkeypatch.setattr(rendered, "possible", lambda: True)


def found(provision: Provision) -> list[tuple[str, str, int]]:
    findings = json.loads(provision("lint", "-o", "json", "--no-cache").out)["findings"]
    return [(each["rule"], Path(each["file"]).name, each["line"]) for each in findings]


def three(revision: Callable[..., Path], second: str) -> None:
    revision("0001", 'op.execute("CREATE TABLE t (a int)")', head=WHO)
    revision("0002", second)
    revision("0003", 'op.execute("CREATE INDEX i ON t (a)")')


def test_second_process_renders_what_this_one_would_have_rendered(
    revision: Callable[..., Path], provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(revision, "op.get_bind().execute('x').scalar()")
    alone = found(provision)
    assert alone == [("not-rendered", "0002_r.py", 1), ("index-not-concurrent", "0003_r.py", 8)]
    assert set(Path("who").read_text().split()) == {str(os.getpid())}
    Path("who").unlink()
    monkeypatch.setattr(rendered, "WORTH", 1)
    monkeypatch.setattr(rendered, "possible", lambda: True)
    assert found(provision) == alone
    assert str(os.getpid()) not in Path("who").read_text().split()


@pytest.mark.usefixtures("second_process")
def test_rest_is_rendered_here_where_the_second_process_dies(
    revision: Callable[..., Path], provision: Provision
) -> None:
    three(revision, f"import os; os.getpid() == {os.getpid()} or os._exit(3)")
    assert found(provision) == [("index-not-concurrent", "0003_r.py", 8)]


def test_env_that_runs_nothing_offline_leaves_every_revision_not_rendered(
    project: Path, revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE t (a int)")')
    revision("0002", 'op.execute("CREATE INDEX i ON t (a)")')
    (project / "alembic" / "env.py").write_text("")
    assert found(provision) == [("not-rendered", "0001_r.py", 1), ("not-rendered", "0002_r.py", 1)]


def test_process_is_not_forked_beside_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart.threading, "active_count", lambda: 2)
    assert not apart.possible()

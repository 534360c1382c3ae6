"""Plans in files, and the revisions of two branches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provision import ConfigError, RefusedError, SavedPlan
from tests.library.shop import Shop


def test_a_plan_in_a_file_runs_as_it_was_saved_or_not_at_all(both: Shop, tmp_path: Path) -> None:
    first = both.table()
    project, file = both.open(), tmp_path / "plan.json"

    saved = project.save_plan(file)
    assert isinstance(saved, SavedPlan)
    assert [each.id for each in saved.steps] == [first]
    assert project.saved_plan(file) == saved
    assert project.status().applied == ()

    stream = both.stream("orders", requires=(first,))
    with pytest.raises(RefusedError) as error:
        project.up(plan=file)
    assert error.value.code == "stale-plan"
    assert project.status().applied == ()

    project.save_plan(file)
    assert [each.step.id for each in project.up(plan=str(file)).done] == [first, stream]


def test_a_file_that_is_no_plan_is_refused_before_anything_runs(both: Shop, tmp_path: Path) -> None:
    both.table()
    (tmp_path / "plan.json").write_text("[]")
    with pytest.raises(ConfigError) as error:
        both.open().up(plan=tmp_path / "plan.json")
    assert error.value.code == "plan-invalid"
    assert both.open().status().applied == ()


def git(root: Path, *arguments: str) -> None:
    line = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    subprocess.run(line, cwd=root, check=True, capture_output=True)


def test_branches_are_compared_and_rebased(both: Shop) -> None:
    both.stream("first")
    root = both.open().root
    (root / ".gitignore").write_text(".provision/\n__pycache__/\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    git(root, "checkout", "-qb", "feature")
    both.stream("mine")
    git(root, "add", ".")
    git(root, "commit", "-qm", "mine")
    git(root, "checkout", "-q", "main")
    both.stream("theirs")
    git(root, "add", ".")
    git(root, "commit", "-qm", "theirs")
    git(root, "checkout", "-q", "feature")

    project = both.open()
    found = project.commutes("main")
    assert found.commute
    [taken] = found.renumber
    before = sorted(path.name for path in (root / "redis").glob("*.yaml"))

    [shown] = project.rebase("main", dry_run=True)
    assert sorted(path.name for path in (root / "redis").glob("*.yaml")) == before
    [moved] = project.rebase("main")
    assert moved.to == shown.to
    assert moved.moved is not None
    assert moved.moved.revision.id == taken
    assert moved.to.is_file()
    assert project.rebase("main") == ()

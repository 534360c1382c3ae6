"""`rebase` and `commutes` beside a run that is at work, and after one that was killed."""

from __future__ import annotations

from pathlib import Path

from tests.commutes.test_command import git
from tests.concurrency.conftest import Rows
from tests.concurrency.project import REVISION, Small

CREATE = 'op.execute("create table effects (revision text)")'
SLOW = 'op.execute("create table mine (x int)")\nop.execute("select pg_sleep(30)")'
SLEEPING = "select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"


def branched(small: Small) -> None:
    """On `feature`, which is checked out, and on `main` one revision each that the other has not."""
    theirs = REVISION.format(number="0002", parent="0001", body='    op.execute("create table theirs (x int)")')
    versions = small.folder / "alembic" / "versions"
    (small.folder / ".gitignore").write_text("__pycache__/\n")
    small.revisions(CREATE)
    git(small.folder, "init", "-q", "-b", "main")
    git(small.folder, "add", ".")
    git(small.folder, "commit", "-qm", "base")
    git(small.folder, "checkout", "-qb", "feature")
    small.revisions(CREATE, SLOW)
    git(small.folder, "add", ".")
    git(small.folder, "commit", "-qm", "mine")
    git(small.folder, "checkout", "-q", "main")
    (versions / "0002_theirs.py").write_text(theirs)
    git(small.folder, "add", ".")
    git(small.folder, "commit", "-qm", "theirs")
    git(small.folder, "checkout", "-q", "feature")


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / "alembic" / "versions").glob("*.py"))


def test_rebase_beside_an_up_names_it_and_renames_nothing(small: Small, rows: Rows) -> None:
    branched(small)
    run = small.start("up")
    run.until(lambda: bool(rows(SLEEPING)), "the slow statement")

    for more in ((), ("--dry-run",)):
        ran = small.run("rebase", "main", *more)
        assert ran.code == 6, ran.out + ran.err
        assert "error[lease-held]: another run holds the run lock: " in ran.err
        assert f"pid {run.pid}, provision up" in ran.err
    assert files(small.folder) == ["0001_step.py", "0002_step.py"]
    assert small.run("commutes", "main..feature").code in (0, 1)  # it reads what is committed, and no database

    run.kill()
    ran = small.run("rebase", "main")
    assert (ran.code, ran.err) == (0, "")
    assert files(small.folder) == ["0001_step.py", "0003_step.py"]

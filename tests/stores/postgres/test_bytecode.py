"""What runs is the text that is there, whatever Python kept compiled of an older one."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project


def edited(path: Path, old: str, new: str) -> None:
    """An edit that Python does not see: of as many letters, within one second of what it compiled."""
    times = path.stat()
    py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_revision_edited_within_a_second_runs_as_it_is(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    path = project.write("0001", "op.execute('create table aaa ()')")
    edited(path, "aaa", "bbb")

    project.up()

    assert project.rows("select tablename from pg_tables where tablename in ('aaa', 'bbb')") == [("bbb",)]


def test_env_py_edited_within_a_second_runs_as_it_is(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001")
    path = project.root / "alembic" / "env.py"
    path.write_text(f"# raise SystemExit('edited')\n{path.read_text()}")
    edited(path, "# raise", "1;raise")

    ran = project.provision("up")

    assert (ran.code, "SystemExit: edited" in ran.err) == (2, True), ran.out + ran.err

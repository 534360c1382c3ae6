"""Folders that cannot be written or read, and disks that are full: real ones, in a process without root's rights."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.projects import NOWHERE, refused, untouched
from tests.expected import Expected
from tests.servers.command_line import Provision, Ran, masked
from tests.servers.required import not_run

COMMAND = [sys.executable, "-m", "provision.cli.main"]
# What lets root write and read where the mode forbids it.
OVERRIDES = "-dac_override,-dac_read_search,-fowner"


@pytest.fixture
def bound(files: Path) -> Callable[..., Ran]:
    """Run one command line that file modes hold for, root or not."""

    def ran(*words: str) -> Ran:
        drop = [] if os.getuid() else ["setpriv", f"--bounding-set={OVERRIDES}", f"--inh-caps={OVERRIDES}"]
        if drop and shutil.which("setpriv") is None:
            not_run("setpriv", "apt-get install util-linux")
        done = subprocess.run(
            [*drop, *COMMAND, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=files,
            env={**os.environ, **NOWHERE},
        )
        return Ran(done.returncode, masked(done.stdout), masked(done.stderr))

    return ran


def test_file_where_the_engines_belong(files: Path, provision: Provision) -> None:
    (files / ".provision").write_text("in the way")
    with untouched(files):
        ran = provision("up", "-e", "local")
    refused(
        ran,
        2,
        """\
error[folder-not-writable]: the folder of the embedded engines cannot be made: a file is in its place
  where  PROJECT/.provision
  fix    move PROJECT/.provision away, then run the same command again
""",
    )


def test_folder_of_the_engines_is_read_only(files: Path, bound: Callable[..., Ran]) -> None:
    (files / ".provision").mkdir(mode=0o500)
    with untouched(files):
        ran = bound("up", "-e", "local")
    refused(
        ran,
        2,
        """\
error[folder-not-writable]: the folder of the embedded engines cannot be written: permission denied
  where  PROJECT/.provision/postgres.lock
  fix    make PROJECT/.provision writable for this user, or use an environment without `embedded = true`
error[folder-not-writable]: the folder of the embedded engines cannot be written: permission denied
  where  PROJECT/.provision/clickhouse.lock
  fix    make PROJECT/.provision writable for this user, or use an environment without `embedded = true`
error[folder-not-writable]: the folder of the embedded engines cannot be written: permission denied
  where  PROJECT/.provision/redis.lock
  fix    make PROJECT/.provision writable for this user, or use an environment without `embedded = true`
""",
    )


def test_project_folder_is_read_only(files: Path, bound: Callable[..., Ran]) -> None:
    files.chmod(0o500)
    with untouched(files):
        ran = bound("up", "-e", "local")
    files.chmod(0o700)
    refused(
        ran,
        2,
        """\
error[folder-not-writable]: the folder of the embedded engines cannot be written: permission denied
  where  PROJECT/.provision
  fix    make PROJECT/.provision writable for this user, or use an environment without `embedded = true`
""",
    )


def test_folder_of_a_store_is_read_only(files: Path, bound: Callable[..., Ran]) -> None:
    (files / "redis").chmod(0o500)
    with untouched(files):
        ran = bound("new", "redis", "one more")
    (files / "redis").chmod(0o700)
    refused(
        ran,
        2,
        """\
error[unwritable-file]: the file cannot be written: permission denied
  where  PROJECT/redis/0003_one_more.yaml
  fix    make the folder writable for this user
""",
    )


def test_reads_need_no_rights(files: Path, bound: Callable[..., Ran]) -> None:
    """Nothing was made yet: `status` of a read-only checkout makes nothing."""
    files.chmod(0o500)
    with untouched(files):
        ran = bound("status", "-e", "local")
    files.chmod(0o700)
    assert (ran.code, ran.err) == (0, "")


def test_disk_is_full(files: Path) -> None:
    """Three engines share what room there is: how far each comes differs from run to run."""
    (files / ".provision").mkdir()
    mount = f"mount -t tmpfs -o size=16k tmpfs .provision && exec {shlex.join(COMMAND)} up -e local"
    ran = subprocess.run(
        # In a process space of its own: an engine that did start ends with it.
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--map-root-user", "sh", "-c", mount],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    if "mount" in ran.stderr or "unshare" in ran.stderr:
        not_run("small disk", f"unshare --mount: {ran.stderr.strip()}")
    refused(
        Ran(
            ran.returncode,
            masked(ran.stdout),
            re.sub(r"(/\.provision)(?:/\S+)?$", r"\1…", masked(ran.stderr), flags=re.MULTILINE),
        ),
        5,
        """\
error[disk-full]: no space is left for the embedded engine of postgres
  where  PROJECT/.provision…
  fix    free some space on that disk, then run the same command again
error[disk-full]: no space is left for the embedded engine of clickhouse
  where  PROJECT/.provision…
  fix    free some space on that disk, then run the same command again
error[disk-full]: no space is left for the embedded engine of redis
  where  PROJECT/.provision…
  fix    free some space on that disk, then run the same command again
""",
    )


def test_plan_on_a_full_disk(expected: Expected, small: Path, provision: Provision) -> None:
    with untouched(small):
        ran = provision("plan", "--out", "/dev/full")
    expected(ran.err)
    assert ran.code == 2


def test_files_that_may_not_be_read(files: Path, bound: Callable[..., Ran]) -> None:
    closed = [
        files / "alembic" / "versions" / "0001_accounts.py",
        files / "clickhouse" / "001_events.sql",
        files / "redis" / "0001_sign_ins.yaml",
    ]
    with untouched(files):
        for path in closed:
            path.chmod(0)
        ran = bound("up", "-e", "test")
        for path in closed:
            path.chmod(0o600)
    refused(
        ran,
        2,
        """\
error[unreadable-file]: 0001_accounts.py cannot be read: permission denied
  where  alembic/versions/0001_accounts.py
  fix    make it readable for this user
error[unreadable-file]: 001_events.sql cannot be read: permission denied
  where  clickhouse/001_events.sql
  fix    make it readable for this user
error[unreadable-file]: 0001_sign_ins.yaml cannot be read: permission denied
  where  redis/0001_sign_ins.yaml
  fix    make it readable for this user
""",
    )


def test_folders_that_may_not_be_read(files: Path, bound: Callable[..., Ran]) -> None:
    closed = [files / "alembic" / "versions", files / "clickhouse", files / "redis"]
    with untouched(files):
        for path in closed:
            path.chmod(0)
        ran = bound("up", "-e", "test")
        for path in closed:
            path.chmod(0o700)
    refused(
        ran,
        2,
        """\
error[unreadable-file]: the folder versions cannot be read: permission denied
  where  PROJECT/alembic/versions
  fix    make it readable for this user
error[unreadable-file]: the folder clickhouse cannot be read: permission denied
  where  PROJECT/clickhouse
  fix    make it readable for this user
error[unreadable-file]: the folder redis cannot be read: permission denied
  where  PROJECT/redis
  fix    make it readable for this user
""",
    )


def test_project_file_that_may_not_be_read(files: Path, bound: Callable[..., Ran]) -> None:
    with untouched(files):
        (files / "provision.toml").chmod(0)
        ran = bound("up", "-e", "test")
        (files / "provision.toml").chmod(0o600)
    refused(
        ran,
        2,
        """\
error[unreadable-file]: provision.toml cannot be read: permission denied
  where  PROJECT/provision.toml
  fix    make it readable for this user
""",
    )

"""A clone of the repository, used by a user without rights. `fresh_clone.sh` does the same with nothing installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import databases

from .sites import REPOSITORY

NOBODY = 65534


@dataclass(frozen=True)
class Clone:
    place: Path
    become: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.place / "clone"

    def provision(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the clone's `provision`; nothing of this process's environment reaches it."""
        variables = {"HOME": str(self.place / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        variables |= {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [*self.become, sys.executable, "-m", "provision.cli.main", *arguments],
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def clone() -> Iterator[Clone]:
    """HEAD, cloned, with a home folder; both belong to the user."""
    place = Path(tempfile.mkdtemp(prefix="provision-clone-"))
    place.chmod(0o755)
    (place / "home").mkdir()
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPOSITORY, place / "clone"], check=True)
    if os.getuid() == 0:
        for each in (place / "home", place / "clone"):
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", each], check=True)
    try:
        made = Clone(place, somebody_else())
        yield made
        made.provision("local", "reset", "--yes")
    finally:
        shutil.rmtree(place)


def somebody_else() -> tuple[str, ...]:
    """The words that make root somebody without rights; none for who has none anyway.

    Where the installed packages lie in a folder of root's, that user is given the right to read every file, no more.
    """
    if os.getuid() != 0:
        return ()
    drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    may_read = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    # In a child of its own: the first one is still found with the rights of root.
    trial = [
        sys.executable,
        "-c",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import psycopg'], check=True)",
    ]
    for words in (drop, (*drop, *may_read)):
        if subprocess.run([*words, *trial], check=False, cwd="/", stderr=subprocess.DEVNULL).returncode == 0:
            return words
    return databases.not_run("user who can read the installed packages", "they lie in a folder of root's")


def test_clone_moves_up_and_down_for_a_user_without_rights(clone: Clone) -> None:
    up = clone.provision("up", "--env", "local")
    assert up.returncode == 0, up.stderr
    assert " applied, 1 skipped in " in up.stdout
    again = clone.provision("up", "--env", "local")
    assert again.stdout.splitlines()[-1] == "nothing to do"
    status = json.loads(clone.provision("status", "--env", "local", "--output", "json").stdout)
    assert {each["state"] for store in status["stores"] for each in store["revisions"]} == {
        "applied",
        "skipped",
        "optional",
    }
    for engine in json.loads(clone.provision("local", "status", "--output", "json").stdout)["engines"]:
        assert engine["state"] == "running"
        assert os.stat(f"/proc/{engine['pid']}").st_uid == (NOBODY if os.getuid() == 0 else os.getuid())
    down = clone.provision("down", "--all", "--allow-destructive", "--env", "local")
    assert down.returncode == 0, down.stderr
    changed = subprocess.check_output(
        ["git", "-c", "safe.directory=*", "-C", clone.folder, "status", "--porcelain"], text=True
    )
    assert changed == ""

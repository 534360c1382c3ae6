"""A clone of the repository, used by a user without rights, with the Python of the system."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers import databases

from .sites import REPOSITORY

PYTHON = Path("/usr/bin/python3")
NOBODY = 65534


@dataclass(frozen=True)
class Clone:
    place: Path
    become: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.place / "clone"

    def provision(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `provision` in the clone; nothing of this process's environment reaches it."""
        variables = {"HOME": str(self.place / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        variables |= {"PYTHONPATH": str(self.place / "packages"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [*self.become, str(PYTHON), "-m", "provision.cli.main", *arguments],
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
    """HEAD, cloned, and the installed packages linked to where that user may read them."""
    asked = "import sys; print(*sys.version_info[:2])"
    mine = f"{sys.version_info[0]} {sys.version_info[1]}"
    if not PYTHON.exists() or subprocess.check_output([PYTHON, "-c", asked], text=True).strip() != mine:
        databases.not_run(f"{PYTHON} of Python {mine}", "apt-get install python3")
    place = Path(tempfile.mkdtemp(prefix="provision-clone-"))
    place.chmod(0o755)
    (place / "home").mkdir()
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPOSITORY, place / "clone"], check=True)
    link_packages(place / "packages")
    become: tuple[str, ...] = ()
    if os.getuid() == 0:
        for each in (place / "home", place / "clone"):
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", each], check=True)
        become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    made = Clone(place, become)
    yield made
    made.provision("local", "reset", "--yes")
    shutil.rmtree(place)


def link_packages(target: Path) -> None:
    """All that is installed here, but for the link to this checkout; linked where the file system can."""
    source = Path(sysconfig.get_paths()["platlib"])
    done = subprocess.run(["cp", "-al", source, target], check=False, capture_output=True)
    if done.returncode != 0:
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", source, target], check=True)
    for editable in (*target.glob("*provision*.pth"), *target.glob("__editable__*")):
        editable.unlink()


@pytest.mark.slow
def test_clone_moves_up_and_down_for_a_user_without_rights(clone: Clone) -> None:
    up = clone.provision("up", "--env", "local")
    assert up.returncode == 0, up.stderr
    assert " applied in " in up.stdout
    again = clone.provision("up", "--env", "local")
    assert again.stdout.splitlines()[-1] == "nothing to do"
    status = json.loads(clone.provision("status", "--env", "local", "--output", "json").stdout)
    assert {each["state"] for store in status["stores"] for each in store["revisions"]} == {"applied"}
    for engine in json.loads(clone.provision("local", "status", "--output", "json").stdout)["engines"]:
        assert engine["state"] == "running"
        assert os.stat(f"/proc/{engine['pid']}").st_uid == (NOBODY if os.getuid() == 0 else os.getuid())
    down = clone.provision("down", "--all", "--allow-destructive", "--env", "local")
    assert down.returncode == 0, down.stderr
    changed = subprocess.check_output(
        ["git", "-c", "safe.directory=*", "-C", clone.folder, "status", "--porcelain"], text=True
    )
    assert changed == ""

"""What a server that was killed leaves running is found, and what ends while it is looked at is no fault."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provision.embedded import postgres_leftovers


@pytest.fixture
def orphan(tmp_path: Path) -> subprocess.Popen[bytes]:
    program = tmp_path / "postgres"
    shutil.copy(str(shutil.which("sleep")), program)
    (tmp_path / "data").mkdir()
    return subprocess.Popen([program, "60"], cwd=tmp_path / "data")


def test_what_still_works_in_the_folder_is_ended(orphan: subprocess.Popen[bytes], tmp_path: Path) -> None:
    postgres_leftovers._end_children(tmp_path / "data")
    assert orphan.wait(5) < 0


def test_a_process_that_ends_while_it_is_looked_at_is_no_fault(
    orphan: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, real = (tmp_path / "data").stat(), os.readlink
    assert postgres_leftovers._server_in(orphan.pid, data)

    def ends_first(path: str) -> str:
        orphan.kill()
        orphan.wait()
        return real(path)

    monkeypatch.setattr(os, "readlink", ends_first)
    assert not postgres_leftovers._server_in(orphan.pid, data)

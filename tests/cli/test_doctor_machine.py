"""`doctor` of the machine: packages and their bounds, folders, disk, git; and errors that name a package."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest

from provision.documents import check
from provision.model import Finding, Severity
from provision.settings import load
from provision.text import clock
from provision.wiring import machine
from tests.cli.projects import NOWHERE

if TYPE_CHECKING:
    from tests.servers.command_line import Provision


def test_doctor_engines_folder_open_to_others(files: Path) -> None:
    project = load(files)
    (files / ".provision").mkdir(mode=0o755)
    (files / ".provision").chmod(0o755)
    found = next(machine.folders(project, embedded=True))
    assert (found.severity, found.fix) == (Severity.ERROR, f"`chmod 700 {files / '.provision'}`")
    subprocess.run(found.fix.strip("`"), shell=True, check=True)
    assert next(machine.folders(project, embedded=True)).severity is Severity.FINE


def test_doctor_packages_missing_or_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "redis":
            raise metadata.PackageNotFoundError(name)
        return (
            "0.1"
            if name == "clickhouse-connect"
            else "99.0"
            if name == "alembic"
            else metadata.Distribution.from_name(name).version
        )

    monkeypatch.setattr(machine.metadata, "version", version)
    wrong = [each for each in machine.packages(["postgres", "clickhouse", "redis"], embedded=False) if each.fix]
    assert [(each.message, each.fix) for each in wrong] == [
        ("alembic 99.0 is not <2,>=1.16", "pip install 'provision-toolkit'"),
        ("clickhouse-connect 0.1 is not <2,>=1.12", "pip install 'provision-toolkit[clickhouse]'"),
        ("redis is not installed", "pip install 'provision-toolkit[redis]'"),
    ]


def old(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """These packages say that they have these versions."""
    real = metadata.version
    monkeypatch.setattr(machine.metadata, "version", lambda name: versions.get(name.replace("-", "_")) or real(name))


def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The validator has no part that provision asks it for, as those of jsonschema-rs before 0.41."""
    monkeypatch.setattr(check, "_broken", lambda *_: getattr(jsonschema_rs, "no_such_part"))  # noqa: B009


def mistaken(files: Path) -> None:
    (files / "redis/0009_mistaken.yaml").write_text("up:\n  - create_streem: {}\ndown: auto\n")


def test_unexpected_error_names_the_packages_that_are_outside_their_bounds(
    files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    mistaken(files)
    broken(monkeypatch)
    old(monkeypatch, jsonschema_rs="0.40.2", clickhouse_connect="0.1")
    named = "jsonschema-rs 0.40.2 is not <1,>=0.41, clickhouse-connect 0.1 is not <2,>=1.12"
    for name in ("SMALL_POSTGRES", "SMALL_CLICKHOUSE", "SMALL_REDIS"):
        monkeypatch.setenv(name, "redis://127.0.0.1:1" if name == "SMALL_REDIS" else NOWHERE[name])

    ran = provision("plan", "-e", "test")
    looked = provision("doctor", "-e", "test", "--output", "json")

    assert ran.code == 2
    assert ran.err.startswith(f"error[unsupported-package]: {named} (AttributeError: ")
    assert ran.err.endswith("  fix    pip install 'provision-toolkit[clickhouse]'\n")
    wrong = [each["message"] for each in json.loads(looked.out)["findings"] if each["severity"] == "error"]
    assert looked.code == 1
    assert wrong[:2] == named.split(", ")
    assert wrong[2].startswith(f"{named} (AttributeError: ")


def test_unexpected_error_with_packages_inside_their_bounds_stays_one(
    files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    mistaken(files)
    broken(monkeypatch)
    for name in ("SMALL_POSTGRES", "SMALL_CLICKHOUSE", "SMALL_REDIS"):
        monkeypatch.setenv(name, NOWHERE[name])
    ran = provision("plan", "-e", "test")
    assert (ran.code, ran.err.splitlines()[0].split(":")[0]) == (5, "error[unexpected]")


@pytest.mark.usefixtures("small")
def test_run_that_fails_for_a_package_names_it(monkeypatch: pytest.MonkeyPatch, provision: Provision) -> None:
    def lacking(*_: object) -> None:
        raise ImportError("cannot import name 'TextClause' from 'sqlalchemy'")

    monkeypatch.setattr("provision.stores.postgres.migrate.alembic_lane.AlembicLane.run", lacking)
    old(monkeypatch, sqlalchemy="1.4.54")
    ran = provision("up", "-e", "test", "--allow-destructive")
    assert ran.code == 5
    assert "error[unsupported-package]: sqlalchemy 1.4.54 is not <3,>=2.0.38 (ImportError: cannot import" in ran.err
    assert ran.err.endswith("  fix    pip install 'provision-toolkit'\n")


@pytest.mark.parametrize(("version", "bounds", "kept"), [("8.4", ">=8.4.0", True), ("8.3.9", ">=8.4.0", False)])
def test_version_with_fewer_numbers_than_its_bound(version: str, bounds: str, kept: bool) -> None:
    assert machine._within(version, bounds) is kept


def test_doctor_git_missing_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.git() == Finding("tools", Severity.WARNING, "machine", "git is not on PATH", "`apt-get install git`")


def test_doctor_folders_that_cannot_be_written_and_a_full_disk(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / ".provision").mkdir(mode=0o500)
    monkeypatch.setattr(machine.os, "access", lambda path, _mode: Path(path).stat().st_mode & 0o200 != 0)  # roots too
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 1 << 80)
    folder, disk = machine.folders(load(files), embedded=True)
    assert (folder.severity, disk.severity) == (Severity.ERROR, Severity.WARNING)
    for each in (folder, disk):
        [command] = re.findall("`([^`]+)`", each.fix)
        told = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    assert told.rstrip().endswith(str(files))
    assert next(machine.folders(load(files), embedded=True)).severity is Severity.FINE


@pytest.mark.parametrize(("ahead", "said"), [(90.4, "90 s ahead of"), (-7.0, "7 s behind")])
def test_doctor_clock_that_is_off(ahead: float, said: str) -> None:
    found = clock.differs("orders", ahead)
    assert (found.severity, found.message) == (Severity.WARNING, f"the server's clock is {said} this machine's")

"""What has a migration's name and is no file of the project is told, and never opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.projects import NOWHERE, refused
from tests.servers.command_line import Provision

PLACES = {
    "postgres": "alembic/versions/0009_odd.py",
    "a repeatable": "alembic/repeatable/odd.sql",
    "clickhouse": "clickhouse/009_odd.sql",
    "a way down": "clickhouse/002_event_counts.down.sql",
    "redis": "redis/0009_odd.yaml",
}


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 100 characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


ODD: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a named pipe": os.mkfifo,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link that leads nowhere": lambda path: path.symlink_to("gone"),
}


@pytest.fixture
def told(files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> Provision:
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)
    (files / "alembic" / "repeatable").mkdir()
    return provision


@pytest.mark.parametrize("sort", ODD)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_name_of_a_migration_that_is_no_file(files: Path, told: Provision, place: str, sort: str) -> None:
    path = files / place
    path.unlink(missing_ok=True)
    ODD[sort](path)
    refused(
        told("plan", "--offline"),
        2,
        f"""\
error[not-a-file]: {path.name} is {sort}, where a file should be
  where  {place}
  fix    put a file in its place, or give it another name
""",
    )


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_link_out_of_the_project_is_refused_and_one_within_is_read(
    files: Path, told: Provision, tmp_path: Path, place: str
) -> None:
    path = files / place
    text = path.read_text() if path.exists() else "SELECT 1;\n"
    path.unlink(missing_ok=True)
    outside = tmp_path / "outside"
    outside.write_text("root:x:0:0\n")
    path.symlink_to(outside)
    refused(
        told("plan", "--offline"),
        2,
        f"""\
error[outside-project]: {path.name} is a link to a file outside the project
  where  {place}
  fix    put the file itself in its place
""",
    )
    if path.suffix == ".sql":
        path.unlink()
        (files / "shared").write_text(text)
        path.symlink_to("../shared" if place.startswith("clickhouse") else "../../shared")
        assert told("plan", "--offline").code == 0


def test_suites_and_backfills_are_files_too(files: Path, told: Provision) -> None:
    for folder in ("checks", "backfills"):
        (files / folder).mkdir()
        os.mkfifo(files / folder / "odd.yaml")
    for words in (("validate", "-e", "test"), ("backfill", "status", "-e", "test")):
        ran = told(*words)
        assert (ran.code, "error[not-a-file]: odd.yaml is a named pipe" in ran.err) == (2, True), words


def test_alembic_that_names_its_places_itself_opens_no_pipe(files: Path, told: Provision) -> None:
    (files / "more").mkdir()
    (files / "alembic.ini").write_text(
        "[alembic]\nscript_location = alembic\nversion_locations = alembic/versions more\npath_separator = space\n"
    )
    os.mkfifo(files / "more" / "0009_odd.py")
    ran = told("plan", "--offline")
    assert (ran.code, "0009_odd.py is a named pipe" in ran.err) == (2, True), ran


def test_pressed_tab_opens_no_pipe(files: Path) -> None:
    from provision.cli.complete import revisions

    os.mkfifo(files / "alembic" / "versions" / "0009_odd.py")
    assert "postgres/0001" in revisions("postgres")

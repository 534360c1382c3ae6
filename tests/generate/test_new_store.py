"""A generated kind of store is a package of its own that is found, typed, and passes the contract suite as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate.new import main
from tests.servers.running import roomy

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("store") / "provision-tried"
    assert main(["store", "--name", "tried", "--to", str(place)]) == 0
    return place


@pytest.fixture(scope="module")
def site(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip put it into; only a process that is given it as PYTHONPATH finds the kind."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "-q", *OFFLINE, "--target", str(folder), str(made)]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
    return folder


def run(place: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    known = {
        **os.environ,
        "PYTHONPATH": str(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": roomy() or str(place.parent),
    }
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=place, env=known, capture_output=True, text=True, check=False)


def test_contract_suite_passes_before_the_first_change(made: Path, site: Path) -> None:
    ran = run(made, site, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "[tried]" in run(made, site, "pytest", "--co", "-q", "-p", "no:cacheprovider", "tests").stdout


def test_tools_of_the_clone_have_nothing_to_say(made: Path) -> None:
    style = ("--config", str(ROOT / "pyproject.toml"))
    for tool in (
        ("ruff", "format", "--check", *style, "."),
        ("ruff", "check", *style, "."),
        ("mypy", "--strict", "-p", "provision_tried"),
    ):
        ran = run(made, made, *tool)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_kind_is_found_by_its_entry_point(site: Path, tmp_path: Path) -> None:
    ran = run(tmp_path, site, "provision.cli.main", "schema", "tried")
    assert ran.returncode == 0, ran.stderr
    assert '"An SQLite migration"' in ran.stdout


def test_no_name_of_the_example_is_left(made: Path) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in made.rglob("*.*") if path.suffix in (".py", ".toml")}
    left = [str(path) for path, text in texts.items() if "provision_sqlite" in text or "SqliteStore" in text]
    assert (left, [path for path in texts if "sqlite" in path.name]) == ([], [])


@pytest.mark.parametrize(
    ("name", "said"), [("redis", "redis is a kind of provision's own"), ("Duck", "'Duck' is no name")]
)
def test_name_that_is_taken_or_none_is_refused(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "--name", name, "--to", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err.startswith(f"nothing more was written: {said}")
    assert not (tmp_path / "x").exists()

"""A copy of the clone in which everything was generated once, with names that are in nobody's way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.generate.new import main

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (
    ".git",
    ".venv*",
    ".provision",
    ".ruff_cache",
    ".mypy_cache",
    ".import_linter_cache",
    "__pycache__",
    "bench",
)
OPERATION, COMMAND = "tried_operation", "tried-command"
CHECKS = {"rows": "tried_rows", "table": "tried_table"}
STORES = ("arango", "influx", "redis", "weaviate")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clone as it is, with one operation of each store, a check of each sort and a command more."""
    place = tmp_path_factory.mktemp("generated") / "clone"
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*LEFT_OUT))
    if (ROOT / ".mypy_cache").is_dir():  # else mypy reads everything anew, which takes a minute
        shutil.copytree(ROOT / ".mypy_cache", place / ".mypy_cache")
    for store in STORES:
        assert main(["operation", "--store", store, "--name", OPERATION], place) == 0
    for of, name in CHECKS.items():
        assert main(["check", "--of", of, "--name", name], place) == 0
    assert main(["command", "--name", COMMAND, "--group", "Data"], place) == 0
    return place


@pytest.fixture(scope="session")
def run(copy: Path) -> Run:
    """Runs Python in the copy, whose files it imports."""

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)

    return ran

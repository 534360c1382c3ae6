"""The package, installed into a folder of its own, and a project with one store of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.seventh.shop import DOCUMENTS, PACKAGE, TOML, Shop


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip put the package into. Only a process that is given it as PYTHONPATH finds the package."""
    folder = tmp_path_factory.mktemp("seventh")
    source = shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    pip = [sys.executable, "-m", "pip", "install", "-q", *offline, "--target", str(folder / "site"), str(source)]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
    return folder / "site"


@pytest.fixture
def shop(tmp_path: Path, installed: Path) -> Shop:
    """A project with an SQLite store alone, which is the home too, and two documents; nothing is applied."""
    root = tmp_path / "shop"
    (root / "sqlite").mkdir(parents=True)
    (root / "provision.toml").write_text(TOML)
    for name, text in DOCUMENTS.items():
        (root / "sqlite" / f"{name}.yaml").write_text(text)
    return Shop(root, installed)


@pytest.fixture
def copied(shop: Shop, tmp_path: Path) -> Shop:
    """The same project on a copy of the installed package, of which a test may change files."""
    return Shop(shop.root, shutil.copytree(shop.site, tmp_path / "site"))

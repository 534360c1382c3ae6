"""Made-up trees for the tests of the measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from tests.house.source import Modules, read

Tree = Callable[[Mapping[str, str]], Modules]
"""Path below the root → text of the file; a path that ends in a slash is an empty package."""


@cache
def shipped(package: str = "provision") -> Modules:
    """A package of this checkout, parsed once."""
    return read(Path(__file__).parents[2], package)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes the files below a folder, and reads them as the modules of `provision`."""

    def write(files: Mapping[str, str]) -> Modules:
        for name, text in files.items():
            path = tmp_path / (f"{name}__init__.py" if name.endswith("/") else name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return read(tmp_path)

    return write

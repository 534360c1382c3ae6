"""Whole texts that a command prints, kept as files beside the tests: `pytest --force-regen` writes them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from pytest_regressions.file_regression import FileRegressionFixture


class Expected(Protocol):
    """Holds a text to `expected/MODULE/TEST.txt`; `part` tells a second text of the same test from the first."""

    def __call__(self, text: str, part: str = "") -> None: ...


@pytest.fixture
def expected(file_regression: FileRegressionFixture, request: pytest.FixtureRequest) -> Expected:
    """One file for all parameters of a test: what they print is the same."""
    module = Path(request.path)
    test = request.function.__name__.removeprefix("test_")

    def holds(text: str, part: str = "") -> None:
        name = f"{test}-{part}.txt" if part else f"{test}.txt"
        file = module.parent / "expected" / module.stem.removeprefix("test_") / name
        file_regression.check(text, fullpath=file)

    return holds

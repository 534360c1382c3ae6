"""Projects of several PostgreSQL stores, each with a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.several.project import Several
from tests.stores.postgres.projects import database

Make = Callable[..., Several]


@pytest.fixture
def several(tmp_path: Path, postgres_15: str) -> Iterator[Make]:
    """Makes a project of so many stores; whatever it started is ended."""
    with ExitStack() as stack:

        def made(count: int) -> Several:
            urls = [stack.enter_context(database(postgres_15, "several")) for _ in range(count)]
            project = Several(tmp_path, urls)
            stack.callback(project.clear)
            return project

        yield made

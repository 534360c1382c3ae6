"""Each chosen project once: its environment, what Alembic alone makes of it, and the line that it gets in the page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.adoption import environments, page
from tests.adoption.ground import Ground, database
from tests.adoption.projects import Adopted, chosen

_TAKEN: list[Taken] = []


@dataclass
class Taken:
    """A project, its environment, and what a run has shown of it."""

    project: Adopted
    place: Path
    server: str
    revisions: list[str] = field(default_factory=list)
    reference: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    same: set[str] = field(default_factory=set)

    @property
    def middle(self) -> str:
        """The revision half-way, in an order in which Alembic runs them."""
        return self.revisions[len(self.revisions) // 2 - 1]

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - begun

    def equal(self, what: str) -> None:
        """Note that this way has ended as Alembic's own."""
        self.same.add(what)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environments.wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def places(built: Path) -> Iterator[Mapping[Path, Future[Path]]]:
    """Pins → environment. One is installed after the other, while the projects of those before are moved."""
    pool = ThreadPoolExecutor(1)
    wanted = {environments.pins(each): each for each in chosen()}
    yield {pins: pool.submit(environments.environment, each, built) for pins, each in wanted.items()}
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module", params=chosen(), ids=lambda project: project.name)
def taken(
    request: pytest.FixtureRequest, places: Mapping[Path, Future[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Taken:
    """A project whose reference database Alembic alone has upgraded."""
    server = request.getfixturevalue(request.param.server)
    place = places[environments.pins(request.param)].result()
    found = Taken(request.param, place, server)
    _TAKEN.append(found)
    with database(server, f"adopt_{found.project.name}_alone") as url:
        alone = Ground(found.project, place, tmp_path_factory.mktemp(found.project.name) / "alone", url)
        alone.write()
        with found.timed("alembic"):
            lines = alone.alembic("upgrade:heads", "revisions").splitlines()
        found.revisions = [line.split()[1] for line in lines if line.startswith("revision ")]
        found.reference = alone.left()
        assert len(found.reference["current"]) == len(found.reference["heads"]) > 0
    return found


@pytest.fixture
def ground(taken: Taken, tmp_path: Path) -> Iterator[Callable[[str], Ground]]:
    """Makes a folder and an empty database of the project."""
    with ExitStack() as stack:

        def make(name: str) -> Ground:
            url = stack.enter_context(database(taken.server, f"adopt_{taken.project.name}_{name}"))
            made = Ground(taken.project, taken.place, tmp_path / name, url)
            made.write()
            return made

        yield make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [page.row(each) for each in _TAKEN]
    if rows:
        terminalreporter.section("adopted")
        for line in page.table(rows):
            terminalreporter.line(line)
        if os.environ.get("ADOPT_PAGE"):
            page.write(rows)

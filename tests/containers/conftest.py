"""Containers for the whole module, and a list of what ran in one and what did not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest

from tests.containers import engine
from tests.containers.boxes import BOXES, Box, Running, running
from tests.servers import databases

# Read once, when the library is imported: its own sweeper is an image that a registry would have to give.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
_LISTED: dict[str, str] = {}


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Any]:
    try:
        with engine.engine() as client:
            yield client
    except engine.Absent as absent:
        for name in BOXES:
            _LISTED[name] = f"not run: {absent}"
        say = pytest.fail if engine.official() else pytest.skip
        say(f"not run: {', '.join(BOXES)}: {absent}")


@pytest.fixture(scope="session")
def stack(docker_engine: Any) -> Iterator[ExitStack]:
    """What is to end with the session; no container, network or volume may be left that was not there before."""
    before = engine.state(docker_engine)
    with ExitStack() as made:
        yield made
    after = engine.state(docker_engine)
    assert [f"{kind}: {name}" for kind, names in after.items() for name in names - before[kind]] == []


@pytest.fixture(scope="session")
def box(docker_engine: Any, stack: ExitStack) -> Callable[[str], Running]:
    """Gives the container of a name, started once. Raises engine.Absent."""
    started: dict[str, Running] = {}

    def give(name: str) -> Running:
        if name not in started:
            try:
                tag = engine.image_of(docker_engine, BOXES[name])
            except engine.Absent as absent:
                _LISTED[name] = f"not run: {absent}"
                if engine.official():
                    pytest.fail(f"not run: {name}: {absent}")
                raise
            started[name] = stack.enter_context(running(BOXES[name], tag, str(os.getpid())))
            _LISTED[name] = f"ran in a container of {tag}, ready in {started[name].seconds:.1f} s"
        return started[name]

    return give


@contextmanager
def outside(box: Box) -> Iterator[Running]:
    """What takes a store's part where its image cannot be had, so that the others can be moved with it."""
    if box.name in ("POSTGRES", "CLICKHOUSE", "REDIS"):
        with databases.embedded_url(box.store) as url:
            yield Running(box.store, "the embedded engine", {"url": url}, container=False)
    elif box.name == "ARANGO":
        from tests.doubles.arango import arango_double

        with arango_double() as url:
            yield Running(box.store, "the contract double", {"url": f"{url}/vfr"}, container=False)
    else:
        native: AbstractContextManager[Any] = databases.Influx1() if box.store == "influx" else databases.Weaviate()
        with native as server:
            yield Running(box.store, server.what, {"url": server.url}, container=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _LISTED:
        terminalreporter.section("containers")
        for name in BOXES:
            terminalreporter.line(f"  {name.lower():<11} {_LISTED.get(name, 'not run: not asked for')}")

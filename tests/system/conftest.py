"""The shipped databases on each set of servers, brought up once by the installed program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from . import sites
from .sites import Site


@contextmanager
def brought_up(name: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site on that set of servers, which the installed program brought up from nothing."""
    if name == "embedded":
        made = sites.embedded()
    else:
        made = sites.debian(request.getfixturevalue("postgres_15"), request.getfixturevalue("redis_7"))
    with made as site:
        first = site.spawn("up", "--env", site.environment)
        assert first.code == 0, first.err
        assert first.last.startswith(f"{len(site.versioned())} applied, {len(sites.REPEATABLES)} skipped in ")
        yield site


@pytest.fixture(scope="package")
def seen() -> dict[str, dict[str, str]]:
    """Set of servers → the schema that the first `up` made there."""
    return {}


@pytest.fixture(scope="package", params=sites.SETS)
def started(request: pytest.FixtureRequest, seen: dict[str, dict[str, str]]) -> Iterator[Site]:
    with brought_up(request.param, request) as site:
        seen[request.param] = site.schema()
        yield site


@pytest.fixture(scope="package")
def schemas(request: pytest.FixtureRequest, seen: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The schema on every set of servers, whichever tests ran before."""
    for name in sites.SETS:
        if name not in seen:
            with brought_up(name, request) as site:
                seen[name] = site.schema()
    return seen


@pytest.fixture
def site(started: Site) -> Site:
    """A site at its heads, without rows."""
    started.good("up")
    return started


@pytest.fixture(scope="module")
def used(started: Site) -> Iterator[Site]:
    """A site whose rows and keys are gone after the module: `down` takes them along."""
    started.good("up")
    yield started
    started.good(*sites.ALL_DOWN)

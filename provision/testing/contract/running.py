"""Runs every test of the suite on every case that has what the test is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from provision.testing.contract.bench import Bench
from provision.testing.contract.case import Case

Test = TypeVar("Test", bound=Callable[..., None])
_NEEDS = "needs_of_the_case"


def needs(attribute: str) -> Callable[[Test], Test]:
    """Mark a test as one for the cases alone whose attribute of that name says yes: `@needs("leases")`."""

    def marked(test: Test) -> Test:
        setattr(test, _NEEDS, attribute)
        return test

    return marked


def needed(test: Callable[..., None]) -> str | None:
    """The attribute that a case must have for the test; None for a test that is for every case."""
    return getattr(test, _NEEDS, None)


def run_on(cases: Mapping[str, type[Case]]) -> tuple[Callable[[pytest.Metafunc], None], Any]:
    """The hook `pytest_generate_tests` and the fixture `bench`, for a conftest.py or a file of tests.

    Each test that takes `bench` is run on each case, by the name that `cases` gives it. One that no case has the part
    for is skipped with that reason.
    """

    def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
        if "bench" in metafunc.fixturenames:
            attribute = needed(metafunc.function)
            chosen = [name for name, case in cases.items() if attribute is None or getattr(case, attribute)]
            metafunc.parametrize("bench", chosen or [_nobody(attribute)], indirect=True)

    @pytest.fixture
    def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
        kind = cases[request.param]
        case = kind(request.getfixturevalue(kind.server) if kind.server else "")
        try:
            yield Bench(case, tmp_path)
        finally:
            case.close()

    return pytest_generate_tests, bench


def _nobody(attribute: str | None) -> Any:
    return pytest.param("", id="nobody", marks=pytest.mark.skip(f"no case has {attribute}"))

"""A server that hangs, loses an answer, or dies between two operations: the next run finishes what was begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.errors import FailedError
from provision.model import Report
from provision.stores.arango import server as module
from provision.testing.contract.bench import Bench
from tests.contract.case_arango import ArangoCase
from tests.stores.arango.conftest import PASSWORD
from tests.stores.arango.gate import Fault, Gate

INDEX = ("POST", "/_api/index")
ROWS = ("POST", "/_api/document/b")


@pytest.fixture
def bench(barred: Gate, tmp_path: Path) -> Iterator[Bench]:
    case = ArangoCase(f"http://root:{PASSWORD}@127.0.0.1:{barred.port}")
    yield Bench(case, tmp_path)
    barred.rule = lambda _method, _path: None
    case.close()


def nth(method: str, path: str, number: int, fault: Fault, *, after: bool = False) -> Callable[[str, str], Fault]:
    """The fault at the `number`th such request; with `after`, at every request from then on."""
    met = 0

    def rule(asked: str, place: str) -> Fault:
        nonlocal met
        if asked == method and path in place:
            met += 1
            return fault if met == number else None
        return fault if after and met >= number else None

    return rule


def failed(report: Report) -> tuple[str, str, str, str]:
    [failure] = report.failures
    error = failure.error
    assert isinstance(error, FailedError)
    return error.code, error.what, error.where, error.fix


def finished(bench: Bench, barred: Gate) -> None:
    """The next run ends well, with everything applied once, as an undisturbed run would leave it."""
    barred.rule = lambda _method, _path: None
    report = bench.up()
    assert (report.failures, report.remaining) == ((), ())
    assert set(bench.net().values()) == {1}
    assert bench.case.seen() == [
        "a: type 2 [\"by_name: persistent ['name'] False\", \"primary: primary ['_key'] True\"]",
        "b: type 2 [\"by_size: persistent ['size'] False\", \"primary: primary ['_key'] True\"]",
        '{"_id": "b/one", "_key": "one", "size": 1}',
    ]


def test_hangs_after_accepting(bench: Bench, barred: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
    barred.rule = nth(*ROWS, 1, "hang")
    assert failed(bench.up()) == (
        "server-lost",
        "the server went away during a run: the time ran out",
        f"http://127.0.0.1:{barred.port}",
        "see that it runs, then run the same command again: what was in flight is probed first",
    )
    finished(bench, barred)


@pytest.mark.parametrize("place", [INDEX, ROWS])
def test_answer_is_lost(bench: Bench, barred: Gate, place: tuple[str, str]) -> None:
    barred.rule = nth(*place, 2 if place == INDEX else 1, "lost")
    code, what, _where, _fix = failed(bench.up())
    assert (code, what.split(":")[0]) == ("server-lost", "the server went away during a run")
    finished(bench, barred)


def test_dies_between_two_operations(bench: Bench, barred: Gate) -> None:
    barred.rule = nth(*INDEX, 2, "cut", after=True)
    code, what, where, fix = failed(bench.up())
    assert (code, what.split(":")[0]) == ("server-lost", "the server went away during a run")
    assert where == f"http://127.0.0.1:{barred.port}"
    assert fix == "see that it runs, then run the same command again: what was in flight is probed first"
    finished(bench, barred)


def test_busy_for_a_moment(bench: Bench, barred: Gate) -> None:
    busy = 503, {"error": True, "code": 503, "errorNum": 503, "errorMessage": "service unavailable"}
    barred.rule = nth(*ROWS, 1, busy)
    finished_at_once = bench.up()
    assert (finished_at_once.failures, finished_at_once.remaining) == ((), ())
    finished(bench, barred)

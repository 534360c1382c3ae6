"""A server that dies between two operations, or falls silent in one: told, and finished by the next run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.errors import FailedError
from provision.model import Began, RunEvent
from provision.net.http import Answer, Http
from provision.stores.influx.version_1 import Server1
from provision.testing.contract.bench import Bench
from provision.testing.contract.case import NUMBERS
from tests.contract.case_influx import Influx1Case
from tests.servers.databases import Influx1
from tests.stores.influx.conftest import shown
from tests.stores.influx.stand_in import Gate

FIX = "see that it runs, then run the same command again: what was in flight is probed first"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Influx1]:
    with Influx1(tmp_path / "influxd") as made:
        assert isinstance(made, Influx1)
        yield made


@pytest.fixture
def bench(server: Influx1, tmp_path: Path) -> Bench:
    return Bench(Influx1Case(server.url), tmp_path)


def finished(bench: Bench) -> None:
    report = bench.up()
    assert (report.failures, report.remaining) == ((), ())
    assert bench.net() == {f"influx/{number}": 1 for number in NUMBERS}
    assert [row.split('"')[1] for row in bench.case.seen()] == ["autogen", "hourly", "late_1h", "raw", "requests_1h"]


@pytest.mark.parametrize("statement", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_up_server_dies_between_two_operations_is_finished_by_the_next_run(
    bench: Bench, server: Influx1, monkeypatch: pytest.MonkeyPatch, statement: int, after: bool
) -> None:
    run, sent = Server1.run, []

    def dying(self: Server1, text: str) -> None:
        if text.startswith("CREATE") and "provision_" not in text:
            sent.append(text)
        dies = len(sent) == statement + 1  # of the second revision
        if dies and not after:
            server.kill()
        run(self, text)
        if dies and after:
            server.kill()

    monkeypatch.setattr(Server1, "run", dying)
    report = bench.up()
    monkeypatch.setattr(Server1, "run", run)

    (failure,) = report.failures
    assert isinstance(failure.error, FailedError)
    assert failure.error.code == "server-lost"
    assert [each.step.id for each in report.done] == ["influx/001"]
    server.start_again()
    finished(bench)


def _impatient(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait a minute for what is behind a silent gate; for all else, as long as a busy machine needs."""
    call = Http.call

    def hurried(self: Http, *what: Any, seconds: float | None = None, **how: Any) -> Answer:
        silent = gate.silent.is_set() and self.shown.endswith(f":{gate.port}")
        return call(self, *what, seconds=0.3 if silent else seconds, **how)

    monkeypatch.setattr(Http, "call", hurried)


def test_up_server_that_accepts_and_falls_silent_is_given_up_and_finished_by_the_next_run(
    bench: Bench, server: Influx1, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate("127.0.0.1", server.listens[0])
    direct, bench.case.url = bench.case.url, f"http://root:word@127.0.0.1:{gate.port}"
    run = Server1.run

    def silenced(self: Server1, text: str) -> None:
        if text.startswith("CREATE RETENTION POLICY"):
            gate.silent.set()
        run(self, text)

    monkeypatch.setattr(Server1, "run", silenced)
    _impatient(gate, monkeypatch)
    try:
        report = bench.up()
    finally:
        gate.close()

    (failure,) = report.failures
    assert isinstance(failure.error, FailedError)
    assert shown(failure.error) == (
        f"the server went away during a run: the time ran out | http://127.0.0.1:{gate.port} | {FIX} [server-lost 5]"
    )
    assert [each.step.id for each in report.done] == ["influx/001"]
    assert any('"raw"' in row for row in bench.case.seen())  # it was done all the same
    monkeypatch.setattr(Server1, "run", run)
    bench.case.url = direct
    finished(bench)


def test_up_server_that_falls_silent_before_an_entry_is_told(
    bench: Bench, server: Influx1, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate("127.0.0.1", server.listens[0])
    direct, bench.case.url = bench.case.url, f"http://root:word@127.0.0.1:{gate.port}"
    _impatient(gate, monkeypatch)

    def hear(happening: RunEvent) -> None:
        if isinstance(happening, Began) and happening.step.id == "influx/002":
            gate.silent.set()

    bench.hear = hear
    try:
        report = bench.up()
    finally:
        gate.close()

    (failure,) = report.failures
    assert isinstance(failure.error, FailedError)
    assert shown(failure.error) == (
        f"no answer: the time ran out | http://127.0.0.1:{gate.port} | bring the server back and run the same command"
        " again: it finds out what became of the last statement [server-lost 5]"
    )
    bench.case.url, bench.hear = direct, bench.told.append
    finished(bench)

"""A server that hangs or dies in the middle of a run, and a very large document: each is finished afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from provision.errors import FailedError
from provision.model import Began, RunEvent, StateName
from provision.stores.weaviate import server
from provision.testing.contract.bench import Bench
from provision.testing.contract.case import NUMBERS
from tests.contract.case_weaviate import WeaviateCase
from tests.servers.databases import Weaviate
from tests.stores.weaviate.conftest import up
from tests.stores.weaviate.raw import Raw

IDS = [f"weaviate/{number}" for number in NUMBERS]


class Swallower(ThreadingHTTPServer):
    """Passes requests on; `swallow` is a request whose answer never comes, whatever the server behind it did."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind, self.swallow = behind, ""
        self.pool = urllib3.PoolManager()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Swallower

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {"content-type": "application/json"}
        url = f"{self.server.behind}{self.path}"
        answer = self.server.pool.request(self.command, url, body=body, headers=headers, retries=False)
        if self.server.swallow and self.server.swallow in f"{self.command} {self.path} {body.decode()}":
            self.server.closing.wait(20)
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("content-length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    do_GET = do_POST = do_PUT = do_DELETE = _pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def swallower(raw: Raw) -> Iterator[Swallower]:
    made = Swallower(raw.url)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.closing.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second without an answer is long enough."""
    monkeypatch.setattr(server, "ANSWER_SECONDS", 1.0)


def lost(bench: Bench, failed: str, done: list[str]) -> FailedError:
    """What a run says whose server is lost at revision `failed`."""
    report = bench.up()
    assert [each.step.id for each in report.done] == done
    [failure] = report.failures
    assert failure.step.id == failed
    assert isinstance(failure.error, FailedError)
    assert failure.error.code == "server-lost"
    assert bench.standings()["weaviate"].standings[failed].state.name in (StateName.STARTED, StateName.FAILED)
    return failure.error


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "request_of",
    ['POST /v1/schema {"class": "B1"', "POST /v1/aliases", "POST /v1/schema/B1/tenants"],
)
def test_answer_that_never_comes_is_given_up_and_the_next_run_finishes(
    tmp_path: Path, swallower: Swallower, request_of: str
) -> None:
    case = WeaviateCase(swallower.behind)
    case.url = swallower.url
    bench = Bench(case, tmp_path)
    swallower.swallow = request_of

    error = lost(bench, IDS[1], IDS[:1])

    assert error.what == "the server went away during a run: the time ran out"
    assert error.where == swallower.url
    assert error.fix == "see that it runs, then run the same command again: what was in flight is probed first"
    swallower.swallow = ""
    assert [each.step.id for each in bench.up().done] == IDS[1:]
    assert bench.net() == dict.fromkeys(IDS, 1)
    case.close()


@pytest.mark.usefixtures("impatient")
def test_ledger_entry_whose_answer_never_came_counts_once(tmp_path: Path, swallower: Swallower) -> None:
    case = WeaviateCase(swallower.behind)
    case.url = swallower.url
    bench = Bench(case, tmp_path)
    swallower.swallow = '"kind": "applied"'

    lost_error = bench.up().failures[0].error

    assert isinstance(lost_error, FailedError)
    assert lost_error.code == "server-lost"
    swallower.swallow = ""
    assert [each.step.id for each in bench.up().done] == IDS[1:]
    assert bench.net() == dict.fromkeys(IDS, 1)
    case.close()


def test_server_killed_between_two_operations_and_started_again(tmp_path: Path) -> None:
    place = tmp_path / "server"
    weaviate = Weaviate(place)
    weaviate.launch()
    try:
        weaviate.wait()
        _killed_between(weaviate, tmp_path / "project")
    finally:
        weaviate.stop()


def _killed_between(weaviate: Weaviate, root: Path) -> None:
    root.mkdir()
    case = WeaviateCase(weaviate.url)
    bench = Bench(case, root)

    def kill(happening: RunEvent) -> None:
        if isinstance(happening, Began) and happening.step.id == IDS[1]:
            weaviate.kill()

    bench.hear = kill
    report = bench.up()
    assert [each.step.id for each in report.done] == IDS[:1]
    error = report.failures[0].error
    assert isinstance(error, FailedError)
    assert (error.code, error.what) == (
        "server-lost",
        "the server went away during a run: nothing listens there",
    )

    weaviate.start_again()
    bench.hear = bench.told.append
    assert [each.step.id for each in bench.up().done] == IDS[1:]
    assert bench.net() == dict.fromkeys(IDS, 1)
    case.close()


def test_document_of_five_megabytes_is_carried_out(tmp_path: Path, raw: Raw) -> None:
    case = WeaviateCase(raw.url)
    bench = Bench(case, tmp_path)
    text = "long " * 1_000_000
    (bench.folder / "003_third.yaml").write_text(up(f"create_collection: {{class: C1, description: {text}end}}"))

    assert [each.step.id for each in bench.up().done] == IDS
    assert raw.get("/schema/C1")["description"] == f"{text}end"
    assert [each.step.id for each in bench.down().done] == IDS[::-1]
    case.close()

"""Runs over two stores that are killed, cut off or restored: every edge is there in the end, and none twice."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.backfill.workers import WorkerOptions
from tests.backfill import project
from tests.backfill.graph import Graph, at_advance, chain, laid_out
from tests.servers.command_line import Provision
from tests.stores.arango.gate import gate

_LOG = ("follows", "provision_backfills", "provision_ledger")


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, arango: str) -> Iterator[Graph]:
    with laid_out(tmp_path, monkeypatch, url, arango) as made:
        yield made


def die() -> None:
    raise RuntimeError("gone")


@pytest.mark.parametrize("instant", range(1, 5))
def test_a_run_that_ends_after_a_batch_and_before_its_cursor_doubles_nothing(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    graph.sow(150)
    at_advance(monkeypatch, instant, die)
    first = provision("backfill", "run", "follows")
    before = graph.edges()

    second = provision("backfill", "run", "follows", "-o", "json")

    assert (first.code, second.code) == (5, 0)
    assert json.loads(second.out)["rows_done"] == 149
    assert graph.ends() == chain(150)
    assert before.items() <= graph.edges().items()


def test_killed_run_goes_on_from_its_cursor(graph: Graph, provision: Provision) -> None:
    graph.sow(600)
    started = project.process(graph.place, "backfill", "run", "follows", "--rate", 150)
    try:
        project.until(lambda: graph.count() > 100, seconds=100)
    finally:
        os.kill(started.pid, signal.SIGKILL)
        project.ended(started)
    [standing] = json.loads(provision("backfill", "status", "follows", "-o", "json").out)
    assert standing["state"] == "interrupted"
    assert standing["cursor"]["after"] is not None
    assert 0 < standing["rows_done"] < 599

    ran = provision("backfill", "resume", "follows", "-o", "json")

    assert (ran.code, json.loads(ran.out)["run"], json.loads(ran.out)["rows_done"]) == (0, standing["run"], 599)
    assert graph.ends() == chain(600)


def test_row_that_comes_behind_the_cursor_is_found(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(150)
    graph.vertices("late")
    add = "insert into models (id, n, name, parent, tenant) values ('00000000-0000-0000-0000-000000000000', 0, 'late',"
    at_advance(monkeypatch, 3, lambda: graph.execute(f"{add} 'm1', 'acme')"))

    assert provision("backfill", "run", "follows").code == 0
    assert graph.ends() == chain(150) | {("m1-late", "nodes/m1", "nodes/late")}


def test_row_behind_the_cursor_does_not_count_rows_passed_over_twice(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(150)
    graph.vertices("late")
    graph.raw.ask("DELETE", "/_api/document/nodes/m150")
    add = "insert into models (id, n, name, parent, tenant) values ('00000000-0000-0000-0000-000000000000', 0, 'late',"
    at_advance(monkeypatch, 3, lambda: graph.execute(f"{add} 'm1', 'acme')"))

    ran = provision("backfill", "run", "follows", "--skip-failed", 1)

    assert ran.err.startswith("error[rows-skipped]: 1 rows")
    assert graph.ends() == chain(150, 150) | {("m1-late", "nodes/m1", "nodes/late")}


def test_restored_target_begins_from_its_own_cursor(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(200)
    provision("backfill", "status", "follows")
    at_advance(monkeypatch, 3, die)
    assert provision("backfill", "run", "follows").code == 5
    backup = {name: graph.all_of(name) for name in _LOG if name != "provision_ledger"}
    [before] = json.loads(provision("backfill", "status", "follows", "-o", "json").out)
    assert provision("backfill", "run", "follows").code == 0

    for name in _LOG:
        graph.put_back(name, backup.get(name, []))

    [after] = json.loads(provision("backfill", "status", "follows", "-o", "json").out)
    assert (after["cursor"], after["rows_done"]) == (before["cursor"], before["rows_done"])
    ran = provision("backfill", "run", "follows", "-o", "json")
    assert (ran.code, json.loads(ran.out)["run"], json.loads(ran.out)["rows_done"]) == (0, before["run"], 199)
    assert graph.ends() == chain(200)


def test_answer_that_is_lost_is_asked_for_again(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(150)
    answers = itertools.count()
    written = {("POST", "follows"), ("PUT", "provision_backfills")}

    def lost(method: str, path: str) -> bool:
        ours = any(method == verb and f"/document/{name}" in path for verb, name in written)
        return ours and next(answers) % 3 == 0

    with gate(graph.raw.server) as way:
        way.rule = lambda method, path: "lost" if lost(method, path) else None
        host = graph.raw.server.removeprefix("http://")
        monkeypatch.setenv("SHOP_ARANGO", graph.raw.url.replace(host, f"127.0.0.1:{way.port}"))
        ran = provision("backfill", "run", "follows", "-o", "json")

    assert next(answers) > 5
    assert ran.code == 0, ran.out
    assert json.loads(ran.out)["rows_done"] == 149
    assert graph.ends() == chain(150)


def test_source_that_goes_away_for_a_moment_is_waited_for(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.sow(200)
    others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
    at_advance(monkeypatch, 2, lambda: graph.execute(f"{others} and pid <> pg_backend_pid()"))

    assert provision("backfill", "run", "follows").code == 0
    assert graph.ends() == chain(200)


def test_source_that_stays_away_interrupts_the_run_which_goes_on_later(
    graph: Graph, provision: Provision, monkeypatch: pytest.MonkeyPatch, postgres_18: str
) -> None:
    graph.sow(200)
    name = urlsplit(graph.url).path.removeprefix("/")
    monkeypatch.setattr("provision.cli.backfill.WorkerOptions", partial(WorkerOptions, patience=0.3))

    def shut(allowed: str) -> None:
        with psycopg.connect(postgres_18, autocommit=True) as server:
            server.execute(f"alter database {name} allow_connections {allowed}".encode())
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])

    at_advance(monkeypatch, 2, lambda: shut("false"))
    lost = provision("backfill", "run", "follows")
    shut("true")
    [standing] = json.loads(provision("backfill", "status", "follows", "-o", "json").out)

    assert (lost.code, lost.err.split(":")[0], standing["state"]) == (5, "error[server-lost]", "interrupted")
    assert provision("backfill", "resume", "follows").code == 0
    assert graph.ends() == chain(200)

"""`make bench-testing`: a database for each test, from the warm pool, from pytest-postgresql and from a plain clone."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench import contenders, projects, report
from bench.contenders import at
from tests.servers.engines import embedded_url

ROOT = Path(__file__).parents[1]
REVISIONS, TESTS, BOUND_MS = 100, 40, 15.0
PEER = ("pytest-postgresql", "psycopg[binary]", "pytest")
MODEL = "model"
# Each test works for so long; without any work, a pool can only hand out what it makes meanwhile.
WORK = {"tests of 100 ms": 0.1, "tests of 0 ms": 0.0}
_RECORD = """\
import json, os, time
import psycopg, pytest

_seconds = {}


def pytest_runtest_logreport(report):
    if report.when != "call":
        _seconds[report.nodeid] = _seconds.get(report.nodeid, 0) + report.duration


def pytest_sessionfinish():
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(list(_seconds.values())[1:], file)  # the first one waits for what is made once
"""
_OURS = """
from provision.testing.databases import ClonePool, provisioned_postgres


@pytest.fixture(scope="session")
def provisioned_postgres_pool():
    pool = ClonePool(os.environ["BENCH_URL"])
    yield pool
    pool.close()


@pytest.fixture
def database(provisioned_postgres):
    with psycopg.connect(provisioned_postgres) as connection:
        yield connection
"""
_PLAIN = """
from urllib.parse import urlsplit

_model = os.environ["BENCH_URL"]
_numbers = iter(range(10**6))


@pytest.fixture
def database():
    name = f"plain_{next(_numbers)}"
    with psycopg.connect(urlsplit(_model)._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"create database {name} template model")
        with psycopg.connect(urlsplit(_model)._replace(path=f"/{name}").geturl()) as connection:
            yield connection
        server.execute(f"drop database {name} with (force)")
"""
_PEER = """
import subprocess
from pytest_postgresql import factories


def load(host, port, user, dbname, password, **_):
    url = f"postgresql://{user}@/{dbname}?host={host}&port={port}"
    subprocess.run([os.environ["BENCH_PROVISION"], "up"], check=True, env={**os.environ, "BENCH_URL": url},
                   cwd=os.environ["BENCH_PROJECT"], stdin=-3, stdout=-3)


_server = factories.postgresql_noproc(host=os.environ["BENCH_HOST"], port=5432, user="postgres", load=[load])
database = factories.postgresql("_server")
"""
_TESTS = """\
import time
import pytest


@pytest.mark.parametrize("number", range({count}))
def test_has_a_database(database, number):
    assert database.execute("select count(*) from pg_class where relname = 'written'").fetchone()[0] == 0
    database.execute("create table written (id int)")
    time.sleep({work})
"""


@dataclass
class Contender:
    """A conftest.py and the Python that runs it; `seconds` are what its fixtures took, by the kind of tests."""

    name: str
    conftest: str
    python: str
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self, folder: Path, variables: Mapping[str, str]) -> None:
        for kind, work in WORK.items():
            place = folder / f"{self.name} {kind}"
            place.mkdir(exist_ok=True)
            (place / "conftest.py").write_text(_RECORD + self.conftest)
            (place / "test_databases.py").write_text(_TESTS.format(count=TESTS + 1, work=work))
            out = place / "seconds.json"
            given = {**os.environ, **variables, "BENCH_OUT": str(out)}
            line = [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
            done = subprocess.run(line, cwd=place, env=given, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                raise RuntimeError(f"{self.name}: {done.stdout[-3000:]}{done.stderr[-1000:]}")
            self.seconds.setdefault(kind, []).extend(json.loads(out.read_text()))

    def lines(self) -> Iterator[str]:
        for kind, taken in self.seconds.items():
            high = quantiles(taken, n=20)[-1]
            yield f"| {self.name} | {kind} | **{median(taken) * 1000:.1f} ms** | {high * 1000:.1f} ms | {len(taken)} |"


def main() -> int:
    """0 when the warm pool keeps its bound, 1 when it does not."""
    parser = argparse.ArgumentParser(prog="python -m bench.testing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as place, embedded_url("postgres") as url:
        folder = Path(place)
        peer = installed(folder / "peer")
        ours = Contender("`provisioned_postgres`", _OURS, sys.executable)
        all_of_them = [
            ours,
            Contender(named(peer), _PEER, peer),
            Contender("plain template clone", _PLAIN, sys.executable),
        ]
        with served(folder, url) as variables:
            for number in range(given.rounds):
                for each in all_of_them[number:] + all_of_them[:number]:
                    each.run(folder, variables)
                    print(f"round {number + 1}  {each.name}", flush=True)
    warm = median(ours.seconds["tests of 100 ms"]) * 1000
    text = _text([line for each in all_of_them for line in each.lines()], warm)
    print(f"\n{text}")
    if not given.no_write:
        report.write("A database for each test", text, ROOT)
    return 0 if warm <= BOUND_MS else 1


def installed(place: Path) -> str:
    """The Python of an environment with the peer, which is no dependency of ours."""
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = str(place / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEER], check=True)
    return python


def named(python: str) -> str:
    """The peer with its version."""
    ask = "from importlib.metadata import version; print(version('pytest-postgresql'))"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    return f"pytest-postgresql {done.stdout.strip()}"


@contextmanager
def served(folder: Path, url: str) -> Iterator[dict[str, str]]:
    """The variables of a run: the migrated model, and where its server is. It keeps nothing on disk, for anybody."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
        connection.execute(f"create database {MODEL}".encode())
    project = projects.postgres(folder / "project", REVISIONS)
    contenders.provision(project, at(url, MODEL), "up").seconds()
    yield {
        "BENCH_URL": at(url, MODEL),
        "BENCH_HOST": parse_qs(urlsplit(url).query)["host"][0],
        "BENCH_PROVISION": str(Path(sys.executable).with_name("provision")),
        "BENCH_PROJECT": str(project),
        "PROVISION_ENV": "bench",
        "PYTHONPATH": str(ROOT),
    }


def _text(lines: list[str], warm: float) -> str:
    said = "met" if warm <= BOUND_MS else "missed"
    listed = "\n".join(lines)
    return f"""\
`make bench-testing`: what the fixture of a test takes, set-up and the end of it together, a connection included, of a
database of {REVISIONS} revisions on one embedded PostgreSQL without fsync; {TESTS} tests a round, in one process. All
have a template made before; `provisioned_postgres` hands out clones that a thread made while the test before worked.

| | of | median | p95 | tests |
| --- | --- | --- | --- | --- |
{listed}

Bound: the warm pool (tests of 100 ms) ≤ {BOUND_MS:.0f} ms: {said}, {warm:.1f} ms. Tests that do nothing wait for
the pool.

Measured {report.when_and_where()}.
"""


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-before`: an `up` of a thousand revisions beside an earlier commit, and two PostgreSQL stores."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench import projects, report
from bench.contenders import Command
from bench.idle import BEFORE, ENTRY, exported, plugged
from bench.rounds import Pair
from bench.rounds import run as run_pairs
from bench.stores import ROOT
from provision.embedded import engine

ONE, HALF = 1_000, 500
EQUAL, TWO = 1.0, 1.4


class Bench:
    """Projects of generated revisions on one embedded server, in databases that are made anew for every run."""

    def __init__(self, folder: Path, url: str, before: str) -> None:
        self._url = url
        self._packages = {name: folder / name for name in ("HEAD", before)}
        for commit, place in self._packages.items():
            plugged(exported(commit, place))
        self._one = projects.postgres(folder / "one", ONE)
        self._half = projects.postgres(folder / "half", HALF)
        self._two = _doubled(projects.postgres(folder / "two", HALF))

    def thousand(self, commit: str) -> float:
        """Seconds of an `up` of a thousand revisions, by the package of a commit."""
        return self._up(self._one, self._packages[commit])

    def both(self) -> float:
        return self._up(self._two, self._packages["HEAD"])

    def alone(self) -> float:
        return self._up(self._half, self._packages["HEAD"])

    def _up(self, project: Path, package: Path) -> float:
        urls = {name: self._emptied(database) for name, database in (("BENCH_URL", "bench"), ("OTHER_URL", "other"))}
        variables = {**urls, "PYTHONPATH": str(package), "PROVISION_ENV": "bench", "PYTHONHASHSEED": "0"}
        return Command((sys.executable, "-P", "-c", ENTRY, "up"), project, variables).seconds()

    def _emptied(self, database: str) -> str:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"drop database if exists {database} with (force)".encode())
            connection.execute(f"create database {database}".encode())
        return re.sub(r"/[^/?]+\?", f"/{database}?", self._url)


def _doubled(project: Path) -> Path:
    """The project with its PostgreSQL store a second time, in another folder and database."""
    shutil.copytree(project / "alembic", project / "other")
    stated = (project / "provision.toml").read_text()
    second = '[stores.other]\nkind = "postgres"\npath = "other"\n[environments.bench]\nother.url = "${OTHER_URL}"\n'
    (project / "provision.toml").write_text(stated.replace("[environments.bench]\n", second))
    return project


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        server = engine("postgres", "postgres", folder / "engine")
        stack.callback(server.reset)
        bench = Bench(folder, str(server.start().url), given.before)
        pairs = [
            Pair(
                f"up, {ONE:,} revisions of PostgreSQL",
                lambda: bench.thousand("HEAD"),
                lambda: bench.thousand(given.before),
                f"the same by {given.before}",
                given.rounds,
                EQUAL,
            ),
            Pair(f"up, two stores × {HALF}", bench.both, bench.alone, f"one store × {HALF}", given.rounds, TWO),
        ]
        run_pairs(pairs, lambda line: print(line, flush=True))
    return report.concluded("Beside an earlier commit", _INTRO, pairs, ROOT)


_INTRO = """\
`make bench-before`: generated revisions on one embedded PostgreSQL, each run in databases of its own, as whole
processes with the same interpreter.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.before", description=__doc__)
    parser.add_argument("--before", default=BEFORE, help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

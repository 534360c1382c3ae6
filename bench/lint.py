"""`make bench-lint`: lint of a thousand revisions beside what renders them, and squawk over what was rendered."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import lint_growth, projects, report
from bench.contenders import Command
from bench.rounds import Pair
from bench.rounds import run as run_pairs
from bench.stores import ROOT

REVISIONS = 1_000
BOUND = 1.3
_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"  # no server is asked; the url only names the dialect
_BIN = Path(sys.executable).parent
_ENV = """\
from alembic import context

context.configure(url="postgresql://", literal_binds=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""
_INTRO = """\
`make bench-lint`: generated revisions of PostgreSQL, each run a process of its own. Beside `provision lint` stands what
does the same in two steps: `alembic upgrade head --sql`, and squawk over what that printed. The first row reads every
file (`--no-cache`), the second takes what an earlier run has kept. The others are files of eight times as many
statements beside the few, in processor time of one process: what grows with their square takes 64 times as long.
"""


class Bench:
    """A project of generated revisions, and the two ways to lint it."""

    def __init__(self, folder: Path) -> None:
        self._project = projects.postgres(folder / "project", REVISIONS)
        (self._project / "alembic" / "env.py").write_text(_ENV, encoding="utf-8")
        self._sql = folder / "all.sql"
        self._variables = {"BENCH_URL": _NOWHERE, "PROVISION_ENV": "bench"}

    def ours(self) -> float:
        return self._lint("--no-cache")

    def again(self) -> float:
        """With what an earlier run has kept."""
        if not (self._project / ".provision").exists():
            self._lint()
        return self._lint()

    def _lint(self, *arguments: str) -> float:
        return Command((str(_BIN / "provision"), "lint", *arguments), self._project, self._variables).seconds()

    def theirs(self) -> float:
        begun = time.monotonic()
        env = {**os.environ, **self._variables}
        ini = projects.postgres_ini(self._project, _NOWHERE)
        render = [str(_BIN / "alembic"), "-c", str(ini), "upgrade", "head", "--sql"]
        made = subprocess.run(render, cwd=self._project, env=env, capture_output=True, check=True)
        self._sql.write_bytes(made.stdout)
        # It ends with 1 where it finds something, and it finds something in every table.
        subprocess.run([str(_BIN / "squawk"), str(self._sql)], env=env, capture_output=True, check=False)
        return time.monotonic() - begun


def main() -> int:
    """0 when the bound is met, 1 when it is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.lint", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as folder:
        bench = Bench(Path(folder))
        against = "alembic upgrade --sql, then squawk"
        pairs = [
            Pair(f"lint, {REVISIONS:,} revisions", bench.ours, bench.theirs, against, given.rounds, BOUND),
            Pair("the same again, nothing changed", bench.again, bench.theirs, against, given.rounds, BOUND),
            *lint_growth.pairs(min(given.rounds, 3)),
        ]
        run_pairs(pairs, lambda line: print(line, flush=True))
    return report.concluded("Lint", _INTRO, pairs, ROOT)


if __name__ == "__main__":
    sys.exit(main())

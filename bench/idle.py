"""`make bench-idle`: an `up` of the shipped databases that finds nothing to do, beside the same of an earlier commit.

Each commit moves the project as it shipped it, on servers of its own: what came later is paid for by the later one.

Instructions are counted by valgrind, and are the same on a busy machine. ArangoDB is the contract double of the tests.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from statistics import median

from bench import report
from bench.stores import ROOT, servers

BEFORE, BOUND, ROUNDS = "a8d2579", 0.6, 3
COMMANDS = ("up", "status")
VARIABLES = {
    "postgres": "ML_DATABASE_URL",
    "clickhouse": "CLICKHOUSE_URL",
    "redis": "REDIS_URL",
    "influx": "INFLUXDB_URL",
    "weaviate": "WEAVIATE_URL",
    "arango": "ARANGO_URL",
}
ENTRY = "import sys; sys.argv[0] = 'provision'; from provision.cli.main import main; main()"


class Tree:
    """A commit: its package, and its project moved to the newest version."""

    def __init__(self, commit: str, to: Path, urls: dict[str, str]) -> None:
        package, self._project = plugged(exported(commit, to / "package")), exported(commit, to / "project")
        shutil.rmtree(self._project / "provision")
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
        self._variables = {
            **kept,
            **urls,
            "PYTHONPATH": str(package),
            "PROVISION_ENV": "production",
            "PYTHONHASHSEED": "0",
        }

    def run(self, *arguments: str, under: tuple[str, ...] = ()) -> str:
        """Everything that a command prints. Raises SystemExit with it where the command fails."""
        line = [*under, sys.executable, "-P", "-c", ENTRY, *arguments]
        done = subprocess.run(line, cwd=self._project, env=self._variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{line}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def millions(self, command: str) -> float:
        """Millions of instructions of a command; the servers are other processes and do not count."""
        said = self.run(command, under=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
        counted = re.search(r"Collected : (\d+)", said)
        assert counted is not None, said
        return int(counted[1]) / 1e6


def main() -> int:
    """0 when the bound is met, 1 when it is not."""
    given = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        ours, theirs = (_moved(stack, commit, folder / commit) for commit in ("HEAD", given.before))
        counts = {command: _counted(command, ours, theirs) for command in COMMANDS}
    text = _page(counts, given.before)
    print(text)
    report.write("Nothing to do", text, ROOT)
    return 0 if counts["up"][0] <= BOUND * counts["up"][1] else 1


def _moved(stack: ExitStack, commit: str, folder: Path) -> Tree:
    stores, _ = stack.enter_context(servers(folder / "engines"))
    tree = Tree(commit, folder, {VARIABLES[store]: keys["url"] for store, keys in stores.items()})
    for command in ("up", *COMMANDS):  # the second `up`: so that every module is compiled before anything is counted
        tree.run(command)
    return tree


def exported(commit: str, to: Path) -> Path:
    """What a commit has, in a folder."""
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as tar:
        tar.extractall(to, filter="data")
    return to


def plugged(package: Path) -> Path:
    """The package with the entry point of Alembic that the environment has installed, empty where it has none."""
    module = package / "provision/stores/postgres/migrate/autogenerate.py"
    if not module.exists():
        module.parent.mkdir(parents=True)
        (module.parent / "__init__.py").touch()
        module.write_text("def setup(plugin: object) -> None: ...\n")
    return package


def _counted(command: str, ours: Tree, theirs: Tree) -> tuple[float, float]:
    pairs = [(ours.millions(command), theirs.millions(command)) for _ in range(ROUNDS)]
    return median(each for each, _ in pairs), median(each for _, each in pairs)


def _page(counts: dict[str, tuple[float, float]], before: str) -> str:
    bounds = {"up": f"≤ {BOUND}"}
    rows = "\n".join(
        f"| `{command}` | **{ours / theirs:.3f}** | {bounds.get(command, '–')} | {ours:,.0f} M | {theirs:,.0f} M |"
        for command, (ours, theirs) in counts.items()
    )
    return f"""\
`make bench-idle`: the shipped databases, all six stores, everything applied; instructions of the whole process, counted
by valgrind, beside commit {before} and what that shipped. ArangoDB is the contract double of the tests.

| what | ours ÷ before | bound | ours | before |
| --- | --- | --- | --- | --- |
{rows}

Measured {report.when_and_where()}.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--before", default=BEFORE, help="the commit to compare with")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-verify`: a rehearsal beside the same by two tools, six stores beside one, drift of a large schema."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import lanes, report
from bench.contenders import BIN, Command, at, migrations
from bench.rounds import Pair, Timed
from bench.rounds import run as run_pairs
from bench.servers import Clickhouse, Postgres
from bench.stores import ROOT, servers
from tests.chaos import wipe
from tests.servers.rest import Keys

TABLES, EACH, DRIFT_S = 1_000, 100, 2.0  # tables, those of a revision: the server keeps a lock for each
TWO = ("postgres", "clickhouse")
_TABLES = """\
from alembic import op

revision, down_revision = "{number:04d}", {before}


def upgrade() -> None:
    for number in range({first}, {last}):
        op.execute(f"create table t{{number}} (id bigint primary key, at timestamptz default now(), v text)")
        op.execute(f"create index t{{number}}_at on t{{number}} (at)")


def downgrade() -> None:
    for number in range({first}, {last}):
        op.execute(f"drop table t{{number}}")
"""
_INTRO = f"""\
`make bench-verify`: whole processes, on embedded servers that run already and hold nothing, as they do afterwards.
First the shipped revisions of PostgreSQL and ClickHouse: `provision verify` lints them, tries each on tables with rows,
moves them up, down, up and at last down, and compares what is there with what was and with the snapshots; beside it
stand Alembic and clickhouse-migrations, which move up, down, up and down, one after the other, and look at nothing.
Then the shipped six stores beside PostgreSQL alone, which is the slowest of them. Last `drift` of {TABLES:,} tables,
each with two indexes, beside {DRIFT_S:.0f} seconds. ArangoDB is the contract double of the tests.
"""


class Bench:
    """The shipped project with all of its stores and with some, and one of a large schema; gone with the block."""

    def __init__(self, stack: ExitStack, folder: Path, stores: Mapping[str, Keys]) -> None:
        self._stack, self._stores, self._folder = stack, stores, folder
        self._postgres = Postgres(at(str(stores["postgres"]["url"]), "postgres"))  # the other one is dropped
        self._clickhouse = Clickhouse(str(stores["clickhouse"]["url"]))

    def pairs(self, rounds: int) -> list[Pair]:
        """Raises RuntimeError where a command fails."""
        two, six, one = (self._rehearsal(each) for each in (TWO, lanes.STORES, ("postgres",)))
        tools, alone = "alembic, then clickhouse-migrations", "verify of PostgreSQL alone"
        return [
            Pair("verify, shipped revisions of two stores", two, self._by_tools(), tools, rounds, 1.0),
            Pair("verify, six shipped stores", six, one, alone, rounds, 1.3),
            Pair(f"drift, {TABLES:,} tables", self._drift(), lambda: DRIFT_S, "two seconds", rounds, 1.0),
        ]

    def _rehearsal(self, names: Sequence[str]) -> Timed:
        """A rehearsal of the shipped folders of these stores, in databases that hold nothing."""
        root = self._folder / "-".join(names)
        root.mkdir()
        shutil.copy(ROOT / "alembic.ini", root)
        lines, urls = ['[project]\nname = "vfr"\nhome = "postgres"'], ["[environments.bench]"]
        for name in lanes.STORES:
            folder = "alembic" if name == "postgres" else name
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
            forgoes = "" if name == "clickhouse" else 'forgoes = "clickhouse"\n'
            lines.append(f'[stores.{name}]\npath = "{folder}"\n{forgoes}')
            urls.append(f'{name}.url = "${{BENCH_{name.upper()}_URL}}"' if name in names else f'{name} = "off"')
        (root / "provision.toml").write_text("\n".join([*lines, *urls]) + "\n")
        places = {name: self._stores[name] for name in names}
        given = {name: str(keys["url"]) for name, keys in places.items()}
        wipe.everything(places)
        _provision(root, given, "verify", "--write").seconds()
        command = _provision(root, given, "verify")

        def timed() -> float:
            wipe.everything(places)
            return command.seconds()

        return timed

    def _by_tools(self) -> Timed:
        """The same moves by the two tools, in databases of their own."""

        def timed() -> float:
            with self._postgres.fresh() as postgres, self._clickhouse.fresh() as clickhouse:
                ways = (("migrate",), ("down", "--to", "0")) * 2
                theirs = (migrations(ROOT, clickhouse, *way) for way in ways)
                return sum(each.seconds() for each in (*self._alembic(postgres), *theirs))

        return timed

    def _alembic(self, url: str) -> Iterator[Command]:
        own = url.replace("postgresql://", "postgresql+psycopg://", 1).replace("%", "%%")
        text = (ROOT / "alembic.ini").read_text().replace("%(here)s", str(ROOT))
        ini = self._folder / "alembic.ini"
        ini.write_text(text.replace("[alembic]\n", f"[alembic]\nsqlalchemy.url = {own}\n", 1))
        for way in (("upgrade", "head"), ("downgrade", "base")) * 2:
            yield Command((str(BIN / "alembic"), "-c", str(ini), *way), ROOT, {})

    def _drift(self) -> Timed:
        """A project that makes the tables, applied, with its snapshot: what is timed finds nothing."""
        root = self._folder / "large"
        versions = root / "alembic" / "versions"
        versions.mkdir(parents=True)
        for number in range(1, TABLES // EACH + 1):
            before = f'"{number - 1:04d}"' if number > 1 else "None"
            text = _TABLES.format(number=number, before=before, first=(number - 1) * EACH, last=number * EACH)
            (versions / f"{number:04d}_tables.py").write_text(text)
        (root / "alembic" / "env.py").write_text((ROOT / "alembic" / "env.py").read_text())
        (root / "provision.toml").write_text(
            '[project]\nname = "large"\nhome = "postgres"\n[stores.postgres]\n[environments.bench]\n'
            'postgres.url = "${BENCH_POSTGRES_URL}"\n'
        )
        urls = {"postgres": self._stack.enter_context(self._postgres.fresh())}
        for arguments in (("verify", "--write"), ("up",)):
            _provision(root, urls, *arguments).seconds()
        return _provision(root, urls, "drift").seconds


def _provision(root: Path, urls: Mapping[str, str], *arguments: str) -> Command:
    variables = {f"BENCH_{name.upper()}_URL": url for name, url in urls.items()}
    return Command((str(BIN / "provision"), *arguments, "--env", "bench"), root, variables)


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is removed then, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        stores, _ = stack.enter_context(servers(folder / "engines"))
        pairs = Bench(stack, folder, stores).pairs(given.rounds)
        run_pairs(pairs, lambda line: print(line, flush=True))
    return report.concluded("Verify and drift", _INTRO, pairs, ROOT)


if __name__ == "__main__":
    sys.exit(main())

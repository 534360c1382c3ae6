"""`make bench-stores`: six stores together beside the slowest alone, `status` beside the import of six clients.

`replace_collection` beside the loop of the official client comes last. ArangoDB is the contract double of the tests.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench import lanes, report, weaviate_replace
from bench.contenders import BIN, Command
from bench.rounds import Pair
from bench.rounds import run as run_pairs
from provision.embedded import engine
from tests.chaos import wipe
from tests.doubles.arango import arango_double
from tests.servers.databases import Influx1, Weaviate
from tests.servers.rest import Keys

# The name of each official client's package, in the order of the stores.
CLIENTS = ("psycopg", "clickhouse_connect", "redis", "influxdb_client", "weaviate", "arango")
TOGETHER_BOUND, STATUS_BOUND = 1.15, 0.7
ROOT = Path(__file__).parents[1]
_INTRO = """\
`make bench-stores`, on generated lanes without `requires` across stores. ArangoDB is the contract double of the tests,
no server. `replace_collection` is measured in one process, "all of it" with reading back, catching up and the switch.
"""


class Bench:
    """Projects in one folder, on servers that are wiped before every `up`."""

    def __init__(self, folder: Path, stores: Mapping[str, Keys], count: int) -> None:
        self._stores, self._count = stores, count
        self._variables = {f"BENCH_{store.upper()}_URL": keys["url"] for store, keys in stores.items()}
        self._six = lanes.written(folder / "six", count)
        self._alone = {store: lanes.written(folder / store, count, [store]) for store in lanes.STORES}
        self._folder = folder
        self.alone: dict[str, list[float]] = {store: [] for store in lanes.STORES}

    def up(self, store: str = "") -> float:
        """Seconds of an `up` of all six stores, or of one, from nothing."""
        wipe.everything(self._stores)
        folder = self._alone[store] if store else self._six
        return self._provision(folder, "up", "--no-lock").seconds()

    def up_alone(self) -> float:
        """Seconds of an `up` of the slowest store by itself: all are timed, the slowest counts."""
        seconds = {store: self.up(store) for store in lanes.STORES}
        for store, each in seconds.items():
            self.alone[store].append(each)
        return max(seconds.values())

    def pairs(self, rounds: int) -> list[Pair]:
        """What is compared; `status` comes after an `up`, so that there is something to see."""
        six = f"{self._count} revisions in each of six stores"
        imported = Command(
            (str(BIN / "python"), "-c", f"import {', '.join(CLIENTS)}"), self._folder, {"PYTHONWARNINGS": "ignore"}
        )
        status = self._provision(self._six, "status")
        return [
            Pair(f"up, {six}", self.up, self.up_alone, "up of the slowest store alone", rounds, TOGETHER_BOUND),
            Pair(f"status, {six}", status.seconds, imported.seconds, "import of six clients", rounds * 3, STATUS_BOUND),
        ]

    def _provision(self, folder: Path, *arguments: str) -> Command:
        variables = {**self._variables, "PROVISION_ENV": "bench"}
        return Command((str(BIN / "provision"), *arguments), folder, variables)


@contextmanager
def servers(folder: Path) -> Iterator[tuple[dict[str, Keys], Weaviate]]:
    """Every store's url, and the Weaviate. The engines of `folder` end with the block."""
    engines = {kind: engine(kind, kind, folder) for kind in ("postgres", "clickhouse", "redis")}
    with ExitStack() as stack:
        for each in engines.values():
            stack.callback(each.reset)
        urls = {kind: str(each.start().url) for kind, each in engines.items()}
        influx = stack.enter_context(Influx1())
        weaviate = Weaviate()
        stack.enter_context(weaviate)
        urls |= {"influx": influx.url, "weaviate": weaviate.url}
        urls["arango"] = f"{stack.enter_context(arango_double())}/bench"
        yield {store: {"url": url} for store, url in urls.items()}, weaviate


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is removed then, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        stores, weaviate = stack.enter_context(servers(folder / "engines"))
        bench = Bench(folder, stores, given.revisions)
        pairs = bench.pairs(given.rounds)
        run_pairs(pairs, lambda line: print(line, flush=True))
        wipe.everything(stores)
        if not given.no_replace:
            pairs += weaviate_replace.measure(weaviate.url, weaviate.grpc)
    missed = report.missed(pairs, {})
    text = _page(pairs, bench, missed)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Six stores", text, ROOT)
    return 1 if missed else 0


def _page(pairs: Sequence[Pair], bench: Bench, missed: Sequence[str]) -> str:
    alone = ", ".join(f"{store} {median(seconds):.2f} s" for store, seconds in bench.alone.items())
    return f"""{_INTRO}
{report.table(pairs)}

{report.verdict(missed)}

Each store alone: {alone}. Measured {report.when_and_where()}.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.stores", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each `up`; `status` runs three times as often")
    parser.add_argument("--revisions", type=int, default=50, help="revisions in each store")
    parser.add_argument("--no-replace", action="store_true", help="leave out replace_collection")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

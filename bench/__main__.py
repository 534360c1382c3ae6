"""`make bench`: measures, prints, writes docs/performance.md, removes what it made, and ends."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import report, rounds
from bench.cases import LARGE, SMALL, Cases
from bench.servers import engines

ROOT = Path(__file__).parents[1]


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is removed then, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        postgres, clickhouse = stack.enter_context(engines(folder / "engines"))
        cases = Cases(folder, stack.enter_context(ExitStack()), given.rounds, given.large)
        pairs = [*cases.help(), *cases.postgres(postgres), *cases.clickhouse(clickhouse)]
        rounds.run(pairs, lambda line: print(line, flush=True))
        servers = {"PostgreSQL": postgres.version, "ClickHouse": clickhouse.version}
    growths = {store: report.growth(pairs, store, SMALL, given.large) for store in ("postgres", "clickhouse")}
    text = report.page(pairs, growths, servers)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Migrations", text, ROOT)
    return 1 if report.missed(pairs, growths) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of each `up`; quick commands run three times as often"
    )
    parser.add_argument("--large", type=int, default=LARGE, help="revisions of the large project")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.data_checks`: data checks beside the seed's own queries, Great Expectations and soda-core.

Fills an embedded PostgreSQL and an embedded ClickHouse, measures in turn, prints the table, writes
docs/performance.md, removes what it made and ends. Great Expectations and soda-core are installed in environments of
the bench's own; `--great-expectations` and `--soda` name others, `--no-peers` leaves those lines out.
"""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import clickhouse_connect
import psycopg

from bench import data_rows, peers, report
from bench.data_rows import DECISIONS, STRICT, Contender
from bench.rounds import Pair, run
from bench.servers import Clickhouse, Postgres, engines
from provision.model.checks import Check, Scope, Table
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.validate.checks import ClickhouseChecks
from provision.stores.postgres.server import connect
from provision.stores.postgres.validate.checks import PostgresChecks

ROOT = Path(__file__).parents[1]
SHORT = 5  # times the rounds, for what takes a fraction of a second
_INTRO = """\
`make bench-data`, on rows of the embedded engines. "Tally" is one call of the store's checks, the NaN-safe forms of the
three checks of the design document, beside its three queries. "Whole" is a process from start to end: eight checks of
one PostgreSQL table, `provision validate` with its results kept, beside the same eight in other tools, and beside one
hand-written statement in a Python process that imports psycopg alone.
"""


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    if not given.no_peers:
        given.great_expectations = peers.venv("great_expectations", given.great_expectations)
        given.soda = peers.venv("soda-core", given.soda)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the engines are removed then, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        postgres, clickhouse = stack.enter_context(engines(folder / "engines"))
        pairs = [
            *_clickhouse(stack.enter_context(clickhouse.fresh()), given.clickhouse, given.rounds * SHORT),
            *_postgres(stack.enter_context(postgres.fresh()), folder, given),
        ]
        run(pairs, lambda line: print(line, flush=True))
        memory = _memory()
        text = _page(pairs, memory, given, postgres, clickhouse)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Data checks", text, ROOT)
    return 1 if report.missed(pairs, {}) else 0


def _clickhouse(url: str, rows: int, rounds: int) -> list[Pair]:
    client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    data_rows.fill_clickhouse(client, rows)
    checks = ClickhouseChecks(lambda: Client(url, "clickhouse"))
    ours = _tally(lambda: checks.tally(_strict("clickhouse"), Scope()))

    def queries(found: Sequence[str]) -> Callable[[], float]:
        # Rounds are alike, and the server would remember which granules an earlier one found nothing in.
        once = {"use_query_condition_cache": "0"}
        return _timed(lambda: [client.query(query, settings=once).result_rows for query in found])

    name = f"ClickHouse, {rows:,} rows, tally"
    return [
        Pair(name, ours, queries(data_rows.SEED_CLICKHOUSE), "three queries as written", rounds, 0.33),
        Pair(name, ours, queries(data_rows.EMPTY_CLICKHOUSE), "three queries with empty()", rounds, 1.0),
    ]


def _postgres(url: str, folder: Path, given: argparse.Namespace) -> list[Pair]:
    data_rows.fill_postgres(url, DECISIONS, given.postgres)
    data_rows.fill_postgres(url, f"{DECISIONS}_few", given.postgres // 10)
    checks = PostgresChecks(lambda: connect(url, "postgres"))
    connection = psycopg.connect(url, autocommit=True)
    theirs = _timed(lambda: [connection.execute(query.encode()).fetchall() for query in data_rows.SEED_POSTGRES])
    ours = _tally(lambda: checks.tally(_strict("postgres"), Scope()))
    pairs = [
        Pair(f"PostgreSQL, {given.postgres:,} rows, tally", ours, theirs, "three queries", given.rounds * SHORT, 0.45)
    ]
    whole = data_rows.provision(folder / "project", url, DECISIONS)
    others: list[tuple[Contender, float | None]] = [(data_rows.scan(folder, url), 2.0)]
    if not given.no_peers:
        others.append((data_rows.great_expectations(folder, url, given.great_expectations), 0.2))
        others.append((data_rows.soda(folder, url, given.soda), None))
    for other, bound in others:
        pairs.append(
            Pair(
                f"PostgreSQL, {given.postgres:,} rows, whole",
                _process(whole),
                _process(other),
                other.name,
                given.rounds,
                bound,
            )
        )
    few = data_rows.provision(folder / "few", url, f"{DECISIONS}_few")
    pairs.append(Pair("whole, all rows", _process(whole), _process(few), "whole, a tenth of the rows", given.rounds))
    return pairs


def _strict(store: str) -> Table:
    checks = tuple(Check(name, "bad", text) for name, text in STRICT[store].items())
    return Table(store, DECISIONS, checks)


def _tally(work: Callable[[], object]) -> Callable[[], float]:
    work()  # types of the columns are asked for once
    return _timed(work)


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return timed


_PEAKS: dict[str, int] = {}


def _process(contender: Contender) -> Callable[[], float]:
    def timed() -> float:
        begun = time.perf_counter()
        peak = contender.run()
        taken = time.perf_counter() - begun
        _PEAKS[contender.name] = max(_PEAKS.get(contender.name, 0), peak)
        return taken

    return timed


def _memory() -> str:
    return "\n".join(["| whole process | highest memory |", "| --- | --- |"] + [
        f"| {name} | {peak / 1024:.0f} MB |" for name, peak in _PEAKS.items()
    ])  # fmt: skip


def _page(
    pairs: Sequence[Pair], memory: str, given: argparse.Namespace, postgres: Postgres, clickhouse: Clickhouse
) -> str:
    holding = {} if given.no_peers else {"great_expectations": given.great_expectations, "soda-core": given.soda}
    tools = "".join(f", {name} {peers.version(name, venv)}" for name, venv in holding.items())
    return f"""{_INTRO}
{report.table(pairs)}

{report.verdict(report.missed(pairs, {}))}

{memory}

Measured {report.when_and_where()}. PostgreSQL {postgres.version}, ClickHouse {clickhouse.version};
Python {platform.python_version()}{tools}.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.data_checks", description=__doc__)
    parser.add_argument("--postgres", type=int, default=2_000_000, help="rows")
    parser.add_argument("--clickhouse", type=int, default=5_000_000, help="rows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--great-expectations", type=Path, metavar="VENV")
    parser.add_argument("--soda", type=Path, metavar="VENV")
    parser.add_argument("--no-peers", action="store_true", help="measure ours alone")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

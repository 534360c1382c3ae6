"""python -m vfr_data.generate --tickers 500 --days 90 --seed 1"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time

from vfr_data.cache import Cache
from vfr_data.database import Database
from vfr_data.decisions import Decisions
from vfr_data.dependencies import Dependencies
from vfr_data.errors import DataPathError
from vfr_data.generate import connect, others
from vfr_data.generate.load import Loaded, load
from vfr_data.generate.plan import Plan
from vfr_data.timeseries import TimeSeries

_OTHERS = (
    ("clickhouse", "CLICKHOUSE_URL", "url; "),
    ("influx", "INFLUXDB_URL", "url; "),
    ("influx-token", "INFLUXDB_TOKEN", "of 2.x; "),
    ("influx-org", "INFLUXDB_ORG", "of 2.x; "),
    ("weaviate", "WEAVIATE_URL", "url; "),
    ("weaviate-grpc", "WEAVIATE_GRPC", "host:port, without which Weaviate is left out; "),
    ("weaviate-token", "WEAVIATE_API_KEY", ""),
    ("arango", "ARANGO_URL", "url with the database; "),
)
"""Options of the stores that need not be there, and the variables that stand for them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Load a data set; 0, or 1 when rows were rejected, 2 when a database does not take it."""
    given = _parser().parse_args(arguments)
    if not given.postgres:
        print("generate: no PostgreSQL: set DATABASE_URL, or give --postgres URL", file=sys.stderr)
        return 2
    now = datetime.now(UTC)
    until = min(now, datetime.combine(given.until, time.max, UTC)) if given.until else now
    plan = Plan(given.tickers, given.days, given.seed, until)
    if not plan.moments:
        print("generate: the first values of that day are yet to come; give more --days", file=sys.stderr)
        return 2
    # What it says of every attempt is in the error of the last one.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        loaded, lines = asyncio.run(_load(plan, given, now))
    except DataPathError as error:
        print(f"generate: {error}", file=sys.stderr)
        return 2
    print(f"{loaded.features} values of features and {loaded.predictions} predictions of seed {plan.seed}")
    for line in lines:
        print(line)
    for reason, count in loaded.reasons.items():
        print(f"{count} rejected: {reason}", file=sys.stderr)
    return 1 if loaded.rejected else 0


async def _load(plan: Plan, given: argparse.Namespace, now: datetime) -> tuple[Loaded, list[str]]:
    cache = Cache.of(given.redis) if given.redis else None
    try:
        async with Database(given.postgres, size=2, statement_seconds=600) as database:
            loaded = await load(plan, database, cache, _bar if sys.stderr.isatty() else None)
            lines = [line async for line in _others(plan, given, database, now)]
        if cache and cache.counts["failed"]:
            print("Redis did not take its part; PostgreSQL has everything", file=sys.stderr)
        return loaded, lines
    finally:
        if cache:
            await cache.aclose()


async def _others(plan: Plan, given: argparse.Namespace, database: Database, now: datetime) -> AsyncIterator[str]:
    """Fill each store that is given; a line for each."""
    if given.clickhouse:
        count = await others.load_decisions(plan, database, Decisions(connect.clickhouse(given.clickhouse)))
        yield f"{count} decisions in ClickHouse and PostgreSQL"
    if given.influx:
        series = TimeSeries(given.influx, token=given.influx_token, org=given.influx_org)
        yield f"{await others.load_points(plan, series, now)} points of the last day in InfluxDB"
    if given.weaviate and given.weaviate_grpc:
        async with connect.weaviate(given.weaviate, given.weaviate_grpc, given.weaviate_token) as client:
            yield f"{await others.load_patterns(plan, client)} patterns in Weaviate"
    if given.arango:
        graph = Dependencies(connect.arango(given.arango), others.TENANT)
        yield f"{await others.load_graph(plan, graph)} components in ArangoDB"


def _bar(done: int, total: int) -> None:
    filled = 40 * done // total
    end = "\n" if done == total else ""
    print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vfr_data.generate", description="Load a data set for benches.")
    parser.add_argument("--tickers", type=_positive, default=500)
    parser.add_argument("--days", type=_positive, default=90)
    parser.add_argument("--seed", type=int, default=1, help="the same seed and --until give the same rows")
    parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="last day, in UTC (default: today)")
    parser.add_argument("--postgres", default=os.environ.get("DATABASE_URL"), help="default: DATABASE_URL")
    for name, variable, about in _OTHERS:
        default = os.environ.get(variable, "")
        parser.add_argument(f"--{name}", default=default, metavar="TEXT", help=f"{about}default: {variable}")
    parser.add_argument(
        "--redis", default=os.environ.get("REDIS_URL"), help="default: REDIS_URL; none: PostgreSQL alone"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-data-path`: the data path beside bare drivers and the design document's queries, on the same rows."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench import data_path_rows as rows
from bench import report
from bench.data_path_feast import beside_feast
from bench.memory import peaks
from provision.embedded import engine
from vfr_data.cache import Cache
from vfr_data.catalogue import FAMILIES
from vfr_data.database import Database
from vfr_data.features import FeatureRow, FeatureStore
from vfr_data.predictions import Prediction, PredictionStore
from vfr_data.registry import ModelRegistry
from vfr_data.timeseries import FeaturePoint, TimeSeries
from vfr_data.training import TrainingData

ROOT = Path(__file__).parents[1]
SECTION = "Data path"
Work = Callable[[int], Awaitable[object]]


class Line(NamedTuple):
    """What, the figures, the bound in words, and whether it holds."""

    what: str
    figures: str
    bound: str
    held: str


PARTS = ("batches", "reads", "matrix", "feast", "memory")


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        servers = {kind: engine(kind, kind, folder / kind) for kind in ("postgres", "redis", "influx")}
        for each in servers.values():
            stack.callback(each.stop if given.folder else each.reset)
        urls = {kind: str(each.start().url) for kind, each in servers.items()}
        url = rows.filled(urls["postgres"], folder, given)
        rows.vfr_ml(urls["influx"])
        kept = folder / "figures.json"
        figures: dict[str, list[Line]] = json.loads(kept.read_text()) if kept.exists() else {}
        for part in given.part or PARTS:
            figures[part] = _measured(part, url, urls, folder, given)
            kept.write_text(json.dumps(figures))
        lines = [Line(*each) for part in PARTS for each in figures.get(part, [])]
    text = _page(lines, given)
    print(text)
    if not given.dry and all(part in figures for part in PARTS):
        report.write(SECTION, text, ROOT)
    return 0 if all(each.held != "missed" for each in lines) else 1


def _measured(part: str, url: str, urls: dict[str, str], folder: Path, given: argparse.Namespace) -> list[Line]:
    if part == "batches":
        return list(_batches(url, given))
    if part == "memory":
        return list(_memory(url))
    if part == "feast" and given.feast is None:
        return [Line("beside feast", "left out: --feast names no virtual environment", "–", "–")]
    return asyncio.run(_reads(part, url, urls, folder, given))


def _batches(url: str, given: argparse.Namespace) -> Iterator[Line]:
    """Rows a second of a batch that is new, three ways, in turn; each is taken back again."""
    taken: dict[str, list[float]] = {"copy": [], "store": [], "many": []}
    batch = rows.batch(given.batch)
    for _ in range(given.rounds):
        taken["copy"].append(given.batch / rows.copied(url, batch))
        taken["store"].append(given.batch / asyncio.run(rows.stored(url, batch)))
        few = batch[: given.batch // 5]
        taken["many"].append(len(few) / rows.one_by_one(url, few))
    copy, store, many = (sorted(each)[len(each) // 2] for each in taken.values())
    shown = f"{store:,.0f} rows/s; plain COPY {copy:,.0f}; executemany {many:,.0f}"
    yield Line(
        "store_batch beside plain COPY into the same table",
        f"{store / copy:.2f} × ({shown})",
        *_least(store / copy, 0.6),
    )
    yield Line("store_batch beside executemany", f"{store / many:.2f} ×", *_least(store / many, 5))


async def _reads(part: str, url: str, urls: dict[str, str], folder: Path, given: argparse.Namespace) -> list[Line]:
    cache = Cache.of(urls["redis"], timeout=5)
    async with Database(url, size=given.clients + 2) as database:
        try:
            if part == "feast":
                return [Line(*each) for each in await beside_feast(url, urls["redis"], database, cache, folder, given)]
            reads = _Reads(urls["influx"], database, cache, given)
            return [await reads.matrix()] if part == "matrix" else await reads.lines()
        finally:
            await cache.aclose()


class _Reads:
    """The six targets, each beside the bare call where there is one."""

    def __init__(self, influx: str, database: Database, cache: Cache, given: argparse.Namespace) -> None:
        self._influx_url, self._database, self._cache, self._given = influx, database, cache, given
        self._tickers = rows.tickers(given)

    async def lines(self) -> list[Line]:
        await self._fill_redis()
        return [
            *await self._redis(),
            *await self._serving(),
            *await self._predictions(),
            await self._target("model load", 50, self._model()),
            await self._training(),
            await self._influx(),
            *await self._actuals(),
        ]

    async def _fill_redis(self) -> None:
        """As many keys as asked for, which nobody reads, and the open window of the first tickers."""
        async with self._cache.client.pipeline(transaction=False) as pipeline:
            for n in range(self._given.keys):
                pipeline.set(f"vfr:_shared:ml:vector:K{n}:1", "0" * 200, ex=900)
                if n % 10_000 == 9_999:
                    await pipeline.execute()
            await pipeline.execute()

    async def _redis(self) -> list[Line]:
        at = datetime.now(UTC)
        fresh = [FeatureRow(each, at, rows.FUNDAMENTAL, 1.5, 0.9, 0.9) for each in self._tickers[:100]]
        store = FeatureStore(self._database, self._cache)
        await store.store_batch(fresh)
        await store.matrix(self._tickers[:1], [rows.FUNDAMENTAL])
        family = FAMILIES["features_fundamental"]
        field = [str(rows.FUNDAMENTAL)]

        async def bare(n: int) -> object:
            return await self._cache.client.hmget(family.key(at, symbol=self._tickers[n % 100]), field)

        async def ours(n: int) -> object:
            found = await store.matrix([self._tickers[n % 100]], [rows.FUNDAMENTAL])
            assert found.online == 1
            return found

        lines = await self._pair("Redis read", 10, ours, bare, "redis-py")
        async with self._database.transaction() as connection:  # a kept folder has the rows that it was filled with
            await connection.execute("DELETE FROM ml_feature_store WHERE timestamp = %s", [at])
        return lines

    async def _serving(self) -> list[Line]:
        store = FeatureStore(self._database)
        features = rows.FEATURES[:10]

        async def bare(n: int) -> object:
            query = "SELECT * FROM feature_matrix(%s::text[], %s::uuid[], now())"
            async with self._database.transaction() as connection, connection.cursor(binary=True) as cursor:
                await cursor.execute(query, [[self._tickers[n % len(self._tickers)]], features])
                return await cursor.fetchall()

        async def ours(n: int) -> object:
            return await store.matrix([self._tickers[n % len(self._tickers)]], features)

        return await self._pair("feature serving, 10 features of a ticker", 100, ours, bare, "psycopg")

    async def _predictions(self) -> list[Line]:
        store = PredictionStore(self._database)

        async def ours(n: int) -> object:
            return await store.latest(self._tickers[n % len(self._tickers)], rows.MODEL, "1d")

        return [await self._target("prediction lookup, PostgreSQL", 20, ours)]

    def _model(self) -> Work:
        registry = ModelRegistry(self._database)

        async def ours(_: int) -> object:
            return await registry.load(rows.MODEL)

        return ours

    async def _training(self) -> Line:
        training, now = TrainingData(self._database), datetime.now(UTC)

        async def ours(_: int) -> object:
            start = now - timedelta(days=self._given.days)
            return await anext(training.batches(self._tickers[:50], rows.FEATURES[:10], start, now, size=10_000))

        return await self._target("training batch of 10,000", 2000, ours, calls=20, clients=1)

    async def _influx(self) -> Line:
        series, now = TimeSeries(self._influx_url), datetime.now(UTC)
        start = now - timedelta(hours=20)
        points = [FeaturePoint("T0", "bench", start + timedelta(seconds=20 * n), n % 97, 0.9, 0.9) for n in range(3600)]
        await series.write_features(points)

        async def ours(_: int) -> object:
            found = await series.features("T0", "bench", now - timedelta(days=1), now)
            assert len(found) == len(points)
            return found

        return await self._target("InfluxDB, 3,600 points of a day", 100, ours, calls=200, clients=1)

    async def matrix(self) -> Line:
        store, now = FeatureStore(self._database), datetime.now(UTC)
        asked = self._tickers[:100], rows.FEATURES

        async def ours(_: int) -> object:
            return await store.matrix(*asked, now)

        async def seed(_: int) -> object:
            async with self._database.transaction() as connection:
                return await (await connection.execute(rows.SEED_MATRIX, [*map(list, asked), now])).fetchall()

        ours_taken, seed_taken = await _times(ours, 8, 1), await _times(seed, 4, 1)
        mean, theirs = sorted(ours_taken)[4], sorted(seed_taken)[2]
        figures = f"{theirs / mean:.1f} × ({mean:.0f} ms; DISTINCT ON {theirs:.0f} ms)"
        return Line(
            "matrix of 100 tickers × 50 features beside the document's query", figures, *_least(theirs / mean, 20)
        )

    async def _actuals(self) -> list[Line]:
        store, at = PredictionStore(self._database), datetime.now(UTC) - timedelta(hours=1)
        made = [Prediction(rows.MODEL, each, at, "1h", "price_target", 10.0, 0.9, 9.5) for each in self._tickers[:200]]
        ids = [await store.store(each) for each in made]

        async def ours(n: int) -> object:
            return await store.record_actual(ids[n % len(ids)], at, 11.0)

        async def bare(n: int) -> object:
            async with self._database.transaction() as connection:
                return await connection.execute(rows.SEED_ACTUAL, [11.0, 11.0, at, ids[n % len(ids)]])

        with_time, without = await _times(ours, 100, 1), await _times(bare, 100, 1)
        figures = f"{_shown(with_time)}; the document's UPDATE by id alone, without the metrics: {_shown(without)}"
        return [Line("record_actual with the day's metrics", figures, "–", "–")]

    async def _pair(self, name: str, target: float, ours: Work, bare: Work, driver: str) -> list[Line]:
        calls, clients = self._given.calls, self._given.clients
        mine: list[float] = []
        theirs: list[float] = []
        for _ in range(self._given.rounds):
            theirs += await _times(bare, calls, clients)
            mine += await _times(ours, calls, clients)
        ratio = _at(mine, 0.99) / _at(theirs, 0.99)
        beside = f"{ratio:.2f} × {driver} ({_shown(theirs)})"
        return [_held(name, target, mine), Line(f"{name}: p99 beside {driver}", beside, *_most(ratio, 1.3))]

    async def _target(self, name: str, target: float, work: Work, calls: int = 0, clients: int = 0) -> Line:
        return _held(name, target, await _times(work, calls or self._given.calls, clients or self._given.clients))


async def _times(work: Work, calls: int, clients: int) -> list[float]:
    """Milliseconds of each call; so many clients ask at once."""
    taken: list[float] = []
    waiting = iter(range(calls))

    async def client() -> None:
        for n in waiting:
            begun = time.perf_counter()
            await work(n)
            taken.append((time.perf_counter() - begun) * 1000)

    await work(0)
    await asyncio.gather(*(client() for _ in range(clients)))
    return taken


def _memory(url: str) -> Iterator[Line]:
    small, large = peaks(url, 10_000), peaks(url, 200_000)
    figures = f"{small / 2**20:.1f} MiB for 10,000 rows, {large / 2**20:.1f} for 200,000"
    yield Line("Python memory of store_batch at its peak", figures, *_most(large / small, 1.5))


def _held(name: str, target: float, taken: Sequence[float]) -> Line:
    """Whether the 95th percentile keeps the document's target."""
    return Line(name, _shown(taken), f"p95 < {target:g} ms", "met" if _at(taken, 0.95) < target else "missed")


def _shown(taken: Sequence[float]) -> str:
    return "p50 {:.2f}, p95 {:.2f}, p99 {:.2f} ms".format(*(_at(taken, each) for each in (0.5, 0.95, 0.99)))


def _at(taken: Sequence[float], share: float) -> float:
    return sorted(taken)[math.ceil(share * len(taken)) - 1]


def _least(found: float, bound: float) -> tuple[str, str]:
    return f"≥ {bound:g} ×", "met" if found >= bound else "missed"


def _most(found: float, bound: float) -> tuple[str, str]:
    return f"≤ {bound:g} ×", "met" if found <= bound else "missed"


def _page(lines: Sequence[Line], given: argparse.Namespace) -> str:
    table = "\n".join(f"| {' | '.join(each)} |" for each in lines)
    return f"""\
`make bench-data-path`: {given.rows:,} values of features, {given.predictions:,} predictions, {given.keys:,} keys of
Redis, {given.clients} clients at once in one process, on the embedded PostgreSQL and Redis. Batches are
{given.batch:,} new rows beside those that are there, with all indexes and the foreign key. A bare call sends the same
query over the same pool.

| what | measured | bound | |
| --- | --- | --- | --- |
{table}

Where a batch's time goes: a fifth is Python's, which packs rows while PostgreSQL stages them; the rest is the
insert, of which the check of the foreign key is a third, and the two indexes beside the key another. Rows go in by
the order of the key, and without an eye on conflicts where some dozens of them are not there yet. Plain COPY pays
for the same key, indexes and checks: that it is itself not six times `executemany` bounds the second line. The
matrix reads the newest entries of a ticker in one go from the covering index; its values come as arrays.

Measured {report.when_and_where()}. Where the load is above the number of processors other work ran beside it: the times
say little then, and the ratios more.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.data_path", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="values of features")
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000, help="keys of Redis")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--calls", type=int, default=2_000, help="of each target and round")
    parser.add_argument("--batch", type=int, default=100_000, help="rows of a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, default=20, help="over which the values lie")
    parser.add_argument("--folder", type=Path, help="keep servers, rows and figures here, for the next part")
    parser.add_argument("--part", action="append", choices=PARTS, help="this one alone; the page needs all of them")
    parser.add_argument("--feast", type=Path, metavar="VENV", help="a virtual environment with feast[postgres,redis]")
    parser.add_argument("--dry", action="store_true", help="write nothing to docs/performance.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

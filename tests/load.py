"""`make load`: mixed load on the data path while its servers are killed and started again, each twice.

Whatever was acknowledged must be there at the end; errors must be the data path's own, and are counted by name.
ClickHouse is the embedded engine, which is killed like the others.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import redis
import yaml

import weaviate
from tests.load_clickhouse import AT_ONCE, KilledClickhouse, stored, writers
from tests.servers import databases
from tests.servers.rest import good, influxql
from tests.servers.running import Server
from tests.system.six import REPOSITORY
from tests.vfr.factories.postgres import FEATURE, insert_ml_base
from tests.vfr.postgres import migrations
from vfr_data.cache import Cache
from vfr_data.catalogue import STREAMS
from vfr_data.database import Database
from vfr_data.errors import DataPathError
from vfr_data.events import Events
from vfr_data.features import FeatureRow, FeatureStore
from vfr_data.patterns import Pattern, Patterns
from vfr_data.predictions import Prediction, PredictionStore
from vfr_data.timeseries import FeaturePoint, TimeSeries

TENANT, STREAM, GROUP = "acme", "learning_events", "learning-worker"
ROWS = 20
RESTARTS = 2


class KeptRedis(databases.Redis7):
    """Each write is in its file before it is answered: else a kill would lose what was acknowledged."""

    kept = True


@dataclass
class Acknowledged:
    """What the stores said is stored, and what they said instead, by name."""

    features: list[datetime] = field(default_factory=list)
    predictions: list[UUID] = field(default_factory=list)
    actuals: list[UUID] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    points: list[datetime] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    feedback: list[UUID] = field(default_factory=list)
    metrics: list[datetime] = field(default_factory=list)
    reads: int = 0
    consumed: set[str] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Stand:
    """The servers and the clients of them."""

    postgres: databases.Postgres15
    redis: KeptRedis
    influx: databases.Influx1
    weaviate: databases.Weaviate
    clickhouse: KilledClickhouse

    @property
    def servers(self) -> Sequence[Server | KilledClickhouse]:
        return (self.postgres, self.redis, self.influx, self.weaviate, self.clickhouse)

    def prepare(self) -> None:
        """The shipped schema, as far as the load needs it."""
        migrations.upgrade(self.postgres.url)
        self.clickhouse.prepare()
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            insert_ml_base(connection)
        for statement in (
            "CREATE DATABASE vfr_ml",
            "CREATE RETENTION POLICY real_time ON vfr_ml DURATION 24h REPLICATION 1 DEFAULT",
        ):
            influxql({"url": self.influx.url}, statement)
        shipped = yaml.safe_load((REPOSITORY / "weaviate" / "0001_probabilistic_patterns.yaml").read_text())["up"]
        keys = {"url": self.weaviate.url}
        good(keys, "POST", "/v1/schema", shipped[0]["create_collection"])
        good(keys, "POST", "/v1/aliases", shipped[1]["create_alias"])
        collection = shipped[0]["create_collection"]["class"]
        good(keys, "POST", f"/v1/schema/{collection}/tenants", [{"name": TENANT}])

    def patterns(self) -> weaviate.WeaviateAsyncClient:
        host, port = self.weaviate.grpc.split(":")
        return weaviate.use_async_with_custom(
            http_host=host,
            http_port=self.weaviate.listens[0],
            http_secure=False,
            grpc_host=host,
            grpc_port=int(port),
            grpc_secure=False,
            skip_init_checks=True,
        )


def run(minutes: float) -> Acknowledged:
    """Load for so long and look for all of it. Raises AssertionError for what was acknowledged and is not there."""
    kept = Acknowledged()
    for name in ("psycopg.pool", "clickhouse_connect"):  # of every attempt while the server is away
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        # The other tests run it with asynchronous commits, which a kill loses.
        postgres = databases.Postgres15(settings={"synchronous_commit": "on"})
        made = (postgres, KeptRedis(), databases.Influx1(), databases.Weaviate(), KilledClickhouse())
        for each in made:
            stack.enter_context(each)
        stand = Stand(*made)
        stand.prepare()
        asyncio.run(_load(stand, kept, minutes * 60))
        _look(stand, kept)
    return kept


async def _load(stand: Stand, kept: Acknowledged, seconds: float) -> None:
    end = time.monotonic() + seconds
    cache = Cache.of(stand.redis.url)
    model = _model(stand.postgres.url)
    async with Database(stand.postgres.url, wait_seconds=2) as database, stand.patterns() as client:
        await Events(cache.client).make_groups()
        work: list[Callable[[int], Awaitable[None]]] = [
            *_of_postgres(database, cache, model, kept),
            *_of_events(Events(cache.client), kept),
            _points(TimeSeries(stand.influx.url, seconds=3), kept),
            _patterns(Patterns(client, TENANT), kept),
            *writers(stand.clickhouse.client(), kept.feedback, kept.metrics),
        ]
        await asyncio.gather(_restarts(stand.servers, end, seconds), *(_again(each, end, kept) for each in work))
        await cache.aclose()


async def _again(work: Callable[[int], Awaitable[None]], end: float, kept: Acknowledged) -> None:
    n = 0
    while time.monotonic() < end:
        try:
            await work(n)
        except DataPathError as error:
            kept.errors[type(error).__name__] += 1
        except Exception as error:  # each is a fault of ours: `run` tells them, and its caller fails
            kept.unnamed[f"{type(error).__name__}: {str(error)[:120]}"] += 1
        n += 1
        await asyncio.sleep(0.02)


async def _restarts(servers: Sequence[Server | KilledClickhouse], end: float, seconds: float) -> None:
    """Kill each server twice, in turn, between the first and the last tenth of the time."""
    order = [each for _ in range(RESTARTS) for each in servers]
    begun = end - seconds
    for place, each in enumerate(order):
        moment = begun + seconds * (0.1 + 0.8 * place / len(order))
        await asyncio.sleep(max(0, moment - time.monotonic()))
        each.kill()
        await asyncio.sleep(0.5)
        each.launch()  # in this thread: a server ends with the thread that began it
        while not await asyncio.to_thread(each.ready):
            await asyncio.sleep(0.05)
        print(f"{each.what} was killed and answers again", flush=True)


def _of_postgres(
    database: Database, cache: Cache, model: UUID, kept: Acknowledged
) -> list[Callable[[int], Awaitable[None]]]:
    features, predictions = FeatureStore(database, cache), PredictionStore(database, cache)
    feature = UUID(str(FEATURE))

    async def batch(_: int) -> None:
        at = datetime.now(UTC)
        stored = await features.store_batch(FeatureRow(f"L{n}", at, feature, 1.5, 0.9, 0.9) for n in range(ROWS))
        assert stored.stored == ROWS, stored
        kept.features.append(at)

    async def predict(_: int) -> None:
        at = datetime.now(UTC)
        made = await predictions.store(Prediction(model, "L0", at, "1d", "price_target", 10.0, 0.9, 9.5))
        kept.predictions.append(made)
        await predictions.record_actual(made, at, 11.0)
        kept.actuals.append(made)

    async def read(_: int) -> None:
        await features.matrix([f"L{n}" for n in range(ROWS)], [feature])
        await predictions.latest("L0", model, "1d")
        kept.reads += 1

    return [batch, predict, read]


def _of_events(events: Events, kept: Acknowledged) -> list[Callable[[int], Awaitable[None]]]:
    async def append(n: int) -> None:
        fields = dict.fromkeys(STREAMS[STREAM].fields, str(n))
        kept.events.append(await events.append(STREAM, TENANT, fields))

    async def consume(n: int) -> None:
        found = await (
            events.claim(STREAM, GROUP, "one", idle=1) if n % 20 == 19 else events.read(STREAM, GROUP, "one")
        )
        kept.consumed.update(each.id for each in found.events)
        await events.ack(STREAM, GROUP, found.events)

    return [append, consume]


def _points(series: TimeSeries, kept: Acknowledged) -> Callable[[int], Awaitable[None]]:
    async def write(n: int) -> None:
        at = datetime.now(UTC)
        await series.write_features([FeaturePoint("L0", "load", at, float(n))])
        kept.points.append(at)

    return write


def _patterns(patterns: Patterns, kept: Acknowledged) -> Callable[[int], Awaitable[None]]:
    async def store(n: int) -> None:
        name = f"p{n}"
        at = datetime.now(UTC)
        await patterns.store([Pattern(name, "L0", "technical", "trending", 0.9, 0.5, at, (1.0, n % 7, 0.5))])
        kept.patterns.append(name)

    return store


def _model(url: str) -> UUID:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT model_id FROM ml_models LIMIT 1").fetchone()
    assert row is not None
    return UUID(str(row[0]))


def _look(stand: Stand, kept: Acknowledged) -> None:
    """Each thing that was acknowledged is there, and of a batch all or nothing."""
    with psycopg.connect(stand.postgres.url) as connection:
        batches = dict(connection.execute("SELECT timestamp, count(*) FROM ml_feature_store GROUP BY 1").fetchall())
        found = connection.execute("SELECT prediction_id, actual_value FROM ml_predictions").fetchall()
    assert {*batches.values()} <= {ROWS}, "a batch was stored in part"
    _none_lost("features", kept.features, batches)
    _none_lost("predictions", kept.predictions, [each for each, _ in found])
    _none_lost("actual values", kept.actuals, [each for each, actual in found if actual is not None])
    with redis.Redis.from_url(stand.redis.url) as client:
        stream = [each.decode() for each, _ in client.xrange(STREAMS[STREAM].key)]
    _none_lost("events", kept.events, stream)
    points = influxql({"url": stand.influx.url}, 'SELECT value FROM "vfr_ml"."real_time"."real_time_features"')
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    _none_lost("points", kept.points, [epoch + timedelta(microseconds=each["time"] // 1000) for each in points])
    _none_lost("patterns", kept.patterns, _stored_patterns(stand))
    feedback, metrics = stored(stand.clickhouse.client())
    _none_lost("feedback events", kept.feedback, feedback)
    _none_lost("batches of metrics", kept.metrics, metrics)
    assert {*metrics.values()} <= {AT_ONCE}, "metrics were stored in part, or twice"


def _stored_patterns(stand: Stand) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        path = f"/v1/objects?class=ProbabilisticPatternV1&tenant={TENANT}&limit=1000&after={after}"
        page = good({"url": stand.weaviate.url}, "GET", path)["objects"]
        if not page:
            return found
        found += [each["properties"]["pattern_id"] for each in page]
        after = page[-1]["id"]


def _none_lost(what: str, acknowledged: Sequence[object], found: object) -> None:
    there = set(found)  # type: ignore[call-overload]
    lost = [each for each in acknowledged if each not in there]
    assert not lost, f"{len(lost)} of {len(acknowledged)} {what} were acknowledged and are lost: {lost[:3]}"
    print(f"{len(acknowledged):>8,} {what} acknowledged, none lost", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    kept = run(parser.parse_args().minutes)
    print(f"{kept.reads:>8,} reads, {len(kept.consumed):,} events consumed")
    for name, count in kept.errors.most_common():
        print(f"{count:>8,} {name}")
    for name, count in kept.unnamed.most_common():
        print(f"{count:>8,} without a name of ours: {name}")
    return 1 if kept.unnamed else 0


if __name__ == "__main__":
    sys.exit(main())

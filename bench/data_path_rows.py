"""The rows that the data path is measured on, and the ways to store them that it is measured against."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import psycopg

from tests.servers.rest import influxql
from tests.vfr.postgres import migrations
from vfr_data.database import Database
from vfr_data.features import FeatureRow, FeatureStore

_SPACE = UUID("4f0c5a55-0000-4000-8000-000000000001")
FEATURES = [uuid5(_SPACE, f"feature {n}") for n in range(50)]
FUNDAMENTAL, MODEL = FEATURES[0], uuid5(_SPACE, "model")
BATCH = "BENCH"
"""What the tickers of a batch begin with: no others do."""
COLUMNS = (
    "ticker, timestamp, feature_id, value, confidence_score, data_quality_score, source_provider, validation_status"
)
# As the design document has them.
SEED_MATRIX = """
SELECT DISTINCT ON (ticker, feature_id) ticker, feature_id, value, confidence_score, timestamp FROM ml_feature_store
WHERE ticker = ANY(%s) AND feature_id = ANY(%s) AND timestamp <= %s AND validation_status = 'valid'
ORDER BY ticker, feature_id, timestamp DESC
"""
SEED_ACTUAL = """
UPDATE ml_predictions SET actual_value = %s, prediction_error = %s - predicted_value, actual_timestamp = %s
WHERE prediction_id = %s
"""
_DEFINITIONS = """
INSERT INTO ml_feature_definitions (feature_id, feature_name, feature_type, data_type, calculation_frequency)
VALUES (%s, %s, %s, 'float', '1d')
"""
_MODEL = """
INSERT INTO ml_models (model_id, model_name, model_version, model_type, algorithm_family, objective, target_variable,
    prediction_horizon, hyperparameters)
VALUES (%s, 'bench', '1', 'xgboost', 'tree_based', 'price_prediction', 'close', '1d', '{"depth": 6}')
"""
_VALUES = f"""
INSERT INTO ml_feature_store ({COLUMNS})
SELECT 'T' || t, now() - interval '1 minute' - (%(days)s::float8 / %(times)s * n) * interval '1 day', f,
    round((random() * 100)::numeric, 4), round((0.5 + random() / 2)::numeric, 4), 0.95, 'bench', 'valid'
FROM generate_series(0, %(times)s - 1) n, generate_series(0, %(tickers)s - 1) t, unnest(%(features)s::uuid[]) f
"""
_PREDICTIONS = """
INSERT INTO ml_predictions (model_id, ticker, prediction_timestamp, prediction_horizon, prediction_type,
    predicted_value, confidence_score, current_price, execution_time_ms)
SELECT %(model)s, 'T' || n %% %(tickers)s, now() - (%(days)s::float8 / %(count)s * n) * interval '1 day', '1d',
    'price_target', 100, 0.9, 99, 12
FROM generate_series(1, %(count)s) n
"""


def filled(url: str, folder: Path, given: argparse.Namespace) -> str:
    """The url of a database at the head with the rows asked for, made unless `folder` has them."""
    made = migrated(url)
    mark, wanted = folder / "filled.json", [given.rows, given.predictions, given.days]
    if not mark.exists() or json.loads(mark.read_text()) != wanted:
        begun = time.monotonic()
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute("TRUNCATE ml_feature_definitions, ml_models CASCADE")
        fill(made, given)
        print(f"{given.rows:,} rows and {given.predictions:,} predictions in {time.monotonic() - begun:.0f} s")
        mark.write_text(json.dumps(wanted))
    return made


def migrated(url: str) -> str:
    """The url of a database at the head, which is made if it is not there."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = 'bench'").fetchone() is None:
            connection.execute("CREATE DATABASE bench")
    base, _, query = url.partition("?")
    made = f"{base.rpartition('/')[0]}/bench?{query}"
    migrations.upgrade(made)
    return made


def vfr_ml(url: str) -> None:
    """The database of the fast measurements and its two first tiers, in InfluxDB 1.x."""
    for statement in (
        "CREATE DATABASE vfr_ml",
        "CREATE RETENTION POLICY real_time ON vfr_ml DURATION 24h REPLICATION 1 DEFAULT",
        "CREATE RETENTION POLICY minute_data ON vfr_ml DURATION 30d REPLICATION 1",
    ):
        influxql({"url": url}, statement)


def tickers(given: argparse.Namespace) -> list[str]:
    return [f"T{n}" for n in range(_count(given))]


def fill(url: str, given: argparse.Namespace) -> None:
    """Definitions, a model, and as many values and predictions as asked for, made by the server."""
    per = len(FEATURES) * _count(given)
    sizes = {"days": given.days, "tickers": _count(given), "times": max(1, given.rows // per)}
    with psycopg.connect(url) as connection:
        connection.execute("SET statement_timeout = 0")
        kinds = [(each, f"bench_{n}", "technical" if n else "fundamental") for n, each in enumerate(FEATURES)]
        connection.cursor().executemany(_DEFINITIONS, kinds)
        connection.execute(_MODEL, [MODEL])
        connection.execute(_VALUES, {**sizes, "features": FEATURES})
        connection.execute(_PREDICTIONS, {**sizes, "model": MODEL, "count": given.predictions})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _count(given: argparse.Namespace) -> int:
    """How many tickers: ten thousand values of each at the full size."""
    return max(100, min(500, given.rows // 10_000))


def each(count: int) -> Iterator[FeatureRow]:
    """New rows, time by time as they would come."""
    start, at = datetime.now(UTC) - timedelta(days=1), None
    for n in range(count):
        if n % 2_500 == 0:
            at = start + timedelta(seconds=n // 2_500)
        assert at is not None
        yield FeatureRow(f"{BATCH}{n // 50 % 50}", at, FEATURES[n % 50], n % 97 + 0.25, 0.9, 0.95, "bench")


def batch(count: int) -> list[FeatureRow]:
    return list(each(count))


def taken_back(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute(f"DELETE FROM ml_feature_store WHERE ticker LIKE '{BATCH}%'")
        connection.execute("VACUUM ml_feature_store")


def copied(url: str, given: Sequence[FeatureRow]) -> float:
    """Seconds of a plain COPY straight into the table."""
    with psycopg.connect(url) as connection:
        begun = time.perf_counter()
        query = f"COPY ml_feature_store ({COLUMNS}) FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(["varchar", "timestamptz", "uuid", "numeric", "numeric", "numeric", "varchar", "varchar"])
            for row in given:
                copy.write_row((*row[:3], *(Decimal(str(number)) for number in row[3:6]), row.source, "valid"))
        connection.commit()
        taken = time.perf_counter() - begun
    taken_back(url)
    return taken


def one_by_one(url: str, given: Sequence[FeatureRow]) -> float:
    """Seconds of `executemany` with an upsert, which sends in a pipeline."""
    query = (
        f"INSERT INTO ml_feature_store ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, 'valid') "
        "ON CONFLICT (ticker, feature_id, timestamp) DO UPDATE SET value = excluded.value"
    )
    with psycopg.connect(url) as connection:
        begun = time.perf_counter()
        connection.cursor().executemany(query, given)
        connection.commit()
        taken = time.perf_counter() - begun
    taken_back(url)
    return taken


async def stored(url: str, given: Sequence[FeatureRow]) -> float:
    """Seconds of store_batch."""
    async with Database(url, size=1) as database:
        store = FeatureStore(database)
        async with database.transaction():  # connected
            pass
        begun = time.perf_counter()
        found = await store.store_batch(given)
        taken = time.perf_counter() - begun
    assert found.stored == len(given), found
    taken_back(url)
    return taken

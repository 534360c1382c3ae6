"""Loading a data set: definitions, features and predictions into PostgreSQL by COPY, the newest ones into Redis."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from vfr_data.cache import Cache
from vfr_data.database import Connection, Database
from vfr_data.features import FeatureRow, FeatureStore
from vfr_data.generate.plan import Plan

BATCH = 100_000
_FEATURES = """
INSERT INTO ml_feature_definitions (feature_id, feature_name, feature_type, data_type, calculation_frequency)
VALUES (%s, %s, %s, 'float', '1d') ON CONFLICT (feature_id) DO NOTHING
"""
_MODEL = """
INSERT INTO ml_models (model_id, model_name, model_version, model_type, algorithm_family, objective, target_variable,
    prediction_horizon, hyperparameters)
VALUES (%s, %s, '1', 'xgboost', 'tree_based', 'price_prediction', 'close', '1d', '{"depth": 6}')
ON CONFLICT (model_id) DO NOTHING
"""
_STAGE = "CREATE TEMPORARY TABLE generated (LIKE ml_predictions INCLUDING DEFAULTS) ON COMMIT DROP"
_NAMES = (
    "prediction_id, model_id, ticker, prediction_timestamp, prediction_horizon, prediction_type, predicted_value, "
    "confidence_score, current_price, execution_time_ms"
)
_COPY = f"COPY pg_temp.generated ({_NAMES}) FROM STDIN (FORMAT binary)"
_TYPES = ["uuid", "uuid", "varchar", "timestamptz", "varchar", "varchar", "numeric", "numeric", "numeric", "int4"]
_MOVE = f"INSERT INTO ml_predictions ({_NAMES}) SELECT {_NAMES} FROM pg_temp.generated ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Loaded:
    """Rows that are there now: those of a run before count too."""

    features: int
    predictions: int
    rejected: int
    reasons: dict[str, int]


async def load(
    plan: Plan, database: Database, cache: Cache | None, progress: Callable[[int, int], None] | None = None
) -> Loaded:
    """Load a data set. A second run of the same plan changes nothing; one that was killed is finished by the next.

    `progress` is told rows done and rows in all. Months without a partition are rejected, and named in `reasons`.
    """
    async with database.transaction() as connection:
        await _define(connection, plan)
    store = FeatureStore(database, cache, lambda: plan.until)
    rows, done, stored, rejected = plan.rows(), 0, 0, 0
    reasons: dict[str, int] = {}
    while done < plan.size:
        size = min(BATCH, plan.size - done)
        result = await store.store_batch(_some(rows, size))
        done += size
        stored, rejected = stored + result.stored, rejected + result.rejected
        for reason, count in result.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        if progress:
            progress(done, plan.size)
    return Loaded(stored, await _predict(database, plan), rejected, reasons)


async def _define(connection: Connection, plan: Plan) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _FEATURES, [(each.id, f"{each.name}_{plan.seed}", each.kind) for each in plan.features]
        )
        await cursor.execute(_MODEL, [plan.model, f"generated_{plan.seed}"])


async def _predict(database: Database, plan: Plan) -> int:
    """A prediction of a price for each ticker and day, at the last of the day's times."""
    async with database.transaction() as connection:
        await connection.execute(_STAGE)
        async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            async for row in _predictions(plan):
                await copy.write_row(row)
        await connection.execute(_MOVE)
        mine = "SELECT count(*) FROM ml_predictions WHERE model_id = %s"
        counted = await (await connection.execute(mine, [plan.model])).fetchone()
    return int(counted[0]) if counted else 0


async def _predictions(plan: Plan) -> AsyncIterator[tuple[Any, ...]]:
    chance = random.Random(f"{plan.seed} predictions")
    for name, at in plan.predicted():
        price = round(chance.uniform(20, 200), 2)
        value, confidence = round(price * chance.gauss(1, 0.02), 4), round(chance.uniform(0.5, 1), 4)
        latency = chance.randint(5, 60)
        numbers = (Decimal(str(each)) for each in (value, confidence, price))
        yield (plan.prediction(name, at), plan.model, name, at, "1d", "price_target", *numbers, latency)


def _some(rows: Iterator[FeatureRow], count: int) -> Iterator[FeatureRow]:
    return islice(rows, count)

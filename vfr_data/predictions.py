"""Predictions: stored in PostgreSQL with the newest of the open window in Redis; what came about, and what follows."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from vfr_data.cache import Cache, Client, encoded, is_number
from vfr_data.catalogue import FAMILIES, is_segment
from vfr_data.database import Connection, Database
from vfr_data.errors import BadInput, NotFound
from vfr_data.moments import EPOCH, TICK, Clock, aware, microseconds, now, window
from vfr_data.numbers import is_finite
from vfr_data.tasks import committed, to_the_end

_FAMILY = FAMILIES["prediction"]
_WITHDRAWN = {"at", "type"}
_WINDOW = _FAMILY.window or _FAMILY.ttl
# Of two predictions the later stays, and of one moment the one whose type comes first, as _NEWEST has it. KEYS[1];
# ARGV: microseconds since 1970, second in which the window ends, JSON, type.
_REPLACE = """
local read, was = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
if read and type(was) == 'table' and type(was.at) == 'number' and type(was.type) == 'string' then
  local at = tonumber(ARGV[1])
  if was.at < ARGV[2] * 1000000 and (was.at > at or (was.at == at and was.type < ARGV[4])) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[3])
return redis.call('EXPIREAT', KEYS[1], ARGV[2])
"""
_NEWEST = """
SELECT prediction_id AS id, model_id, ticker, prediction_timestamp AS timestamp, prediction_horizon AS horizon,
    prediction_type AS type, predicted_value::float8 AS value, confidence_score::float8 AS confidence,
    current_price::float8 AS current_price, implied_return::float8 AS implied_return,
    probability_up::float8 AS probability_up, probability_down::float8 AS probability_down
FROM ml_predictions
WHERE model_id = %s AND ticker = %s AND prediction_horizon = %s AND prediction_timestamp >= %s
    AND prediction_timestamp < %s
ORDER BY prediction_timestamp DESC, prediction_type COLLATE "C" LIMIT 1
"""
# Errors of a price and of a probability have no common unit, so each type and horizon is measured by itself.
_MEASURED = """
SELECT prediction_type, prediction_horizon, count(*) AS known, avg(absolute_error)::float8 AS mae,
    sqrt(avg(squared_error))::float8 AS rmse, avg(direction_correct::integer)::float8 AS accuracy
FROM ml_predictions
WHERE model_id = %s AND prediction_timestamp >= %s AND prediction_timestamp < %s AND actual_value IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2
"""
_DAY = """
SELECT count(*) AS prediction_count, avg(direction_correct::integer)::float8 AS accuracy,
    (percentile_cont(0.95) WITHIN GROUP (ORDER BY execution_time_ms))::float8 AS latency_p95_ms
FROM ml_predictions WHERE model_id = %s AND prediction_timestamp >= %s AND prediction_timestamp < %s
"""
_FORGET = """
DELETE FROM ml_model_metrics WHERE model_id = %s AND dataset_type = 'live' AND time_period_start = %s
    AND time_period_end = %s AND calculation_metadata ->> 'writer' = 'vfr_data'
"""
_METRIC = """
INSERT INTO ml_model_metrics
    (model_id, metric_name, metric_value, dataset_type, time_period_start, time_period_end, calculation_metadata)
VALUES (%s, %s, %s, 'live', %s, %s, %s)
"""


@dataclass(frozen=True)
class Prediction:
    """What is stored of one prediction; columns of ml_predictions in other words. `timestamp` has a time zone.

    value: in the unit of the type; confidence, probability_up and probability_down: 0 to 1; current_price: USD;
    implied_return: fraction; execution_ms: milliseconds; freshness_seconds: age of the newest feature.
    """

    model_id: UUID
    ticker: str
    timestamp: datetime
    horizon: str
    type: str
    value: float
    confidence: float
    current_price: float
    probability_up: float | None = None
    probability_down: float | None = None
    implied_return: float | None = None
    features_used: tuple[str, ...] = ()
    feature_vector: Mapping[str, float] | None = None
    execution_ms: int | None = None
    cache_hit: bool = False
    freshness_seconds: int | None = None


@dataclass(frozen=True)
class Latest:
    """The newest prediction of a ticker, model and horizon."""

    id: UUID
    model_id: UUID
    ticker: str
    timestamp: datetime
    horizon: str
    type: str
    value: float
    confidence: float
    current_price: float
    implied_return: float | None
    probability_up: float | None
    probability_down: float | None


_COLUMNS = {
    "model_id": "model_id",
    "ticker": "ticker",
    "timestamp": "prediction_timestamp",
    "horizon": "prediction_horizon",
    "type": "prediction_type",
    "value": "predicted_value",
    "confidence": "confidence_score",
    "current_price": "current_price",
    "probability_up": "probability_up",
    "probability_down": "probability_down",
    "implied_return": "implied_return",
    "features_used": "features_used",
    "feature_vector": "feature_vector",
    "execution_ms": "execution_time_ms",
    "cache_hit": "cache_hit",
    "freshness_seconds": "feature_freshness_seconds",
}
_INSERT = f"""
INSERT INTO ml_predictions ({", ".join(_COLUMNS.values())})
VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)}) RETURNING prediction_id
"""


class PredictionStore:
    """Stores predictions and what came about, and gives the newest one."""

    def __init__(self, database: Database, cache: Cache | None = None, clock: Clock = now) -> None:
        self._database, self._cache, self._clock = database, cache, clock

    async def store(self, prediction: Prediction) -> UUID:
        """Store one prediction; its id, which is unique together with its timestamp.

        Raises BadInput for what a check refuses, such as a second one of the same model, ticker, horizon, type
        and time.
        """
        aware(prediction.timestamp, "timestamp")
        row = {each.name: getattr(prediction, each.name) for each in fields(prediction)}
        row["features_used"] = list(prediction.features_used)
        row["feature_vector"] = None if prediction.feature_vector is None else Jsonb(dict(prediction.feature_vector))
        start, end = window(self._clock(), _WINDOW)
        async with AsyncExitStack() as transaction:
            connection = await transaction.enter_async_context(self._database.transaction())
            stored = await (await connection.execute(_INSERT, row)).fetchone()
            newest = None
            if self._cache and start <= prediction.timestamp < end and _has_key(prediction):
                newest = await _newest(connection, prediction, start, end)
            if newest and self._cache:  # one who ends before it is remembered leaves a miss
                await self._cache.ask(partial(_remember, newest=newest, end=end, what=_place(newest)))
            await committed(transaction.pop_all(), partial(self._remembered, newest, end))
        assert stored is not None  # RETURNING gives the row
        return UUID(str(stored[0]))

    async def _remembered(self, newest: Latest | None, end: datetime) -> None:
        if newest and self._cache:
            await self._cache.ask(partial(_remember, newest=newest, end=end, what=_whole(newest)))

    async def latest(self, ticker: str, model_id: UUID, horizon: str) -> Latest | None:
        """The newest prediction that is not of the future; None where there is none."""
        at = self._clock()
        asked = Asked(ticker, model_id, horizon)
        if self._cache and _has_key(asked):
            found = await self._cached(self._cache, asked, at)
            if found:
                return found
        async with self._database.transaction() as connection:
            return await _newest(connection, asked, EPOCH, at + TICK)

    async def record_actual(
        self, prediction_id: UUID, timestamp: datetime, value: float, measured_at: datetime | None = None
    ) -> None:
        """Record what came about, in the unit of the prediction, and the model's figures of the prediction's day.

        `timestamp` is the prediction's: with it one partition is read. Whether the direction was right is recorded for
        price_target and direction only. Raises NotFound, BadInput for a value that is no finite number.
        """
        measured = measured_at or self._clock()
        aware(timestamp, "timestamp")
        aware(measured, "measured_at")
        if not is_finite(value):
            raise BadInput(f"the actual value of prediction {prediction_id} is {value}; give a finite number")
        async with self._database.transaction() as connection:
            try:
                call = "SELECT update_prediction_actual(%s, %s, %s::numeric, %s)"
                await connection.execute(call, [prediction_id, timestamp, str(value), measured])
            except psycopg.errors.NoDataFound as error:
                message = f"no prediction {prediction_id} of {timestamp.isoformat()}; give its id and its timestamp"
                raise NotFound(message) from error
            of = "SELECT model_id FROM ml_predictions WHERE prediction_id = %s AND prediction_timestamp = %s"
            model = await (await connection.execute(of, [prediction_id, timestamp])).fetchone()
            assert model is not None  # it was just updated
            day = timestamp.astimezone(UTC).date()
            figures = await _measure(connection, model[0], day)
        if self._cache:
            at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            family = FAMILIES["model_day"]
            await to_the_end(self._cache.set(family.key(at, model_id=str(model[0])), figures, family.ttl))

    async def _cached(self, cache: Cache, asked: "Asked", at: datetime) -> Latest | None:
        key = _FAMILY.key(at, model_id=str(asked.model_id), symbol=asked.ticker, horizon=asked.horizon)
        found = await cache.get(key)
        if found is None:
            return None
        latest = _read(found, asked)
        if latest is None:
            cache.refuse(wrong=found.keys() != _WITHDRAWN)
        return latest if latest and latest.timestamp <= at else None


@dataclass(frozen=True)
class Asked:
    """Whose newest prediction is asked for."""

    ticker: str
    model_id: UUID
    horizon: str


def _has_key(of: Asked | Prediction) -> bool:
    return is_segment(of.ticker) and is_segment(of.horizon)


async def _newest(connection: Connection, of: Asked | Prediction, start: datetime, end: datetime) -> Latest | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_NEWEST, [of.model_id, of.ticker, of.horizon, start, end])
        row = await cursor.fetchone()
    return Latest(**row) if row else None


async def _measure(connection: Connection, model_id: UUID, day: date) -> dict[str, Any]:
    """Write the figures of a model and day anew; those for Redis. One at a time for each model and day."""
    lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    await connection.execute(lock, [f"vfr_data {model_id} {day}"])
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    period = [model_id, start, start + timedelta(days=1)]
    await connection.execute(_FORGET, [model_id, day, day])
    async with connection.cursor(row_factory=dict_row) as cursor:
        kinds = await (await cursor.execute(_MEASURED, period)).fetchall()
        figures = await (await cursor.execute(_DAY, period)).fetchone() or {}
    for kind in kinds:
        about = {"writer": "vfr_data", **{name: kind[name] for name in ("prediction_type", "prediction_horizon")}}
        for name in ("mae", "rmse", "accuracy"):
            if kind[name] is not None:
                about["known"] = kind["known"]
                await connection.execute(_METRIC, [model_id, name, kind[name], day, day, Jsonb(about)])
    if len(kinds) == 1:
        figures |= {name: kinds[0][name] for name in ("mae", "rmse")}
    return {name: value for name, value in figures.items() if value is not None}


def _place(newest: Latest) -> dict[str, Any]:
    """What goes by the name of `_WITHDRAWN`: what two predictions are told apart by, and nothing else."""
    return {"at": microseconds(newest.timestamp), "type": newest.type}


def _whole(newest: Latest) -> dict[str, Any]:
    place = _place(newest)
    return {
        **place,
        "predicted_value": newest.value,
        "expected_return": newest.implied_return,
        "confidence_score": newest.confidence,
        "probability_up": newest.probability_up,
        "probability_down": newest.probability_down,
        "created_at": place["at"] // 1000,
        "id": str(newest.id),
        "current_price": newest.current_price,
    }


async def _remember(client: Client, newest: Latest, end: datetime, what: Mapping[str, Any]) -> bool:
    """Keep this of the newest prediction, unless there is a newer one."""
    key = _FAMILY.key(newest.timestamp, model_id=str(newest.model_id), symbol=newest.ticker, horizon=newest.horizon)
    given = [what["at"], int(end.timestamp()), encoded(what), what["type"]]
    await client.register_script(_REPLACE)(keys=[key], args=given)
    return True


def _read(found: Mapping[str, Any], of: Asked) -> Latest | None:
    """What is cached as a prediction; None where a part is of another type."""
    numbers = [found.get(name) for name in ("predicted_value", "confidence_score", "current_price")]
    chances = [found.get(name) for name in ("expected_return", "probability_up", "probability_down")]
    at, kind = found.get("at"), found.get("type")
    if not all(is_number(each) for each in numbers) or not all(each is None or is_number(each) for each in chances):
        return None
    try:
        timestamp = EPOCH + at * TICK if type(at) is int else None
        key = UUID(str(found.get("id")))
    except (ValueError, OverflowError):
        return None
    if timestamp is None or not isinstance(kind, str):
        return None
    value, confidence, price = (float(each) for each in numbers if each is not None)
    return Latest(key, of.model_id, of.ticker, timestamp, of.horizon, kind, value, confidence, price, *chances)

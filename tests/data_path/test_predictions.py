"""Predictions: stored, found again, and measured by what came about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis

from tests.data_path.conftest import AWAY, Result, Site
from tests.vfr.factories.postgres import ML_MODEL
from vfr_data.cache import Cache
from vfr_data.errors import BadInput, NotFound
from vfr_data.predictions import Latest, Prediction, PredictionStore

SECOND = timedelta(seconds=1)
RECORDED = "SELECT prediction_error::float8, squared_error::float8, absolute_error::float8, direction_correct"


def predicted(site: Site, ago: float = 5, **other: Any) -> Prediction:
    given = {"type": "price_target", "value": 110.0, "confidence": 0.9, "current_price": 100.0} | other
    return Prediction(ML_MODEL, "AAPL", site.now - ago * SECOND, "1d", **given)


def run(site: Site, work: Callable[[PredictionStore], Awaitable[Result]], cache: Cache | None = None) -> Result:
    return site.run_with(lambda database, used: work(PredictionStore(database, used, lambda: site.now)), cache)


def store(site: Site, *predictions: Prediction) -> list[UUID]:
    async def work(store: PredictionStore) -> list[UUID]:
        return [await store.store(each) for each in predictions]

    return run(site, work)


def latest(site: Site, cache: Cache | None = None) -> Latest | None:
    return run(site, lambda store: store.latest("AAPL", ML_MODEL, "1d"), cache)


def test_a_prediction_is_stored_whole(site: Site, sql: psycopg.Connection) -> None:
    whole = predicted(site, features_used=("rsi", "sma"), feature_vector={"rsi": 1.5}, execution_ms=12, cache_hit=True)
    [key] = store(site, whole)
    row = "SELECT prediction_id, features_used, feature_vector, execution_time_ms, cache_hit FROM ml_predictions"
    assert sql.execute(row).fetchall() == [(key, ["rsi", "sma"], {"rsi": 1.5}, 12, True)]


def test_the_latest_prediction_is_the_one_of_the_latest_time(site: Site, keys: redis.Redis) -> None:
    assert latest(site) is None
    first, second = store(site, predicted(site, 5), predicted(site, 9, value=120.0))
    found = latest(site)
    assert found is not None
    assert (found.id, found.value, found.timestamp) == (first, 110, site.now - 5 * SECOND)
    keys.flushdb()
    assert latest(site) == found
    assert second != first


def test_a_late_prediction_does_not_hide_a_newer_one_that_is_cached_no_more(site: Site, keys: redis.Redis) -> None:
    [newer] = store(site, predicted(site, 5))
    keys.flushdb()
    store(site, predicted(site, 9, value=120.0))
    [key] = keys.keys()
    assert json.loads(keys.get(key) or "")["id"] == str(newer)
    assert getattr(latest(site), "id", None) == newer


def test_a_prediction_of_the_future_is_not_the_latest(site: Site) -> None:
    [now, _] = store(site, predicted(site, 5), predicted(site, -10))
    assert getattr(latest(site), "id", None) == now


def test_the_latest_prediction_comes_from_redis_while_its_window_is_open(site: Site, sql: psycopg.Connection) -> None:
    store(site, predicted(site, 5))
    sql.execute("DELETE FROM ml_predictions")
    assert getattr(latest(site), "value", None) == 110
    assert latest(site.at(now=site.now + timedelta(minutes=5))) is None


@pytest.mark.parametrize(
    "wrong",
    [{"at": "1"}, {"predicted_value": "110"}, {"id": 7}, {"type": None}, {"at": 10**30}, {"probability_up": []}],
)
def test_a_wrong_cached_prediction_is_a_counted_miss(site: Site, keys: redis.Redis, wrong: dict[str, Any]) -> None:
    [key] = store(site, predicted(site))
    [place] = keys.keys()
    keys.set(place, json.dumps(json.loads(keys.get(place) or "") | wrong))
    cache = Cache.of(site.redis, timeout=5)
    assert getattr(latest(site, cache), "id", None) == key
    assert (cache.counts["hits"], cache.counts["wrong"]) == (0, 1)


def test_redis_away_fails_neither_storing_nor_reading(site: Site) -> None:
    [key] = store(site, predicted(site))

    async def work(store: PredictionStore) -> Latest | None:
        await store.store(predicted(site, 3, value=130.0))
        await store.record_actual(key, site.now - 5 * SECOND, 1)
        return await store.latest("AAPL", ML_MODEL, "1d")

    assert getattr(run(site, work, Cache.of(AWAY)), "value", None) == 130


def test_a_ticker_that_no_key_can_hold_is_stored_and_found(site: Site, keys: redis.Redis) -> None:
    [key] = store(site, replace(predicted(site), ticker="NYSE:A"))
    assert keys.keys() == []
    found = run(site, lambda store: store.latest("NYSE:A", ML_MODEL, "1d"))
    assert getattr(found, "id", None) == key


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"confidence": 1.5}, "chk_confidence_score"),
        ({"value": float("nan")}, "chk_predicted_value"),
        ({"value": float("inf")}, "chk_within_bounds"),
        ({"type": "guess"}, "chk_prediction_type"),
    ],
)
def test_what_a_check_refuses_is_named(site: Site, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        store(site, predicted(site, **wrong))


def test_a_second_prediction_of_the_same_key_is_refused(site: Site) -> None:
    with pytest.raises(BadInput, match="duplicate key value violates unique constraint"):
        store(site, predicted(site), predicted(site))


def test_a_naive_time_is_refused(site: Site) -> None:
    naive = Prediction(ML_MODEL, "AAPL", site.now.replace(tzinfo=None), "1d", "direction", 1, 1, 1)
    with pytest.raises(BadInput, match="timestamp has no time zone"):
        store(site, naive)


def actual(site: Site, prediction: Prediction, value: float) -> tuple[Any, ...]:
    [key] = store(site, prediction)
    run(site, lambda store: store.record_actual(key, prediction.timestamp, value))
    with psycopg.connect(site.postgres) as connection:
        query = f"{RECORDED} FROM ml_predictions WHERE prediction_id = %s"
        return connection.execute(query, [key]).fetchone() or ()


@pytest.mark.parametrize(
    ("kind", "value", "came", "direction"),
    [
        ("price_target", 110.0, 105.0, True),
        ("price_target", 110.0, 95.0, False),
        ("direction", -1.0, -3.0, True),
        ("volatility", 0.2, 0.25, None),
        ("probability", 0.75, 1.0, None),
    ],
)
def test_a_direction_is_right_or_wrong_only_where_there_is_one(
    site: Site, kind: str, value: float, came: float, direction: bool | None
) -> None:
    error, squared, absolute, correct = actual(site, predicted(site, type=kind, value=value), came)
    assert (error, absolute) == (pytest.approx(came - value), pytest.approx(abs(came - value)))
    assert squared == pytest.approx((came - value) ** 2)
    assert correct is direction


def test_an_actual_value_needs_the_right_id_and_time(site: Site) -> None:
    [key] = store(site, predicted(site))
    with pytest.raises(NotFound, match=f"no prediction {key} of "):
        run(site, lambda store: store.record_actual(key, site.now, 1))
    for value in (float("nan"), float("inf")):
        with pytest.raises(BadInput, match="give a finite number"):
            run(site, lambda store, value=value: store.record_actual(key, site.now - 5 * SECOND, value))


def test_recording_reads_one_partition(site: Site, sql: psycopg.Connection) -> None:
    [key] = store(site, predicted(site))
    scanned = """SELECT count(*) FROM pg_stat_xact_user_tables
        WHERE relname LIKE 'ml_predictions_p%%' AND coalesce(seq_scan, 0) + coalesce(idx_scan, 0) > 0"""
    with sql.transaction(force_rollback=True):
        sql.execute("SELECT update_prediction_actual(%s, %s, 1, now())", [key, site.now - 5 * SECOND])
        assert sql.execute(scanned).fetchone() == (1,)
    with sql.transaction(force_rollback=True):
        sql.execute("UPDATE ml_predictions SET actual_value = 1 WHERE prediction_id = %s", [key])
        assert sql.execute(scanned).fetchone() > (1,)  # the seed's way


def metrics(sql: psycopg.Connection) -> list[tuple[Any, ...]]:
    query = """SELECT calculation_metadata ->> 'prediction_type', metric_name, metric_value::float8
        FROM ml_model_metrics WHERE dataset_type = 'live' ORDER BY 1, 2"""
    return sql.execute(query).fetchall()


def test_figures_of_the_day_follow_each_actual_value(site: Site, sql: psycopg.Connection, keys: redis.Redis) -> None:
    noon = site.now.replace(hour=12) - timedelta(days=1)
    first, second, chance = (
        predicted(site.at(now=noon), 5),
        predicted(site.at(now=noon), 9),
        predicted(site.at(now=noon), 5, type="probability", value=0.5),
    )
    actual(site, first, 107)
    assert metrics(sql) == [("price_target", "accuracy", 1), ("price_target", "mae", 3), ("price_target", "rmse", 3)]
    actual(site, second, 99)
    actual(site, chance, 1)
    assert [each for each in metrics(sql) if each[1] == "mae"] == [
        ("price_target", "mae", 7),
        ("probability", "mae", 0.5),
    ]
    found = json.loads(keys.get(f"vfr:_shared:ml:day:{ML_MODEL}:{noon:%Y-%m-%d}") or "")
    assert found == {"prediction_count": 3, "accuracy": 0.5}


def test_many_actual_values_at_once_count_each_once(site: Site, sql: psycopg.Connection) -> None:
    moments = [site.now.replace(hour=12, minute=0) - timedelta(days=1, seconds=n) for n in range(8)]
    predictions = [predicted(site.at(now=at), 0) for at in moments]
    ids = store(site, *predictions)

    async def work(store: PredictionStore) -> None:
        pairs: list[tuple[UUID, datetime]] = list(zip(ids, moments, strict=True))
        await asyncio.gather(*(store.record_actual(key, at, 111) for key, at in pairs))

    run(site, work)
    assert metrics(sql) == [("price_target", "accuracy", 1), ("price_target", "mae", 1), ("price_target", "rmse", 1)]
    query = "SELECT DISTINCT calculation_metadata ->> 'known' FROM ml_model_metrics WHERE dataset_type = 'live'"
    assert sql.execute(query).fetchall() == [("8",)]

"""Models: loaded once, from Redis after that."""

from __future__ import annotations

import json
from uuid import UUID

import psycopg
import pytest
import redis

from tests.data_path.conftest import AWAY, Site
from tests.vfr.factories.postgres import DATASET, FEATURE, ML_MODEL, OTHER_FEATURE
from vfr_data.cache import Cache
from vfr_data.errors import NotFound
from vfr_data.registry import Model, ModelRegistry

UPDATE = """UPDATE ml_models SET hyperparameters = '{"depth": 6}', model_artifact_path = 's3://models/1',
    test_score = 0.75, feature_set_id = %s WHERE model_id = %s"""


def load(site: Site, model: UUID = ML_MODEL, cache: Cache | None = None) -> Model:
    return site.run_with(lambda database, used: ModelRegistry(database, used).load(model), cache)


def test_a_model_has_its_inputs_in_the_order_of_its_dataset(site: Site, sql: psycopg.Connection) -> None:
    sql.execute("UPDATE ml_datasets SET feature_ids = %s WHERE dataset_id = %s", [[OTHER_FEATURE, FEATURE], DATASET])
    sql.execute(UPDATE, [DATASET, ML_MODEL])
    for _ in range(2):
        found = load(site)
        assert (found.model_path, found.hyperparameters) == ("s3://models/1", {"depth": 6})
        assert (found.feature_names, found.performance_metrics) == (("other", "base"), {"test_score": 0.75})
    assert load(site, cache=Cache.of(AWAY)) == found


def test_a_model_comes_from_redis_until_it_is_forgotten(site: Site, sql: psycopg.Connection) -> None:
    load(site)
    sql.execute("UPDATE ml_models SET model_artifact_path = 's3://models/2' WHERE model_id = %s", [ML_MODEL])
    assert load(site).model_path != "s3://models/2"
    site.run_with(lambda database, cache: ModelRegistry(database, cache).forget(ML_MODEL))
    assert load(site).model_path == "s3://models/2"


def test_a_wrong_cached_model_is_a_counted_miss(site: Site, keys: redis.Redis) -> None:
    right = load(site)
    [key] = keys.keys()
    keys.set(key, json.dumps(json.loads(keys.get(key) or "") | {"feature_names": "rsi"}))
    cache = Cache.of(site.redis, timeout=5)
    assert load(site, cache=cache) == right
    assert (cache.counts["hits"], cache.counts["wrong"]) == (0, 1)


def test_a_model_that_is_not_there_is_named(site: Site) -> None:
    with pytest.raises(NotFound, match="no model 00000000-0000-0000-0000-000000000194 in ml_models"):
        load(site, UUID(int=404))

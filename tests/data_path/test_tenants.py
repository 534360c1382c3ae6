"""What a tenant has in Redis, apart from every other's; and rows to train on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.data_path.conftest import AWAY, FEATURE, Result, Site
from tests.vfr.factories import redis as shipped
from vfr_data.cache import Cache
from vfr_data.catalogue import FAMILIES
from vfr_data.errors import BadInput
from vfr_data.features import FeatureRow, FeatureStore
from vfr_data.tenants import TenantCache
from vfr_data.training import TrainingData

OF_A_TENANT = [each for each in FAMILIES.values() if "{tenant_id}" in each.pattern]


def run(
    site: Site, work: Callable[[TenantCache, TenantCache], Awaitable[Result]], cache: Cache | None = None
) -> Result:
    async def whole(_: Any, used: Cache) -> Result:
        acme, globex = (TenantCache(used, each, lambda: site.now) for each in ("acme", "globex"))
        return await work(acme, globex)

    return site.run_with(whole, cache)


@pytest.mark.parametrize("family", OF_A_TENANT, ids=lambda each: each.name)
def test_every_family_of_a_tenant_is_written_and_read_by_that_tenant_alone(
    site: Site, keys: redis.Redis, family: Any
) -> None:
    value = shipped.VALUES[family.name]
    parts = {name: text for name, text in shipped.PARTS.items() if f"{{{name}}}" in family.pattern}

    async def work(acme: TenantCache, globex: TenantCache) -> tuple[Any, Any]:
        if family.type == "json":
            assert await acme.put(family.name, value, **parts)
            return await acme.get(family.name, **parts), await globex.get(family.name, **parts)
        assert await acme.update(family.name, value, **parts)
        return await acme.fields(family.name, **parts), await globex.fields(family.name, **parts) or None

    assert run(site, work) == (value, None)
    [key] = keys.keys()
    assert key.decode().startswith("vfr:acme:")
    assert 0 < keys.ttl(key) <= family.ttl


def test_a_field_is_written_alone(site: Site) -> None:
    async def work(acme: TenantCache, _: TenantCache) -> dict[str, str]:
        await acme.update("learning_state", {"learning_rate": 0.5, "feedback_count": 1}, model_id="m", user_id="u")
        await acme.update("learning_state", {"feedback_count": 2}, model_id="m", user_id="u")
        return await acme.fields("learning_state", model_id="m", user_id="u")

    assert run(site, work) == {"learning_rate": "0.5", "feedback_count": "2"}


def test_a_tenant_cannot_be_given_again_and_a_family_without_one_is_refused(site: Site) -> None:
    async def other(acme: TenantCache, globex: TenantCache) -> Any:
        await globex.put("uncertainty", {"a": 1}, symbol="AAPL", service_name="s")
        return await acme.get("uncertainty", symbol="AAPL", service_name="s", tenant_id="globex")

    assert run(site, other) is None
    with pytest.raises(BadInput, match="'model' is no json family of a tenant; give one of probability_l1, "):
        run(site, lambda acme, _: acme.get("model", model_id="m"))


def test_redis_away_finds_nothing_of_a_tenant(site: Site) -> None:
    async def work(acme: TenantCache, _: TenantCache) -> tuple[Any, ...]:
        parts = {"model_id": "m", "user_id": "u"}
        return await acme.update("learning_state", {"a": 1}, **parts), await acme.fields("learning_state", **parts)

    assert run(site, work, Cache.of(AWAY)) == (False, {})


def test_training_rows_come_in_pieces_oldest_first(site: Site) -> None:
    pytest.importorskip("pyarrow")
    hours = [site.now - timedelta(hours=n) for n in range(1, 8)]

    async def work(database: Any, _: Cache) -> list[Any]:
        await FeatureStore(database).store_batch([FeatureRow("AAPL", at, FEATURE, 1.5) for at in hours])
        batches = TrainingData(database).batches(["AAPL"], [FEATURE], hours[-1], hours[0], size=4)
        return [each async for each in batches]

    pieces = site.run_with(work)
    assert [each.num_rows for each in pieces] == [4, 2]
    found = [at for each in pieces for at in each.column("timestamp").to_pylist()]
    assert found == hours[:0:-1]
    assert pieces[0].schema.names == ["ticker", "feature_id", "timestamp", "value", "confidence", "quality"]

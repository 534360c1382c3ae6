"""Writers of ClickHouse's own tables: what is stored once, what comes back as it was, and what is refused."""

from __future__ import annotations

import asyncio
import math
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.data_path.analytics import EVENT, HOUR, METRIC, NOW
from tests.data_path.platform import Platform
from tests.load_clickhouse import KilledClickhouse
from vfr_data.errors import BadInput, StorageError
from vfr_data.feedback import Feedback, FeedbackEvent, LayerMetric, LayerMetrics


def test_feedback_is_stored_once_and_read_of_its_tenant(platform: Platform) -> None:
    feedback = Feedback(platform.clickhouse())

    async def work() -> tuple[list[FeedbackEvent], list[FeedbackEvent]]:
        later = replace(EVENT, feedback_id=uuid4(), timestamp=NOW + timedelta(seconds=1), models_updated=())
        await feedback.store([later, EVENT])
        await feedback.store([EVENT])  # sent again, in another batch
        await feedback.store([replace(EVENT, tenant_id="globex")])
        assert await feedback.of("acme", EVENT.prediction_id) == [EVENT, later]
        return await feedback.of("globex", EVENT.prediction_id), await feedback.of("acme", uuid4())

    assert asyncio.run(work()) == ([replace(EVENT, tenant_id="globex")], [])


def test_metrics_that_are_sent_again_are_stored_once(platform: Platform) -> None:
    metrics = LayerMetrics(platform.clickhouse())
    others = [
        replace(METRIC, timestamp=NOW + timedelta(seconds=n), service_name="probabilistic-learning") for n in (1, 2)
    ]

    async def work() -> list[LayerMetric]:
        for _ in range(2):
            await metrics.store([METRIC, *others])
        await metrics.store([replace(METRIC, tenant_id="globex")])
        with pytest.raises(BadInput, match="start has no time zone"):
            await metrics.between("acme", datetime(2026, 1, 1), NOW)
        return await metrics.between("acme", NOW, others[1].timestamp)

    assert asyncio.run(work()) == [METRIC, others[0]]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"predicted_confidence": 1.5}, "chk_predicted_confidence"),
        ({"actual_return": math.nan}, "chk_actual_return"),
        ({"success": None}, "chk_success"),
        ({"predicted_direction": "UP"}, "chk_predicted_direction"),
        ({"timestamp": NOW - 2 * HOUR}, "chk_timestamp"),
        ({"timestamp": datetime(2026, 1, 2)}, "timestamp has no time zone"),
        ({"models_updated": ("",)}, "chk_models_updated"),
        ({"prediction_id": UUID(int=0)}, "chk_prediction_id"),
        ({"symbol": "aapl"}, "chk_symbol_capitals"),
    ],
)
def test_feedback_that_is_wrong_is_named_and_none_of_it_is_stored(
    platform: Platform, wrong: dict[str, Any], why: str
) -> None:
    feedback, fine = Feedback(platform.clickhouse()), replace(EVENT, prediction_id=uuid4(), feedback_id=uuid4())
    with pytest.raises(BadInput, match=why):
        asyncio.run(feedback.store([fine, replace(fine, feedback_id=uuid4(), **wrong)]))
    assert asyncio.run(feedback.of("acme", fine.prediction_id)) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"layer_confidence": math.inf}, "chk_layer_confidence"),
        ({"calibration_score": -0.1}, "chk_calibration_score"),
        ({"layer_type": "UNKNOWN"}, "chk_layer_type"),
        ({"processing_time_ms": -1}, "processing_time_ms|cannot take it"),
        ({"tenant_id": "Acme"}, "chk_tenant_slug"),
        ({"last_training_update": datetime(2026, 1, 2)}, "last_training_update has no time zone"),
    ],
)
def test_metrics_that_are_wrong_are_named(platform: Platform, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        asyncio.run(LayerMetrics(platform.clickhouse()).store([replace(METRIC, **wrong)]))


@pytest.mark.parametrize(
    ("table", "row"), [("model_feedback_events", FeedbackEvent), ("probability_metrics_realtime", LayerMetric)]
)
def test_fields_are_the_columns(platform: Platform, table: str, row: type) -> None:
    columns = [each[0] for each in platform.clickhouse().query(f"DESCRIBE TABLE {table}").result_rows]
    assert {each.name for each in fields(row)} == {*columns}


def test_what_a_killed_clickhouse_did_not_answer_is_sent_again_and_stored_once() -> None:
    with KilledClickhouse() as server:
        server.prepare()

        async def work() -> list[LayerMetric]:
            metrics = LayerMetrics(server.client())
            await metrics.store([METRIC])
            server.kill()
            with pytest.raises(StorageError, match="send it again"):
                await metrics.store([METRIC])
            await asyncio.to_thread(server.launch)
            await metrics.store([METRIC])
            return await metrics.between("acme", NOW, NOW + HOUR)

        assert asyncio.run(work()) == [METRIC]

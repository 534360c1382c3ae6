"""What became of predictions, and how their layers do: the tables of ClickHouse that an application writes itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from vfr_data.analytics import Table
from vfr_data.moments import aware

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class FeedbackEvent:
    """What became of one prediction; fields are the columns of model_feedback_events, all of them to be said.

    prediction_id and prediction_timestamp: those of the decision. Directions are BUY, SELL or HOLD. Confidence and its
    calibration error are 0 to 1, returns and their error fractions, weight, magnitude and volatility 0 or more.
    """

    feedback_id: UUID
    prediction_id: UUID
    prediction_timestamp: datetime
    timestamp: datetime
    symbol: str
    user_id: UUID
    predicted_direction: str
    actual_direction: str
    predicted_confidence: float
    actual_return: float
    expected_return: float
    success: bool
    prediction_error: float
    confidence_calibration_error: float
    impact_score: float
    models_updated: tuple[str, ...]
    update_magnitude: float
    retraining_triggered: bool
    market_volatility: float
    market_regime: str
    tenant_id: str


@dataclass(frozen=True)
class LayerMetric:
    """How a layer does at a moment; fields are the columns of probability_metrics_realtime, all of them to be said.

    layer_type: indicator, ensemble, meta or adaptive. Confidence, uncertainty, accuracy and calibration are 0 to 1.
    """

    timestamp: datetime
    symbol: str
    service_name: str
    user_id: UUID
    layer_type: str
    layer_confidence: float
    layer_uncertainty: float
    prediction_accuracy: float
    calibration_score: float
    processing_time_ms: int
    model_version: str
    last_training_update: datetime
    tenant_id: str


class Feedback:
    """Stores and reads what became of predictions. `client` is as for Decisions."""

    def __init__(self, client: "Client") -> None:
        self._table = Table(client, "model_feedback_events", FeedbackEvent)

    async def store(self, events: Sequence[FeedbackEvent]) -> None:
        """Store events; one that is sent again, with the same tenant, symbol, time and id, stays one row.

        Raises BadInput and StorageError as Decisions.store does.
        """
        await self._table.store(events)

    async def of(self, tenant_id: str, prediction_id: UUID) -> list[FeedbackEvent]:
        """What became of a prediction of the tenant, the oldest first."""
        where = "FINAL WHERE tenant_id = {tenant:String} AND prediction_id = {id:UUID} ORDER BY timestamp, feedback_id"
        return await self._table.read(where, tenant=tenant_id, id=prediction_id)


class LayerMetrics:
    """Stores and reads how layers do, of the last 30 days. `client` is as for Decisions."""

    def __init__(self, client: "Client") -> None:
        self._table = Table(client, "probability_metrics_realtime", LayerMetric)

    async def store(self, metrics: Sequence[LayerMetric]) -> None:
        """Store metrics; the same batch sent again is stored once, if fewer than a hundred came between.

        The table has no key by which it would know a single row again. Raises BadInput and StorageError as
        Decisions.store does.
        """
        await self._table.store(metrics)

    async def between(self, tenant_id: str, start: datetime, end: datetime) -> list[LayerMetric]:
        """Metrics of the tenant from `start` until before `end`, the oldest first. Raises BadInput for naive ones."""
        where = (
            "WHERE tenant_id = {tenant:String} AND timestamp >= {start:DateTime64(3, 'UTC')} "
            "AND timestamp < {end:DateTime64(3, 'UTC')} ORDER BY timestamp, service_name, symbol"
        )
        moments = {"start": aware(start, "start"), "end": aware(end, "end")}
        return await self._table.read(where, tenant=tenant_id, **moments)

"""Trading decisions with the probabilities behind them, in ClickHouse under the id of the prediction they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from vfr_data.analytics import Table
from vfr_data.errors import BadInput

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

TABLE = "trading_decisions_probabilistic"


@dataclass(frozen=True)
class Decision:
    """One decision; fields are the columns of trading_decisions_probabilistic, all of them to be said.

    id: that of the prediction. timestamp has a time zone and is kept to the millisecond. indicator_probabilities:
    (indicator, confidence, probability, reliability), the three 0 to 1; model_versions: (name, version). Probabilities,
    confidences, uncertainties, strengths and drawdown are 0 to 1, returns fractions, sizes units of the instrument.
    """

    id: UUID
    tenant_id: str
    timestamp: datetime
    symbol: str
    decision: str
    user_id: UUID
    indicator_probabilities: tuple[tuple[str, float, float, float], ...]
    model_versions: tuple[tuple[str, str], ...]
    ensemble_probability: float
    meta_validation_score: float
    aggregated_confidence: float
    epistemic_uncertainty: float
    aleatoric_uncertainty: float
    consensus_strength: float
    divergence_score: float
    position_size: float
    confidence_adjusted_size: float
    risk_level: str
    max_drawdown_estimate: float
    uncertainty_penalty: float
    expected_return: float
    confidence_interval_lower: float
    confidence_interval_upper: float
    probability_success: float
    market_regime: str
    volatility_score: float
    execution_latency_ms: int
    probability_calculation_time_ms: int


COLUMNS = tuple(each.name for each in fields(Decision))


class Decisions:
    """Stores and reads decisions. `client` is clickhouse-connect's, made with `autogenerate_session_id=False`.

    Calls run in threads: the client waits in them.
    """

    def __init__(self, client: "Client") -> None:
        self._table = Table(client, TABLE, Decision)

    async def store(self, decisions: Sequence[Decision]) -> None:
        """Store decisions; one that is sent again, with the same tenant, symbol, time and id, stays one row.

        Raises BadInput for what a check of the table refuses: none of them is stored then. Raises StorageError when
        the server went away: send them again.
        """
        await self._table.store(decisions)

    async def of(self, tenant_id: str, decision_id: UUID) -> Decision | None:
        """The decision of that id; None where the tenant has none."""
        found = await self._table.read(
            "FINAL WHERE tenant_id = {tenant:String} AND id = {id:UUID}", tenant=tenant_id, id=decision_id
        )
        return found[0] if found else None

    async def newest(self, tenant_id: str, symbol: str, count: int = 10) -> list[Decision]:
        """The last decisions about an instrument, newest first."""
        if count < 1:
            raise BadInput(f"count is {count}; give 1 or more")
        where = "FINAL WHERE tenant_id = {tenant:String} AND symbol = {symbol:String}"
        order = "ORDER BY timestamp DESC, id LIMIT {count:UInt32}"
        return await self._table.read(f"{where} {order}", tenant=tenant_id, symbol=symbol, count=count)

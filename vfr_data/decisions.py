"""Trading decisions with the probabilities behind them, in ClickHouse under the id of the prediction they rest on."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from vfr_data.errors import BadInput, StorageError
from vfr_data.moments import aware

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Result = TypeVar("Result")
TABLE = "trading_decisions_probabilistic"
# Whatever the profile of the user says: what was answered is in the table, and a check that refuses is told.
_SETTINGS = {"async_insert": 0}
_CONSTRAINT = re.compile(r"Constraint `(\w+)`")
_REFUSED = re.compile(r"\(VIOLATED_CONSTRAINT\)|\(CANNOT_PARSE|\(TYPE_MISMATCH\)|\(UNKNOWN_ELEMENT_OF_ENUM\)")


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
_LISTED = ", ".join(COLUMNS)
_ONE = f"SELECT {_LISTED} FROM {TABLE} FINAL WHERE tenant_id = {{tenant:String}} AND id = {{id:UUID}}"
_NEWEST = (
    f"SELECT {_LISTED} FROM {TABLE} FINAL WHERE tenant_id = {{tenant:String}} AND symbol = {{symbol:String}} "
    "ORDER BY timestamp DESC, id LIMIT {count:UInt32}"
)


class Decisions:
    """Stores and reads decisions. `client` is clickhouse-connect's, made with `autogenerate_session_id=False`.

    Calls run in threads: the client waits in them.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client

    async def store(self, decisions: Sequence[Decision]) -> None:
        """Store decisions; one that is sent again, with the same tenant, symbol, time and id, stays one row.

        Raises BadInput for what a check of the table refuses: none of them is stored then. Raises StorageError when
        the server went away: send them again.
        """
        for each in decisions:
            aware(each.timestamp, "timestamp")
        rows = [list(astuple(each)) for each in decisions]
        if rows:
            await self._call(
                lambda: self._client.insert(TABLE, rows, column_names=list(COLUMNS), settings=dict(_SETTINGS))
            )

    async def of(self, tenant_id: str, decision_id: UUID) -> Decision | None:
        """The decision of that id; None where the tenant has none."""
        found = await self._read(_ONE, tenant=tenant_id, id=decision_id)
        return found[0] if found else None

    async def newest(self, tenant_id: str, symbol: str, count: int = 10) -> list[Decision]:
        """The last decisions about an instrument, newest first."""
        if count < 1:
            raise BadInput(f"count is {count}; give 1 or more")
        return await self._read(_NEWEST, tenant=tenant_id, symbol=symbol, count=count)

    async def _read(self, query: str, **parameters: Any) -> list[Decision]:
        found = await self._call(lambda: self._client.query(query, parameters=parameters))
        return [_decision(dict(zip(COLUMNS, row, strict=True))) for row in found.result_rows]

    async def _call(self, work: Callable[[], Result]) -> Result:
        from clickhouse_connect.driver.exceptions import ClickHouseError, DataError

        try:
            return await asyncio.to_thread(work)
        except (DataError, TypeError) as error:
            raise BadInput(f"ClickHouse cannot take it: {_line(error)}; give the types of Decision") from error
        except ClickHouseError as error:
            if _REFUSED.search(str(error)):
                name = found[1] if (found := _CONSTRAINT.search(str(error))) else _line(error)
                raise BadInput(f"{TABLE} refuses it: {name}. None of the decisions is stored; correct it") from error
            raise StorageError(f"ClickHouse: {_line(error)}; send it again, it is stored once") from error
        except OSError as error:
            raise StorageError(f"ClickHouse: {_line(error)}; send it again, it is stored once") from error


def _decision(row: dict[str, Any]) -> Decision:
    at: datetime = row["timestamp"]
    row["timestamp"] = at if at.tzinfo else at.replace(tzinfo=UTC)
    for name in ("indicator_probabilities", "model_versions"):
        row[name] = tuple(tuple(each.values()) if isinstance(each, dict) else tuple(each) for each in row[name])
    return Decision(**row)


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:300].rstrip(".")

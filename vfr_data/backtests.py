"""What a backtest reads: prices, features and the benchmark of an experiment, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import dict_row

from vfr_data import arrow
from vfr_data.database import Database
from vfr_data.errors import BadInput, NotFound
from vfr_data.tasks import together

if TYPE_CHECKING:
    import pyarrow as pa

PRICE = "close"
# From the first day to the end of the last, in UTC.
_EXPERIMENT = """
SELECT experiment_id AS id, model_id, universe_tickers, benchmark_ticker, start_date, end_date
FROM ml_backtesting_experiments WHERE experiment_id = %s
"""
# The inputs of the experiment's model, in the order of the dataset that it was trained on.
_INPUTS = """
SELECT f.id FROM ml_models m JOIN ml_datasets s ON s.dataset_id = m.feature_set_id
CROSS JOIN unnest(s.feature_ids) WITH ORDINALITY f(id, n) WHERE m.model_id = %s ORDER BY f.n
"""
_PRICE = "SELECT feature_id FROM ml_feature_definitions WHERE feature_name = %s"


@dataclass(frozen=True)
class Backtest:
    """What an experiment is made of. The tables are Arrow's, oldest first: ticker, feature_id, timestamp (UTC), value,
    confidence, quality.

    missing: tickers without a price in the period, the benchmark among them.
    """

    experiment_id: UUID
    model_id: UUID
    tickers: tuple[str, ...]
    benchmark_ticker: str | None
    start: date
    end: date
    prices: "pa.Table"
    features: "pa.Table"
    benchmark: "pa.Table"
    missing: tuple[str, ...]

    @property
    def total_samples(self) -> int:
        """Number of prices."""
        return int(self.prices.num_rows)


class BacktestData:
    """Reads experiments. Prices are values of the feature `price_feature`: the shipped tables have none of their own.

    Needs pyarrow.
    """

    def __init__(self, database: Database, price_feature: str = PRICE) -> None:
        self._database, self._price = database, price_feature

    async def load(self, experiment_id: UUID) -> Backtest:
        """The rows of an experiment's period, its last day included, three readings at once.

        Raises NotFound where there is no such experiment, BadInput where no feature has the name of the price.
        """
        async with self._database.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            found = await (await cursor.execute(_EXPERIMENT, [experiment_id])).fetchone()
            if found is None:
                raise NotFound(f"no experiment {experiment_id} in ml_backtesting_experiments; give the id of one")
            priced = await (await cursor.execute(_PRICE, [self._price])).fetchone()
            inputs = [each["id"] for each in await (await cursor.execute(_INPUTS, [found["model_id"]])).fetchall()]
        if priced is None:
            raise BadInput(f"no feature is called {self._price!r}; name the one whose values are prices")
        price, tickers = priced["feature_id"], found["universe_tickers"]
        start = datetime.combine(found["start_date"], datetime.min.time(), UTC)
        end = datetime.combine(found["end_date"], datetime.min.time(), UTC) + timedelta(days=1)
        mark = [found["benchmark_ticker"]] if found["benchmark_ticker"] else []
        prices, features, benchmark = await together(
            self._read(tickers, [price], start, end),
            self._read(tickers, [each for each in inputs if each != price], start, end),
            self._read(mark, [price], start, end),
        )
        have = {*prices["ticker"].unique().to_pylist(), *benchmark["ticker"].unique().to_pylist()}
        return Backtest(
            found["id"],
            found["model_id"],
            tuple(tickers),
            found["benchmark_ticker"],
            found["start_date"],
            found["end_date"],
            prices,
            features,
            benchmark,
            tuple(each for each in dict.fromkeys([*tickers, *mark]) if each not in have),
        )

    async def _read(
        self, tickers: Sequence[str], features: Sequence[UUID], start: datetime, end: datetime
    ) -> "pa.Table":
        import pyarrow as pa

        rows: list[tuple[Any, ...]] = []
        if tickers and features:
            async with self._database.transaction() as connection, connection.cursor(binary=True) as cursor:
                await cursor.execute(arrow.ROWS, [list(tickers), list(features), start, end])
                rows = await cursor.fetchall()
        return pa.Table.from_batches([arrow.batch(rows)])

"""A matrix of features: tickers by features, with how complete and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NO_TIME = np.iinfo(np.int64).min
"""The least integer is how numpy writes NaT."""
_STAMP = np.dtype("datetime64[us]")


class Cell(NamedTuple):
    """One value of the store. `at` is microseconds since 1970-01-01 UTC."""

    value: float
    confidence: float | None
    quality: float | None
    at: int


class Cells(NamedTuple):
    """Values of the store, arrays of one length; NaN for a confidence or quality that there is none of."""

    values: Floats
    confidence: Floats
    quality: Floats
    at: Integers

    def where(self, wanted: NDArray[np.bool_]) -> "Cells":
        """Those of them that are wanted."""
        return Cells(self.values[wanted], self.confidence[wanted], self.quality[wanted], self.at[wanted])


@dataclass(frozen=True)
class FeatureMatrix:
    """Values as of `as_of`; every array has the shape (tickers, features).

    NaN is a value that there is none of, and a confidence or quality that was not computed. `timestamps` are UTC in
    microseconds, NaT where there is no value.
    """

    tickers: tuple[str, ...]
    feature_ids: tuple[UUID, ...]
    as_of: datetime
    values: Floats
    confidence: Floats
    quality: Floats
    timestamps: NDArray[np.datetime64]
    online: int = 0
    """How many values came from Redis."""

    @property
    def found(self) -> int:
        """Number of values."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    @property
    def completeness(self) -> float | None:
        """Share of the values asked for that were found, 0 to 1; None where nothing was asked for."""
        return self.found / self.values.size if self.values.size else None

    @property
    def mean_confidence(self) -> float | None:
        """Mean of the confidences that were computed, 0 to 1; None where there is none."""
        return _mean(self.confidence)

    @property
    def mean_quality(self) -> float | None:
        """Mean of the qualities that were computed, 0 to 1; None where there is none."""
        return _mean(self.quality)

    def to_arrow(self) -> "pa.Table":
        """One row for each value found: ticker, feature_id, timestamp, value, confidence, quality. Needs pyarrow."""
        import pyarrow as pa

        columns = self._long()
        stamps = pa.array(columns.pop("timestamp"), pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        return pa.table({**columns, "timestamp": stamps})

    def to_pandas(self) -> "pd.DataFrame":
        """As to_arrow, as a frame. Needs pandas."""
        import pandas as pd

        columns = self._long()
        columns["timestamp"] = pd.Series(columns["timestamp"]).dt.tz_localize("UTC")
        return pd.DataFrame(columns)

    def _long(self) -> dict[str, Any]:
        rows, columns = np.nonzero(~np.isnan(self.values))
        return {
            "ticker": [self.tickers[row] for row in rows],
            "feature_id": [str(self.feature_ids[column]) for column in columns],
            "timestamp": self.timestamps[rows, columns],
            "value": self.values[rows, columns],
            "confidence": self.confidence[rows, columns],
            "quality": self.quality[rows, columns],
        }


class Filling:
    """A matrix while its values come in; of two of one place the later stays, of one time the last."""

    def __init__(self, tickers: Sequence[str], feature_ids: Sequence[UUID]) -> None:
        self.tickers, self.feature_ids = tuple(dict.fromkeys(tickers)), tuple(dict.fromkeys(feature_ids))
        self.row = {ticker: n for n, ticker in enumerate(self.tickers)}
        self.column = {feature: n for n, feature in enumerate(self.feature_ids)}
        shape = (len(self.tickers), len(self.feature_ids))
        numbers = np.empty((3, *shape))
        numbers.fill(np.nan)
        self._values, self._confidence, self._quality = numbers
        self._at = np.empty(shape, dtype=np.int64)
        self._at.fill(NO_TIME)
        self._online = np.zeros(shape, dtype=bool)

    def put(self, row: int, column: int, cell: Cell, *, online: bool = False) -> None:
        """Put in one value."""
        place = row, column
        if cell.at < self._at[place]:
            return
        self._values[place], self._at[place], self._online[place] = cell.value, cell.at, online
        self._confidence[place] = np.nan if cell.confidence is None else cell.confidence
        self._quality[place] = np.nan if cell.quality is None else cell.quality

    def put_all(
        self,
        rows: Integers,
        columns: Integers,
        values: Floats,
        confidence: Floats,
        quality: Floats,
        at: Integers,
        *,
        online: bool = False,
    ) -> None:
        """Put in many at once: arrays of one length, NaN for a confidence or quality that there is none of."""
        order = np.argsort(at, kind="stable")
        order = order[at[order] >= self._at[rows[order], columns[order]]]
        place = rows[order], columns[order]  # of one place the later comes last, and stays
        self._values[place], self._at[place], self._online[place] = values[order], at[order], online
        self._confidence[place], self._quality[place] = confidence[order], quality[order]

    @property
    def is_full(self) -> bool:
        """Whether no value is missing."""
        return not np.isnan(self._values).any()

    def missing(self) -> tuple[Integers, Integers]:
        """Places of the tickers and of the features of which a value is missing yet."""
        none = np.isnan(self._values)
        return np.nonzero(none.any(axis=1))[0], np.nonzero(none.any(axis=0))[0]

    def holes(self, rows: Integers) -> tuple[Integers, Integers]:
        """Row and column of each value that is missing in these rows."""
        row, column = np.nonzero(np.isnan(self._values[rows]))
        return rows[row], column

    def done(self, as_of: datetime) -> FeatureMatrix:
        stamps = self._at.view(_STAMP)
        arrays = self._values, self._confidence, self._quality, stamps
        return FeatureMatrix(self.tickers, self.feature_ids, as_of, *arrays, online=int(np.count_nonzero(self._online)))


def _mean(numbers: Floats) -> float | None:
    computed = numbers[~np.isnan(numbers)]
    return float(computed.mean()) if computed.size else None

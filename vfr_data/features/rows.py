"""Rows of features as callers give them, and what is wrong with one before it is sent."""

import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from vfr_data.errors import BadInput

EXAMPLES = 20
# UTF-8 has no form for the halves of pairs, and PostgreSQL none for NUL.
_TICKER = re.compile(r"[^a-z\s\0\ud800-\udfff]{1,20}")
_SOURCE = re.compile(r"[^\0\ud800-\udfff]{0,100}")
_BITS = 4096
"""Python writes no text of a much larger integer."""
_COLUMNS = ("ticker", "timestamp", "feature_id", "value", "confidence", "quality", "source")


class FeatureRow(NamedTuple):
    """One value. `confidence` and `quality` are 0 to 1 or None: not computed. `timestamp` has a time zone."""

    ticker: str
    timestamp: datetime
    feature_id: UUID
    value: float | Decimal | None
    confidence: float | Decimal | None = None
    quality: float | Decimal | None = None
    source: str | None = None


Source = Iterable[FeatureRow] | AsyncIterable[FeatureRow]
"""Rows one after the other, an Arrow table or record batch, or a pandas frame with the columns of FeatureRow."""


class Rejected(NamedTuple):
    """A row that is not served: `place` in the batch, from 0, and why."""

    place: int
    reason: str


@dataclass(frozen=True)
class Stored:
    """What became of a batch: stored + rejected + superseded is the number of its rows.

    stored: valid rows that are in the store now; superseded: rows that a later valid one of the batch with the same
    ticker, feature and time replaced; rejected: all others. `reasons` counts those by reason, `examples` are the first.
    """

    stored: int
    rejected: int
    superseded: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: tuple[Rejected, ...] = ()


class Rejections:
    """Counts reasons and keeps the first rows, so that a batch of bad rows takes no memory."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.examples: list[Rejected] = []

    def add(self, reason: str, count: int, indexes: Iterable[int]) -> None:
        self.reasons[reason] += count
        room = EXAMPLES - len(self.examples)
        self.examples.extend(Rejected(index, reason) for index, _ in zip(indexes, range(room), strict=False))


def is_ticker(value: object) -> bool:
    """Whether the shipped tables take it: 1 to 20 characters, no lower-case letter a to z, no blank."""
    return isinstance(value, str) and _TICKER.fullmatch(value) is not None


def wrong(row: FeatureRow) -> str | None:
    """Why a row cannot even be staged; None when it can."""
    ticker, timestamp, feature, value, confidence, quality, source = row
    if not is_ticker(ticker):
        return "ticker is empty, not in capitals, or longer than 20"
    if not isinstance(timestamp, datetime):
        return "timestamp is no datetime"
    if timestamp.tzinfo is None or timestamp.utcoffset() is None:
        return "timestamp is naive: it needs a time zone"
    if not isinstance(feature, UUID):
        return "feature_id is no UUID"
    for name, number in (("value", value), ("confidence", confidence), ("quality", quality)):
        if number is not None and (isinstance(number, bool | str | bytes) or not hasattr(number, "__float__")):
            return f"{name} is no number"
        if isinstance(number, int) and number.bit_length() > _BITS:
            return f"{name} is too large for a number"
    if source is not None and not (isinstance(source, str) and _SOURCE.fullmatch(source)):
        return "source is no text of at most 100 characters"
    return None


async def each_row(source: Any) -> AsyncIterator[FeatureRow]:
    """The rows of any source, in their order, without holding them all. Raises BadInput for what is none."""
    place = 0
    if hasattr(source, "__aiter__"):
        async for each in source:
            yield _row(place, each)
            place += 1
        return
    for each in _rows(source):
        yield _row(place, each)
        place += 1


def _row(place: int, given: Any) -> FeatureRow:
    if isinstance(given, FeatureRow):
        return given
    if isinstance(given, tuple | list) and 4 <= len(given) <= len(_COLUMNS):
        return FeatureRow(*given)
    raise BadInput(f"row {place} is a {type(given).__name__}, no FeatureRow; nothing of the batch is stored")


def _rows(source: Any) -> Iterable[Any]:
    if hasattr(source, "to_batches"):
        source = (row for batch in source.to_batches(10_000) for row in _arrow(batch))
    elif hasattr(source, "to_pylist"):
        source = _arrow(source)
    elif hasattr(source, "itertuples"):
        source = _frame(source)
    if isinstance(source, str | bytes | Mapping) or not hasattr(source, "__iter__"):
        raise BadInput(f"a {type(source).__name__} is no batch; give rows, an Arrow table or a pandas frame")
    return source  # type: ignore[no-any-return]


def _arrow(batch: Any) -> Iterator[tuple[Any, ...]]:
    columns = [_column(batch, name) for name in _COLUMNS]
    for ticker, at, feature, *rest in zip(*columns, strict=True):
        yield (ticker, at, _uuid(feature), *rest)


def _column(batch: Any, name: str) -> list[Any]:
    if name in batch.schema.names:
        return list(batch.column(name).to_pylist())
    return [None] * batch.num_rows


def _frame(frame: Any) -> Iterator[tuple[Any, ...]]:
    """Of a pandas frame; a missing confidence, quality or source is NaN there."""
    names = [name for name in _COLUMNS if name in frame.columns]
    for values in frame[names].itertuples(index=False, name=None):
        row = dict.fromkeys(_COLUMNS) | dict(zip(names, values, strict=True))
        for name in ("confidence", "quality", "source"):
            if row[name] != row[name]:
                row[name] = None
        yield (row["ticker"], row["timestamp"], _uuid(row["feature_id"]), *(row[name] for name in _COLUMNS[3:]))


def _uuid(value: Any) -> Any:
    """A UUID of its text or its 16 bytes; anything else as it is, for `wrong` to name."""
    try:
        if isinstance(value, str):
            return UUID(value)
        return UUID(bytes=value) if isinstance(value, bytes) else value
    except ValueError:
        return value

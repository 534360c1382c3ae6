"""Rows as binary COPY takes them: n, ticker, timestamp, feature_id, three numbers as texts, source.

Packed here rather than by the driver: a driver looks the type of every value up, and knows nothing of tickers and times
that come again and again.
"""

from datetime import UTC, datetime
from decimal import Decimal
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from vfr_data.features.rows import FeatureRow, wrong
from vfr_data.moments import TICK

HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TAIL = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_BOUND = 10**20 - 1
"""From there on PostgreSQL judges: store_staged_features_report has the exact bound of a value."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST, _TIME, _LENGTH = Struct(">hiq"), Struct(">iqi"), Struct(">i")
_KNOWN = 100_000


class Packed(NamedTuple):
    """A row as COPY takes it. `is_plain`: valid for sure; of the others PostgreSQL says what is wrong with a number.

    `reason`: why it cannot be staged at all; there are no bytes then.
    """

    row: bytes
    is_plain: bool
    reason: str | None = None


class Packer:
    """Packs rows in turn; tickers, sources and scores are looked at once, and the time of the row before not again."""

    def __init__(self) -> None:
        self._tickers: dict[str, bytes] = {}
        self._sources: dict[str | None, bytes] = {None: _NULL}
        self._shares: dict[float, bytes] = {}
        self._at: datetime | None = None
        self._time = b""

    def pack(self, n: int, row: FeatureRow) -> Packed:
        ticker, at, feature, value, confidence, quality, source = row
        # A float alone: 1 and True are equal to 1.0, and only two of them are numbers.
        sure = self._shares.get(confidence) if type(confidence) is float else None
        good = self._shares.get(quality) if type(quality) is float else None
        plain = _is_value(value) and (sure or _is_share(confidence)) and (good or _is_share(quality))
        if not (plain and at is self._at and self._knows(ticker, source) and type(feature) is UUID):
            if reason := wrong(row):
                return Packed(b"", False, reason)
            self._learn(ticker, at, source)
        fixed = _FIRST.pack(8, 8, n), self._tickers[ticker], self._time, feature.bytes
        numbers = _text(value), sure or self._share(confidence), good or self._share(quality)
        return Packed(b"".join((*fixed, *numbers, self._sources[source])), bool(plain))

    def _share(self, share: Any) -> bytes:
        """Scores come again and again, as tickers do."""
        text = _text(share)
        if type(share) is float and 0 <= share <= 1 and len(self._shares) < _KNOWN:
            self._shares[share] = text
        return text

    def _knows(self, ticker: Any, source: Any) -> bool:
        if type(ticker) is not str or ticker not in self._tickers:
            return False
        return source is None or (type(source) is str and source in self._sources)

    def _learn(self, ticker: str, at: datetime, source: str | None) -> None:
        if len(self._tickers) > _KNOWN or len(self._sources) > _KNOWN:
            self._tickers, self._sources = {}, {None: _NULL}
        if ticker not in self._tickers:
            self._tickers[ticker] = _text(ticker)
        if source not in self._sources:
            self._sources[source] = _text(source)
        if at is not self._at:
            self._at, self._time = at, _TIME.pack(8, (at - _EPOCH) // TICK, 16)


def _text(value: object) -> bytes:
    if value is None:
        return _NULL
    text = str(value).encode()
    return _LENGTH.pack(len(text)) + text


def _is_value(value: Any) -> bool:
    if type(value) is float:
        return -_BOUND < value < _BOUND  # false for NaN
    return _is_exact(value) and -_BOUND < value < _BOUND


def _is_share(value: Any) -> bool:
    if value is None:
        return True
    if type(value) is float:
        return 0 <= value <= 1
    return _is_exact(value) and 0 <= value <= 1


def _is_exact(value: Any) -> bool:
    return type(value) is int or (type(value) is Decimal and value.is_finite())

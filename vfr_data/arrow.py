"""Rows of features as Arrow: ticker, feature_id, timestamp (microseconds, UTC), value, confidence, quality."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = """
SELECT ticker, feature_id::text, timestamp, value::float8, confidence_score::float8, data_quality_score::float8
FROM ml_feature_store
WHERE ticker = ANY(%s) AND feature_id = ANY(%s) AND timestamp >= %s AND timestamp < %s AND validation_status = 'valid'
ORDER BY timestamp, ticker, feature_id
"""
"""The valid rows of tickers and features from a moment to before another, oldest first."""


def batch(rows: Sequence[tuple[Any, ...]]) -> "pa.RecordBatch":
    """What ROWS answers, or none of it. Needs pyarrow."""
    import pyarrow as pa

    floats = [pa.field(name, pa.float64()) for name in ("value", "confidence", "quality")]
    stamp = pa.field("timestamp", pa.timestamp("us", "UTC"))
    schema = pa.schema([pa.field("ticker", pa.string()), pa.field("feature_id", pa.string()), stamp, *floats])
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)

"""Batches of features: lines of CSV that go through the staging table."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import psycopg

from ..factories.postgres import FEATURE, NOW

DAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
COPY = """
    COPY staged_features (
        ticker, timestamp, feature_id, value, confidence_score, data_quality_score, source_provider
    ) FROM STDIN WITH (FORMAT csv)
"""
STORED = "SELECT value, confidence_score, source_provider, validation_status FROM ml_feature_store ORDER BY timestamp"
VALUES = "SELECT value, validation_status FROM ml_feature_store ORDER BY ticker, timestamp"
REASONS = "SELECT reason, is_stored FROM invalid_features ORDER BY n"


class Report(NamedTuple):
    """Rows of one batch; staged is the sum of stored, rejected and superseded."""

    staged: int
    stored: int
    invalid: int
    rejected: int
    superseded: int


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def line(hour: float, rest: str, ticker: str = "AAPL") -> str:
    return f"{ticker},{at(hour).isoformat()},{FEATURE},{rest}"


def row(value: str, hour: float = 1) -> str:
    """A line of that value and no scores; an empty value is an empty text."""
    return line(hour, f'"{value}",,,A')


def stage(connection: psycopg.Connection, *lines: str) -> None:
    connection.execute("DROP TABLE IF EXISTS pg_temp.staged_features")
    connection.execute("SELECT public.stage_features()")
    with connection.cursor().copy(COPY) as copy:
        copy.write("\n".join(lines))


def store(connection: psycopg.Connection, *lines: str) -> tuple[int, int, int]:
    """Store the lines of one batch; gives how many were staged, stored and found invalid."""
    stage(connection, *lines)
    (counts,) = connection.execute("SELECT * FROM public.store_staged_features()").fetchall()
    return counts


def report(connection: psycopg.Connection, *lines: str) -> Report:
    stage(connection, *lines)
    (counts,) = connection.execute("SELECT * FROM public.store_staged_features_report()").fetchall()
    return Report(*counts)


def values(connection: psycopg.Connection) -> list[tuple[Decimal | None, str]]:
    return connection.execute(VALUES).fetchall()


def reasons(connection: psycopg.Connection) -> list[tuple[str, bool]]:
    return connection.execute(REASONS).fetchall()

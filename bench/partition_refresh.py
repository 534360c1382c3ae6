"""The refresh of `mv_daily_features` beside its query, and beside the concurrent refresh of before."""

from __future__ import annotations

import time
from typing import NamedTuple

import psycopg

from tests.vfr.postgres import migrations

_BEFORE, _TODAY = "0051", "timestamp >= date_trunc('day', now(), 'UTC')"
# Ninety days of 500 tickers and 20 features, every value of the day some hours apart.
_FILL = """
insert into ml_feature_store (ticker, timestamp, feature_id, value, confidence_score, data_quality_score,
    source_provider, validation_status)
select 'T' || n % 500, date_trunc('day', now(), 'UTC') - interval '1 day' * (n / 10000 % 90)
    + interval '1 hour' * (n / 900000), md5((n / 500 % 20)::text)::uuid, n / 7.0, 0.9, 0.8, 'Polygon', 'valid'
from generate_series(0, {last}) n
"""
# ON ONLY the table itself: what later revisions drop is there, and nobody waits for it to be built.
_INDEXES = """
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid) from pg_index
where indrelid = 'ml_feature_store'::regclass and not indisprimary
"""


class Refreshes(NamedTuple):
    """Seconds: of the query, of the refresh of before, and of ours, where nothing and where one day changed."""

    query: float
    before: float
    nothing: float
    today: float


def refreshes(url: str, rows: int) -> Refreshes:
    """In an empty database. The indexes that neither side uses are left out while rows come in."""
    migrations.upgrade(url, _BEFORE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # the features themselves are not there
        indexes = connection.execute(_INDEXES.encode()).fetchall()
        for drop, _ in indexes:
            connection.execute(str(drop).encode())
        connection.execute(_FILL.format(last=rows - 1).encode())
        connection.execute("vacuum analyze ml_feature_store")
        connection.execute("refresh materialized view mv_daily_features")
        connection.execute("analyze mv_daily_features")
        [(definition,)] = connection.execute("select pg_get_viewdef('mv_daily_features')").fetchall()
        query = f"explain (analyze, timing off) {definition}"
        queries = [_seconds(connection, query)]
        before = _seconds(connection, "select refresh_daily_features()")
        queries.append(_seconds(connection, query))
        for _, make in indexes:
            connection.execute(str(make).encode())
        migrations.upgrade(url)
        connection.execute("select refresh_daily_features()")
        connection.execute("vacuum analyze mv_daily_features")
        nothing = _seconds(connection, "select refresh_daily_features()")
        queries.append(_seconds(connection, query))
        connection.execute(f"update ml_feature_store set value = value + 1 where {_TODAY}".encode())
        today = _seconds(connection, "select refresh_daily_features()")
    return Refreshes(sorted(queries)[1], before, nothing, today)


def _seconds(connection: psycopg.Connection, statement: str) -> float:
    began = time.perf_counter()
    connection.execute(statement.encode())
    return time.perf_counter() - began

"""feast on the rows of the data path: as of a moment from PostgreSQL, and the newest from Redis.

It runs in a process and an environment of its own, and gets its rows as it wants them: a table with a column for each
feature and an index by ticker and time, made before anything is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench import data_path_rows as rows
from vfr_data.cache import Cache
from vfr_data.database import Database
from vfr_data.features import FeatureMatrix, FeatureRow, FeatureStore

TABLE = "bench_wide"
_SCRIPT = """
import json, sys, time
from datetime import datetime, timedelta
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Float64
from feast.value_type import ValueType

given = json.load(open(sys.argv[1]))
store = FeatureStore(config=RepoConfig(
    project="bench", provider="local", registry=given["folder"] + "/registry.db", entity_key_serialization_version=3,
    offline_store={"type": "postgres", **given["postgres"]},
    online_store={"type": "redis", "connection_string": given["redis"]},
))
ticker = Entity(name="ticker", join_keys=["ticker"], value_type=ValueType.STRING)
source = PostgreSQLSource(name="wide", query=f"SELECT * FROM {given['table']}", timestamp_field="event_timestamp")
view = FeatureView(name="wide", entities=[ticker], ttl=timedelta(days=400), source=source, online=True,
                   schema=[Field(name=name, dtype=Float64) for name in given["features"]])
store.apply([ticker, view])
at, names = datetime.fromisoformat(given["at"]), ["wide:" + name for name in given["features"]]
asked = pd.DataFrame({"ticker": given["tickers"], "event_timestamp": pd.Timestamp(at)})
rows = [{"ticker": name} for name in given["tickers"]]


def timed(work, rounds):
    work()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        found = work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken, found


offline, joined = timed(lambda: store.get_historical_features(asked, names).to_df(), given["offline"])
newest = joined.drop_duplicates("ticker")
store.write_to_online_store("wide", newest)
online, read = timed(lambda: store.get_online_features(names, rows).to_dict(), given["online"])
values = {name: dict(zip(joined["ticker"], joined[name].astype(float))) for name in given["features"]}
read_values = {name: dict(zip(read["ticker"], read[name])) for name in given["features"]}
json.dump({"offline": offline, "online": online, "joined": values, "read": read_values}, open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Feast:
    """Milliseconds of each call, and the values that were read, by feature and ticker."""

    offline: list[float]
    online: list[float]
    joined: dict[str, dict[str, float]]
    read: dict[str, dict[str, float]]


def widened(url: str, features: Sequence[UUID]) -> None:
    """Make the table that feast reads, of the same rows."""
    columns = ", ".join(
        f"max(value) FILTER (WHERE feature_id = '{each}')::float8 AS f{n}" for n, each in enumerate(features)
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET work_mem = '256MB'")
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        connection.execute(
            f"CREATE TABLE {TABLE} AS SELECT ticker, timestamp AS event_timestamp, {columns} FROM ml_feature_store "
            "WHERE validation_status = 'valid' AND ticker LIKE 'T%' GROUP BY 1, 2"
        )
        connection.execute(f"CREATE INDEX ON {TABLE} (ticker, event_timestamp DESC)")
        connection.execute(f"VACUUM ANALYZE {TABLE}")


def dropped(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")


async def beside_feast(
    url: str, redis_url: str, database: Database, cache: Cache, folder: Path, given: argparse.Namespace
) -> list[tuple[str, str, str, str]]:
    """Both reads of 100 tickers by 50 features, beside feast's; the values are the same ones."""
    asked = rows.tickers(given)[:100], rows.FEATURES
    at = datetime.now(UTC)
    widened(url, rows.FEATURES)
    try:
        theirs = await asyncio.to_thread(measured, given.feast, folder, url, redis_url, asked[0], at)
    finally:
        dropped(url)
    store = FeatureStore(database)
    mine, matrix = await _timed(lambda: store.matrix(*asked, at), 20)
    _same(matrix, theirs.joined)
    # Of a minute that has not begun, so that its entries are not gone before the reads are.
    soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(seconds=100)
    online = FeatureStore(database, cache, lambda: soon)
    places = [(n, m) for n in range(len(asked[0])) for m in range(len(asked[1]))]
    fresh = [FeatureRow(asked[0][n], soon, asked[1][m], float(matrix.values[n, m]), 0.9, 0.9) for n, m in places]
    await online.store_batch(fresh)
    await online.matrix(*asked, soon)
    ours_online, cached = await _timed(lambda: online.matrix(*asked, soon), 20)
    assert cached.online == len(places), cached.online
    _same(cached, theirs.read)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM ml_feature_store WHERE timestamp = %s", [soon])
    name = f"feast {version(given.feast)}"
    return [
        _line(f"as of a moment, 100 tickers × 50 features, beside {name}", mine, theirs.offline),
        _line(f"the same from Redis, beside {name}", ours_online, theirs.online),
    ]


def _line(what: str, mine: Sequence[float], theirs: Sequence[float]) -> tuple[str, str, str, str]:
    ours, other = sorted(mine)[len(mine) // 2], sorted(theirs)[len(theirs) // 2]
    return what, f"{other / ours:.1f} × ({ours:.1f} ms; feast {other:.1f} ms)", "> 1 ×", ("missed", "met")[other > ours]


def _same(matrix: FeatureMatrix, theirs: dict[str, dict[str, float]]) -> None:
    """Raises AssertionError where feast has read another value."""
    for n, ticker in enumerate(matrix.tickers):
        for m in range(len(matrix.feature_ids)):
            assert matrix.values[n, m] == theirs[f"f{m}"][ticker], (ticker, m)


async def _timed(work: Callable[[], Awaitable[FeatureMatrix]], rounds: int) -> tuple[list[float], FeatureMatrix]:
    taken, found = [], await work()
    for _ in range(rounds):
        begun = time.perf_counter()
        found = await work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken, found


def measured(venv: Path, folder: Path, url: str, redis_url: str, tickers: Sequence[str], at: datetime) -> Feast:
    """Let feast read all of it some times."""
    words, parts = conninfo_to_dict(url), urlsplit(redis_url)
    postgres = {
        "host": words["host"],
        "port": int(words.get("port") or 5432),
        "database": words["dbname"],
        "db_schema": "public",
        "user": words.get("user") or "postgres",
        "password": words.get("password") or "none",
    }
    given = {
        "folder": str(folder),
        "postgres": postgres,
        "redis": f"{parts.hostname}:{parts.port or 6379},password={parts.password}",
        "table": TABLE,
        "features": [f"f{n}" for n in range(len(rows.FEATURES))],
        "tickers": list(tickers),
        "at": at.isoformat(),
        "offline": 5,
        "online": 20,
    }
    script, asked, told = folder / "feast_bench.py", folder / "asked.json", folder / "told.json"
    script.write_text(_SCRIPT)
    asked.write_text(json.dumps(given))
    subprocess.run([venv.absolute() / "bin" / "python", script, asked, told], check=True, cwd=folder, timeout=500)
    return Feast(**json.loads(told.read_text()))


def version(venv: Path) -> str:
    code = "from importlib.metadata import version; print(version('feast'))"
    return subprocess.run(
        [venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()

"""The data set of benches: the same for the same seed, and the same in both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
import pytest
import redis

from tests.data_path.conftest import AWAY, Site
from vfr_data.cache import Cache
from vfr_data.database import Database
from vfr_data.features import FeatureMatrix, FeatureStore
from vfr_data.generate.__main__ import main
from vfr_data.generate.load import Loaded, load
from vfr_data.generate.plan import Plan

ROWS = "SELECT ticker, timestamp, feature_id, value, confidence_score FROM ml_feature_store ORDER BY 1, 2, 3"
PREDICTIONS = "SELECT prediction_id, ticker, prediction_timestamp, predicted_value FROM ml_predictions ORDER BY 1"


def plan(until: datetime, seed: int = 1) -> Plan:
    return Plan(tickers=3, days=2, seed=seed, until=(until - timedelta(days=1)).replace(hour=20))


def all_rows(sql: psycopg.Connection) -> list[Any]:
    return sql.execute(ROWS).fetchall() + sql.execute(PREDICTIONS).fetchall()


def test_the_same_seed_gives_the_same_rows_and_a_second_run_changes_nothing(
    site: Site, sql: psycopg.Connection
) -> None:
    whole = plan(site.now)
    first = site.run_with(lambda database, cache: load(whole, database, cache))
    assert first == Loaded(whole.size, 6, 0, {})
    rows = all_rows(sql)
    assert len(rows) == 3 * 2 * 3 * 10 + 6
    assert site.run_with(lambda database, cache: load(whole, database, cache)) == first
    assert all_rows(sql) == rows
    sql.execute("DELETE FROM ml_feature_store")
    sql.execute("DELETE FROM ml_predictions")
    site.run_with(lambda database, cache: load(whole, database, cache))
    assert all_rows(sql) == rows


def test_another_seed_gives_other_rows() -> None:
    until = datetime(2026, 1, 2, 23, tzinfo=UTC)
    assert [*plan(until).rows()] == [*plan(until).rows()]
    assert {each.value for each in plan(until).rows()}.isdisjoint(each.value for each in plan(until, 2).rows())
    assert max(each.timestamp for each in plan(until).rows()) <= until


def test_redis_has_what_postgres_has(site: Site, keys: redis.Redis) -> None:
    whole = plan(site.now)
    ids = [each.id for each in whole.features]

    async def work(database: Database, cache: Cache) -> tuple[FeatureMatrix, FeatureMatrix]:
        await load(whole, database, cache)
        plain, cached = (FeatureStore(database, each, lambda: site.now) for each in (None, cache))
        await cached.store_batch(each._replace(timestamp=site.now) for each in islice(whole.rows(), 30))
        await cached.matrix(whole.names, ids)
        return await plain.matrix(whole.names, ids), await cached.matrix(whole.names, ids)

    plain, cached = site.run_with(work)
    assert (plain.completeness, plain.online, cached.online) == (1, 0, 30)
    assert (plain.values == cached.values).all()
    assert len(keys.keys()) == 3 * 4  # a hash for each ticker and type of feature


def test_the_command_loads_and_says_what(
    site: Site, sql: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    day = (site.now.date() - timedelta(days=1)).isoformat()
    given = ["--tickers", "2", "--days", "1", "--seed", "3", "--until", day, "--postgres", site.postgres]
    assert main([*given, "--redis", site.redis]) == 0
    assert capsys.readouterr() == ("60 values of features and 2 predictions of seed 3\n", "")
    assert sql.execute("SELECT count(*) FROM ml_feature_store").fetchone() == (60,)
    assert main([*given, "--redis", AWAY]) == 0
    assert "PostgreSQL has everything" not in capsys.readouterr().err  # yesterday is cached nowhere
    assert main([*given, "--redis", "nonsense"]) == 2
    assert "this is no url of Redis: " in capsys.readouterr().err


def test_months_without_a_partition_are_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--tickers", "1", "--days", "1", "--until", "2001-01-01", "--postgres", site.postgres]
    assert main(given) == 2
    assert "no partition of relation" in capsys.readouterr().err


def test_a_database_that_is_away_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main([]) == 2
    assert capsys.readouterr().err == "generate: no PostgreSQL: set DATABASE_URL, or give --postgres URL\n"

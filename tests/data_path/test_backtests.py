"""What a backtest reads, and rows to train on, on both versions of PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.data_path.conftest import FEATURE, OTHER_FEATURE, Site
from vfr_data.backtests import Backtest, BacktestData
from vfr_data.database import Database
from vfr_data.errors import BadInput, NotFound
from vfr_data.features import FeatureRow, FeatureStore
from vfr_data.training import TrainingData

DAY = timedelta(days=1)


@pytest.fixture
def experiment(site: Site, sql: psycopg.Connection) -> UUID:
    """Three days until yesterday of a model of two inputs, whose price is FEATURE and whose benchmark is SPY."""
    dataset, model, found = uuid4(), uuid4(), uuid4()
    start = (site.now - 3 * DAY).date()
    sql.execute(
        "INSERT INTO ml_datasets (dataset_id, dataset_name, dataset_version, start_date, end_date, tickers, "
        "feature_ids, frequency, splits) VALUES (%s, %s, '1', %s, %s, '{AAPL}', %s, '1d', '{}')",
        [dataset, f"of {dataset}", start, site.now.date(), [FEATURE, OTHER_FEATURE]],
    )
    sql.execute(
        "INSERT INTO ml_models (model_id, model_name, model_version, model_type, algorithm_family, objective, "
        "target_variable, prediction_horizon, hyperparameters, feature_set_id) VALUES (%s, %s, '1', 'xgboost', "
        "'tree_based', 'price_prediction', 'close', '1d', %s, %s)",
        [model, f"of {model}", json.dumps({"depth": 6}), dataset],
    )
    sql.execute(
        "INSERT INTO ml_backtesting_experiments (experiment_id, experiment_name, model_id, strategy_name, "
        "strategy_config, universe_tickers, start_date, end_date, initial_capital) "
        "VALUES (%s, 'one', %s, 'long', '{}', '{AAPL,MSFT,GONE}', %s, %s, 1000)",
        [found, model, start, (site.now - DAY).date()],
    )
    return found


def price_name(sql: psycopg.Connection) -> str:
    query = "SELECT feature_name FROM ml_feature_definitions WHERE feature_id = %s"
    row = sql.execute(query, [FEATURE]).fetchone()
    assert row is not None
    return str(row[0])


async def fill(site: Site, database: Database) -> None:
    """Of each of five days until today a price of three tickers, and an input of one."""
    days = [(site.now - n * DAY).replace(hour=0, minute=0, second=0, microsecond=0) for n in range(5)]
    last = [(at + DAY - timedelta(microseconds=1)) for at in days[1:]]
    moments = [*days, *last]
    rows = [FeatureRow(each, at, UUID(str(FEATURE)), Decimal(10)) for at in moments for each in ("AAPL", "MSFT", "SPY")]
    rows += [FeatureRow("AAPL", at, UUID(str(OTHER_FEATURE)), 1.5) for at in moments]
    rows += [FeatureRow("OTHER", at, UUID(str(OTHER_FEATURE)), 1.5) for at in moments]
    assert (await FeatureStore(database, None, lambda: site.now).store_batch(rows)).rejected == 0


def test_a_backtest_reads_prices_features_and_benchmark_of_its_days(
    site: Site, sql: psycopg.Connection, experiment: UUID
) -> None:
    async def work(database: Database, _: Any) -> Backtest:
        await fill(site, database)
        return await BacktestData(database, price_name(sql)).load(experiment)

    found = site.run_with(work)
    assert (found.tickers, found.benchmark_ticker, found.missing) == (("AAPL", "MSFT", "GONE"), "SPY", ("GONE",))
    first = datetime.combine(found.start, datetime.min.time(), UTC)
    stamps = found.prices["timestamp"].to_pylist()
    assert (min(stamps), max(stamps)) == (first, first + 3 * DAY - timedelta(microseconds=1))
    assert stamps == sorted(stamps)
    assert {*found.prices["ticker"].to_pylist()} == {"AAPL", "MSFT"}
    assert (found.total_samples, found.features.num_rows, found.benchmark.num_rows) == (12, 6, 6)
    assert {*found.features["feature_id"].to_pylist()} == {str(OTHER_FEATURE)}
    assert {*found.benchmark["ticker"].to_pylist()} == {"SPY"}


def test_an_experiment_or_a_price_that_is_not_there_is_named(site: Site, experiment: UUID) -> None:
    with pytest.raises(NotFound, match="no experiment "):
        site.run_with(lambda database, _: BacktestData(database).load(uuid4()))
    with pytest.raises(BadInput, match="no feature is called 'nothing'; name the one whose values are prices"):
        site.run_with(lambda database, _: BacktestData(database, "nothing").load(experiment))


def test_rows_to_train_on_come_in_pieces_of_one_snapshot(site: Site, sql: psycopg.Connection) -> None:
    async def work(database: Database, _: Any) -> list[Any]:
        await fill(site, database)
        pieces, start = [], site.now - 3 * DAY
        async for each in TrainingData(database).batches(["AAPL"], [FEATURE], start, site.now, size=2):
            pieces.append(each)
            sql.execute("DELETE FROM ml_feature_store")  # by another session, between two pieces
        return pieces

    pieces = site.run_with(work)
    assert [each.num_rows for each in pieces] == [2, 2, 2]
    assert {value for each in pieces for value in each.column("value").to_pylist()} == {10.0}
    assert pieces[0].schema.names == ["ticker", "feature_id", "timestamp", "value", "confidence", "quality"]
    stamps = [at for each in pieces for at in each.column("timestamp").to_pylist()]
    assert stamps == sorted(stamps)
    assert site.now - 3 * DAY <= stamps[0] <= stamps[-1] < site.now


def test_training_periods_and_sizes_that_are_wrong_are_refused(site: Site) -> None:
    async def work(database: Database, _: Any) -> None:
        training = TrainingData(database)
        with pytest.raises(BadInput, match="size is 0"):
            await anext(training.batches([], [], site.now, site.now, size=0))
        with pytest.raises(BadInput, match="start has no time zone"):
            await anext(training.batches([], [], datetime(2026, 1, 1), site.now))

    site.run_with(work)

"""Decisions in ClickHouse, patterns in Weaviate, the graph of ArangoDB's double, tiers of InfluxDB 1.6 and 2.7."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import yaml

from provision.model.checks import Status
from tests.data_path.platform import Platform, emptied
from tests.servers.rest import good, influxql
from tests.system.six import REPOSITORY
from vfr_data.decisions import COLUMNS, TABLE, Decision, Decisions
from vfr_data.dependencies import Component, Dependencies, Dependency, Step
from vfr_data.errors import BadInput, NotFound, StorageError
from vfr_data.patterns import Pattern, Patterns
from vfr_data.timeseries import FEATURES, PREDICTIONS, FeaturePoint, TimeSeries, Value, spans

Result = TypeVar("Result")
NOW = datetime.now(UTC).replace(microsecond=0)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DECISION = Decision(
    id=uuid4(),
    tenant_id="acme",
    timestamp=NOW,
    symbol="AAPL",
    decision="BUY",
    user_id=uuid4(),
    indicator_probabilities=(("rsi", 0.9, 0.7, 0.8),),
    model_versions=(("xgb", "1.2"),),
    ensemble_probability=0.7,
    meta_validation_score=0.6,
    aggregated_confidence=0.8,
    epistemic_uncertainty=0.1,
    aleatoric_uncertainty=0.2,
    consensus_strength=0.9,
    divergence_score=0.1,
    position_size=100.0,
    confidence_adjusted_size=80.0,
    risk_level="low",
    max_drawdown_estimate=0.05,
    uncertainty_penalty=0.1,
    expected_return=0.02,
    confidence_interval_lower=-0.01,
    confidence_interval_upper=0.05,
    probability_success=0.66,
    market_regime="trending",
    volatility_score=0.3,
    execution_latency_ms=12,
    probability_calculation_time_ms=3,
)
PATTERN = Pattern("p1", "AAPL", "technical", "trending", 0.9, 0.7, NOW, (1.0, 0.0, 0.0), (0.1, 0.1))


def test_a_decision_is_stored_once_under_the_id_it_was_given(platform: Platform) -> None:
    client = platform.clickhouse()
    decisions = Decisions(client)

    async def work() -> list[Decision]:
        later = replace(DECISION, id=uuid4(), timestamp=NOW + MINUTE, decision="SELL")
        await decisions.store([DECISION, later])
        await decisions.store([DECISION])  # sent again after an answer that was lost
        assert await decisions.of("globex", DECISION.id) is None
        assert await decisions.of("acme", DECISION.id) == DECISION
        assert await decisions.newest("acme", "AAPL", 1) == [later]
        return await decisions.newest("acme", "AAPL")

    assert len(asyncio.run(work())) == 2
    assert client.query(f"SELECT count() FROM {TABLE} FINAL").result_rows == [(2,)]
    columns = [row[0] for row in client.query(f"DESCRIBE TABLE {TABLE}").result_rows]
    assert {*columns} == {*COLUMNS} == {each.name for each in fields(Decision)}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"ensemble_probability": 1.5}, "chk_ensemble_probability"),
        ({"ensemble_probability": math.nan}, "chk_ensemble_probability"),
        ({"tenant_id": ""}, "chk_tenant"),
        ({"symbol": "aapl"}, "chk_symbol_capitals"),
        ({"timestamp": datetime(2026, 1, 2)}, "timestamp has no time zone"),
        ({"decision": "MAYBE"}, "chk_decision"),
    ],
)
def test_a_decision_that_is_wrong_is_named_and_none_of_the_batch_is_stored(
    platform: Platform, wrong: dict[str, Any], why: str
) -> None:
    client, fine = platform.clickhouse(), replace(DECISION, id=uuid4(), tenant_id="globex")
    with pytest.raises(BadInput, match=why):
        asyncio.run(Decisions(client).store([fine, replace(DECISION, id=uuid4(), **wrong)]))
    assert client.query(f"SELECT count() FROM {TABLE} WHERE tenant_id = 'globex'").result_rows == [(0,)]


def test_the_nearest_patterns_are_those_of_the_tenant_that_the_filters_leave(platform: Platform) -> None:
    others = [
        replace(PATTERN, pattern_id="p2", vector=(0.9, 0.1, 0.0), confidence_score=0.4),
        replace(PATTERN, pattern_id="p3", vector=(0.0, 1.0, 0.0), symbol="MSFT", market_regime="ranging"),
    ]

    async def work(acme: Patterns, globex: Patterns) -> None:
        await acme.store([PATTERN, *others])
        await globex.store([replace(PATTERN, success_probability=0.1)])
        near = await acme.nearest((1.0, 0.0, 0.0))
        assert [each.pattern_id for each in near] == ["p1", "p2", "p3"]
        assert (near[0].success_probability, near[0].created_at) == (0.7, NOW)
        assert near[0].distance == pytest.approx(0, abs=1e-6)
        assert near[2].distance == pytest.approx(1, abs=1e-6)
        assert [each.success_probability for each in await globex.nearest((1.0, 0.0, 0.0))] == [0.1]
        for narrowed, wanted in (
            ({"symbol": "MSFT"}, ["p3"]),
            ({"market_regime": "trending"}, ["p1", "p2"]),
            ({"min_confidence": 0.5}, ["p1", "p3"]),
            ({"min_confidence": 0.5, "symbol": "AAPL"}, ["p1"]),
        ):
            found = await acme.nearest((1.0, 0.0, 0.0), **narrowed)
            assert [each.pattern_id for each in found] == wanted
        await acme.store([replace(PATTERN, success_probability=0.5)])
        again = await acme.nearest((1.0, 0.0, 0.0), limit=1)
        assert [(each.pattern_id, each.success_probability) for each in again] == [("p1", 0.5)]
        await acme.forget("p1")
        await acme.forget("p1")
        assert len(await acme.nearest((1.0, 0.0, 0.0))) == 2

    with_patterns(platform, work)


def test_patterns_that_cannot_be_stored_or_compared_are_refused(platform: Platform) -> None:
    async def work(acme: Patterns, globex: Patterns) -> None:
        del globex
        await acme.store([PATTERN])
        for wrong, why in (
            ({"vector": (math.nan, 0.0, 0.0)}, "no finite number"),
            ({"vector": ()}, "empty"),
            ({"confidence_score": 1.5}, "give 0 to 1"),
            ({"created_at": datetime(2026, 1, 2)}, "no time zone"),
            ({"symbol": ""}, "symbol is empty"),
        ):
            with pytest.raises(BadInput, match=why):
                await acme.store([replace(PATTERN, pattern_id="bad", **wrong)])
        with pytest.raises(BadInput, match="as long as"):
            await acme.nearest((1.0, 0.0))

    with_patterns(platform, work)

    async def stranger(client: Any) -> None:
        with pytest.raises(NotFound, match="no tenant 'nobody'"):
            await Patterns(client, "nobody").store([PATTERN])

    with_client(platform, stranger)


def test_confidence_passes_along_the_strongest_way_of_the_tenant(platform: Platform) -> None:
    database = platform.arango()
    names = ("rsi", "model", "ensemble", "meta")
    kinds = ("indicator", "ml_model", "ensemble", "meta")
    parts = [Component(name, kind, name.upper(), 0.8, 0.2) for name, kind in zip(names, kinds, strict=True)]

    def edge(source: str, target: str, impact: float) -> Dependency:
        return Dependency(source, target, "probability_input", 0.5, impact, 0.5)

    async def work() -> list[Step]:
        mine, others = (Dependencies(database, each, lambda: NOW) for each in ("acme", "globex"))
        ring = [edge("rsi", "model", 0.5), edge("model", "ensemble", 0.8), edge("rsi", "ensemble", 0.3)]
        ring += [edge("ensemble", "meta", 1.0), edge("meta", "rsi", 0.9)]
        await mine.put(parts, ring)
        await mine.put(parts, ring)
        await others.put(parts, [edge("rsi", "meta", 1.0)])
        steps = await mine.propagate("rsi", 0.9)
        assert [each.target for each in await others.propagate("rsi", 1.0)] == ["meta"]
        assert [each.target for each in await mine.propagate("rsi", 0.9, depth=1)] == ["model", "ensemble"]
        decision = uuid4()
        await mine.record(decision, steps)
        await mine.record(decision, steps)
        kept = list(database.aql.execute("FOR s IN confidence_propagation RETURN s.decision_id"))
        assert kept == [str(decision)] * 3
        with pytest.raises(NotFound, match="no component 'vix'"):
            await mine.propagate("vix", 0.5)
        with pytest.raises(BadInput, match="give 0 to 1"):
            await mine.propagate("rsi", 1.5)
        with pytest.raises(BadInput, match="probabilistic_nodes refuses 1 of 1"):
            await mine.put([replace(parts[0], confidence=2.0)], [])
        return steps

    steps = asyncio.run(work())
    assert [(each.source, each.target) for each in steps] == [
        ("rsi", "model"), ("model", "ensemble"), ("ensemble", "meta")
    ]  # fmt: skip
    assert [round(each.confidence_out, 3) for each in steps] == [0.45, 0.36, 0.36]
    assert [round(each.uncertainty_added, 3) for each in steps] == [0.225, 0.045, 0.0]


def test_the_tiers_are_those_of_the_shipped_documents() -> None:
    tiers, rollups = {}, {}
    for path in sorted((REPOSITORY / "influx").glob("*.yaml")):
        for each in yaml.safe_load(path.read_text())["up"]:
            [(operation, body)] = each.items()
            if operation == "create_retention_policy":
                tiers[body["name"]] = body["duration"]
            if operation == "create_rollup":
                rollups[body["into"]["measurement"]] = (body["into"]["tier"], body["every"])
    widths = {None: None, MINUTE: "1m", HOUR: "1h", DAY: "1d"}
    for tier in (*FEATURES, *PREDICTIONS):
        assert tiers[tier.name] == ("24h" if tier.kept == DAY else f"{tier.kept.days}d")
        if tier.width is not None:
            assert rollups[tier.measurement] == (tier.name, widths[tier.width])


def test_shares_of_tiers_meet_at_whole_windows_and_never_overlap() -> None:
    at = datetime(2026, 6, 15, 12, 34, 56, tzinfo=UTC)
    shares = list(spans(PREDICTIONS, at - 200 * DAY, at, at))
    assert [(tier.name, first) for tier, (first, _) in shares] == [
        ("minute_data", datetime(2026, 5, 16, 13, tzinfo=UTC)),
        ("hourly_data", datetime(2026, 3, 18, tzinfo=UTC)),
        ("daily_data", at - 200 * DAY),
    ]
    assert [end for _, (_, end) in shares] == [at, *(first for _, (first, _) in shares[:-1])]
    assert [tier.name for tier, _ in spans(PREDICTIONS, at - HOUR, at, at)] == ["minute_data"]
    assert list(spans(PREDICTIONS, at, at, at)) == []


@pytest.fixture(params=["influx_1", "influx_2"])
def influx(request: pytest.FixtureRequest) -> Iterator[tuple[TimeSeries, dict[str, str]]]:
    """The tiers on each server, and the keys to ask it with; 1.6 has those that `provision` made."""
    if request.param == "influx_1":
        keys = {"url": request.getfixturevalue("platform").variables["INFLUXDB_URL"]}
        yield TimeSeries(keys["url"], clock=lambda: NOW), keys
        return
    url = request.getfixturevalue("influx_2")
    keys = {"url": url, "token": "word", "org": "vfr"}
    [org] = good(keys, "GET", "/api/v2/orgs?org=vfr")["orgs"]
    made = [
        good(keys, "POST", "/api/v2/buckets", {"orgID": org["id"], "name": f"vfr_ml/{each.name}", "retentionRules": []})
        for each in {each.name: each for each in (*FEATURES, *PREDICTIONS)}.values()
    ]
    yield TimeSeries(url, token="word", org="vfr", clock=lambda: NOW), keys
    for each in made:
        good(keys, "DELETE", f"/api/v2/buckets/{each['id']}")


def write(keys: dict[str, str], tier: str, lines: str) -> None:
    good(keys, "POST", f"/write?db=vfr_ml&rp={tier}&precision=s", lines.encode())


def test_features_are_read_from_where_they_are_finest(influx: tuple[TimeSeries, dict[str, str]]) -> None:
    series, keys = influx
    recent, old = NOW - HOUR, (NOW - 3 * DAY).replace(second=0)
    odd = "rsi, 14=a b"

    async def work() -> list[Value]:
        await series.ping()
        points = [FeaturePoint("AAPL", odd, recent + n * timedelta(seconds=10), 50.5 + n, 0.9, 0.8) for n in range(3)]
        await series.write_features(points)
        await series.write_features(points)  # the same points
        name = r"rsi\,\ 14\=a\ b"
        window = int(old.timestamp()), int(recent.replace(second=0).timestamp())
        lines = [f"features_1m,ticker=AAPL,feature_name={name},source=vfr_data value=4{at % 10} {at}" for at in window]
        write(keys, "minute_data", "\n".join(lines))
        return await series.features("AAPL", odd, NOW - 10 * DAY, NOW)

    found = asyncio.run(work())
    assert [(each.at, each.width) for each in found] == [
        (old, MINUTE), *((recent + n * timedelta(seconds=10), None) for n in range(3))
    ]  # fmt: skip
    assert [each.value for each in found[1:]] == [50.5, 51.5, 52.5]
    assert asyncio.run(series.features("AAPL' OR 1=1", odd, NOW - DAY, NOW)) == []


def test_accuracy_is_stitched_of_minutes_hours_and_days(influx: tuple[TimeSeries, dict[str, str]]) -> None:
    series, keys = influx
    minute, hour, day = NOW - 2 * DAY, NOW - 40 * DAY, NOW - 200 * DAY
    minute, hour = minute.replace(second=0), hour.replace(minute=0, second=0)
    day = day.replace(hour=0, minute=0, second=0)
    sums = "n_predictions=2i,n_actual=2i,sum_abs_error=4,sum_squared_error=18,sum_confidence=1.6,n_confidence=2i"
    tags = "model_id=m,prediction_horizon=1d"
    for ticker in ("AAPL", "MSFT"):
        line = f"predictions_1m,ticker={ticker},{tags} {sums} {int(minute.timestamp())}"
        write(keys, "minute_data", line)
    write(keys, "hourly_data", f"predictions_1h,ticker=AAPL,{tags} {sums} {int(hour.timestamp())}")
    write(keys, "hourly_data", f"predictions_1h,ticker=AAPL,{tags} {sums} {int(minute.timestamp()) // 3600 * 3600}")
    write(keys, "daily_data", f"model_performance_daily,{tags} {sums} {int(day.timestamp())}")
    found = asyncio.run(series.accuracy("m", "1d", NOW - 300 * DAY, NOW))
    assert [(each.at, each.width, each.predictions) for each in found] == [
        (day, DAY, 2), (hour, HOUR, 2), (minute, MINUTE, 4)
    ]  # fmt: skip
    assert {(each.mae, each.rmse, each.confidence) for each in found} == {(2.0, 3.0, 0.8)}


def test_points_that_cannot_be_kept_are_refused(influx: tuple[TimeSeries, dict[str, str]]) -> None:
    series, _ = influx
    fine = FeaturePoint("AAPL", "rsi", NOW, 1.0)
    for point, why in (
        (replace(fine, value=math.nan), "finite"),
        (replace(fine, value=None), "finite"),
        (replace(fine, value="1.5"), "finite"),
        (replace(fine, value=10**400), "finite"),
        (replace(fine, ticker=""), "cannot be the tag ticker"),
        (replace(fine, feature_name="a\nb"), "cannot be the tag feature_name"),
        (replace(fine, timestamp=NOW - 2 * DAY), "older than real_time keeps"),
        (replace(fine, timestamp=datetime(2026, 1, 2)), "no time zone"),
    ):
        with pytest.raises(BadInput, match=why):
            asyncio.run(series.write_features([point]))


def test_a_prediction_is_written_where_the_rollups_begin(influx: tuple[TimeSeries, dict[str, str]]) -> None:
    series, keys = influx
    values = {"predicted_value": 101.5, "confidence_score": 0.8, "execution_time_ms": 12}
    asyncio.run(series.write_prediction("AAPL", "m", "1d", NOW, values))
    [row] = influxql(keys, 'SELECT * FROM "vfr_ml"."real_time"."predictions" WHERE ticker = \'AAPL\'')
    assert (row["predicted_value"], row["execution_time_ms"], row["time"]) == (101.5, 12, int(NOW.timestamp()) * 10**9)


def test_servers_that_are_away_are_told_as_such() -> None:
    with pytest.raises(StorageError, match="InfluxDB does not answer"):
        asyncio.run(TimeSeries("http://127.0.0.1:1").ping())
    with pytest.raises(BadInput, match="no url of InfluxDB"):
        TimeSeries("influx")


def with_client(platform: Platform, work: Callable[[Any], Awaitable[Result]]) -> Result:
    async def whole() -> Result:
        async with platform.weaviate() as client:
            return await work(client)

    return asyncio.run(whole())


def with_patterns(platform: Platform, work: Callable[[Patterns, Patterns], Awaitable[Result]]) -> Result:
    return with_client(platform, lambda client: work(Patterns(client, "acme"), Patterns(client, "globex")))


def test_the_data_set_is_in_every_store_and_its_checks_pass(platform: Platform) -> None:
    emptied(platform)
    names = {"DATABASE_URL": "ML_DATABASE_URL"} | {
        each: each for each in ("REDIS_URL", "CLICKHOUSE_URL", "INFLUXDB_URL", "WEAVIATE_URL", "ARANGO_URL")
    }
    variables = {name: platform.variables[theirs] for name, theirs in names.items()}
    variables |= {"WEAVIATE_GRPC": platform.grpc, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "vfr_data.generate", "--tickers", "4", "--days", "3"]
    # In its own process, for that is how it reads the variables; twice, for the second changes nothing.
    for _ in range(2):
        ran = subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert "4 decisions in ClickHouse and PostgreSQL\n" in ran.stdout
    assert "4 patterns in Weaviate\n12 components in ArangoDB\n" in ran.stdout
    shutil.copytree(REPOSITORY / "checks", platform.folder / "checks", dirs_exist_ok=True)
    found = platform.project.validate("cross_store", "features", "predictions", "probability", "vectors", "graph")
    # Figures of PostgreSQL are the backfill's to fill, and the tenants of the other tests have no patterns now.
    wrong = {each.check for each in found.results if each.status in (Status.FAIL, Status.ERROR)}
    assert wrong <= {"figures_not_computed", "probability_metadata_missing", "tenant_without_patterns"}
    rows = {each.table: each.total for each in found.results if each.check == "rows" and each.total}
    assert rows["ProbabilisticPattern"] >= 4
    assert rows["probabilistic_nodes"] >= 12
    assert rows["ml_predictions"] in (8, 12)  # today's values may be yet to come

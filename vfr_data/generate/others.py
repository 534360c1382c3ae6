"""The data set's part in the other stores: decisions, fast measurements, patterns and components, all of one seed.

Whatever store is given gets its part; ids and tickers are those of the rows in PostgreSQL.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid5

from vfr_data.database import Database
from vfr_data.decisions import Decision, Decisions
from vfr_data.dependencies import Component, Dependencies, Dependency
from vfr_data.generate.plan import NAMESPACE, Plan
from vfr_data.patterns import ALIAS, Pattern, Patterns
from vfr_data.timeseries import FEATURES, FeaturePoint, TimeSeries

if TYPE_CHECKING:
    from weaviate.client import WeaviateAsyncClient

TENANT = "generated"
USER = uuid5(NAMESPACE, "user")
DIMENSIONS = 16
AT_ONCE = 5_000
_PEOPLE = """
WITH tenant AS (INSERT INTO tenants (slug, name) VALUES (%(tenant)s, 'Generated data set') ON CONFLICT DO NOTHING)
SELECT set_config('app.tenant', %(tenant)s, true)
"""
_USER = "INSERT INTO users (id, tenant_id, email) VALUES (%s, %s, 'generated@example.com') ON CONFLICT DO NOTHING"
# The other two columns of the probabilities are left to the backfill aggregated_confidence.
_DECISION = """
INSERT INTO trading_decisions (id, tenant_id, user_id, symbol, decision, position_size, decided_at,
    aggregated_confidence)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def decisions(plan: Plan) -> Iterator[Decision]:
    """A decision for each prediction of the last day, under its id."""
    chance = random.Random(f"{plan.seed} decisions")
    for name, at in plan.predicted(last_day=True):
        aggregated, success = round(chance.uniform(0.5, 1), 4), round(chance.uniform(0.3, 0.9), 4)
        size, expected = round(chance.uniform(1, 500), 2), round(chance.gauss(0, 0.02), 4)
        epistemic, aleatoric = round(chance.uniform(0, 0.3), 4), round(chance.uniform(0, 0.3), 4)
        yield Decision(
            id=plan.prediction(name, at),
            tenant_id=TENANT,
            timestamp=at,
            symbol=name,
            decision=chance.choice(("BUY", "SELL", "HOLD")),
            user_id=USER,
            indicator_probabilities=(("rsi", aggregated, success, 0.9), ("macd", aggregated, success, 0.8)),
            model_versions=((f"generated_{plan.seed}", "1"),),
            ensemble_probability=success,
            meta_validation_score=round(chance.uniform(0.5, 1), 4),
            aggregated_confidence=aggregated,
            epistemic_uncertainty=epistemic,
            aleatoric_uncertainty=aleatoric,
            consensus_strength=round(chance.uniform(0.5, 1), 4),
            divergence_score=round(chance.uniform(0, 0.5), 4),
            position_size=size,
            confidence_adjusted_size=round(size * aggregated, 4),
            risk_level=chance.choice(("low", "medium", "high")),
            max_drawdown_estimate=round(chance.uniform(0, 0.2), 4),
            uncertainty_penalty=round((epistemic + aleatoric) / 2, 4),
            expected_return=expected,
            confidence_interval_lower=round(expected - 0.03, 4),
            confidence_interval_upper=round(expected + 0.03, 4),
            probability_success=success,
            market_regime=chance.choice(("trending", "ranging", "volatile")),
            volatility_score=round(chance.uniform(0, 1), 4),
            execution_latency_ms=chance.randint(1, 50),
            probability_calculation_time_ms=chance.randint(1, 20),
        )


async def load_decisions(plan: Plan, database: Database, store: Decisions) -> int:
    """Decisions into ClickHouse and PostgreSQL; how many. The role must be one that may give ids: the owner's."""
    made = list(decisions(plan))
    for start in range(0, len(made), AT_ONCE):
        await store.store(made[start : start + AT_ONCE])
    async with database.transaction() as connection, connection.cursor() as cursor:
        await cursor.execute(_PEOPLE, {"tenant": TENANT})
        await cursor.execute(_USER, [USER, TENANT])
        await cursor.executemany(_DECISION, [_row(each) for each in made])
    return len(made)


def _row(made: Decision) -> tuple[object, ...]:
    size, confidence = str(made.position_size), str(made.aggregated_confidence)
    return (made.id, made.tenant_id, made.user_id, made.symbol, made.decision, size, made.timestamp, confidence)


def points(plan: Plan, at: datetime) -> Iterator[FeaturePoint]:
    """The values of the day before a moment, as they came: what real_time takes."""
    names = {each.id: each.name for each in plan.features}
    for row in plan.rows():
        # An hour of room: a point that is as old as the tier is refused.
        if at - FEATURES[0].kept + timedelta(hours=1) < row.timestamp <= at:
            value, confidence, quality = (float(each) for each in row[3:6] if each is not None)
            yield FeaturePoint(row.ticker, names[row.feature_id], row.timestamp, value, confidence, quality, 5.0)


async def load_points(plan: Plan, series: TimeSeries, at: datetime) -> int:
    """Points of the last day into InfluxDB; how many. The rollups make the other tiers of them."""
    waiting, count = list[FeaturePoint](), 0
    for each in points(plan, at):
        waiting.append(each)
        if len(waiting) == AT_ONCE:
            await series.write_features(waiting)
            count, waiting = count + len(waiting), []
    await series.write_features(waiting)
    return count + len(waiting)


def patterns(plan: Plan) -> list[Pattern]:
    """A pattern for each ticker, with a vector of DIMENSIONS numbers."""
    chance, at = random.Random(f"{plan.seed} patterns"), plan.moments[-1]

    def vector(low: float) -> tuple[float, ...]:
        return tuple(round(chance.uniform(low, 1), 6) for _ in range(DIMENSIONS))

    return [
        Pattern(
            str(plan.id("pattern", name)),
            name,
            chance.choice(("technical", "fundamental", "sentiment")),
            chance.choice(("trending", "ranging", "volatile")),
            round(chance.uniform(0.5, 1), 4),
            round(chance.uniform(0.3, 0.9), 4),
            at,
            vector(-1),
            vector(0),
        )
        for name in plan.names
    ]


async def load_patterns(plan: Plan, client: "WeaviateAsyncClient") -> int:
    """Patterns into Weaviate, under the tenant, which is added if it is not there; how many."""
    alias = await client.alias.get(alias_name=ALIAS)  # tenants are told by the collection's own name alone
    tenants = client.collections.use(alias.collection if alias else ALIAS).tenants
    if TENANT not in await tenants.get():
        await tenants.create([TENANT])
    made = patterns(plan)
    await Patterns(client, TENANT).store(made)
    return len(made)


async def load_graph(plan: Plan, dependencies: Dependencies) -> int:
    """A component for each feature, one for the model and one for the ensemble, and what takes input from what."""
    chance = random.Random(f"{plan.seed} graph")
    parts = [Component(each.name, "indicator", each.name, 0.8, 0.2) for each in plan.features]
    parts += [Component("model", "ml_model", "model", 0.85, 0.15), Component("ensemble", "ensemble", "all", 0.9, 0.1)]
    edges = [_edge(each.name, "model", round(chance.uniform(0.5, 1), 4)) for each in plan.features]
    await dependencies.put(parts, [*edges, _edge("model", "ensemble", 0.9)])
    return len(parts)


def _edge(source: str, target: str, impact: float) -> Dependency:
    return Dependency(source, target, "probability_input", 0.5, impact, 0.2)

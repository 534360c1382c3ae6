"""The ClickHouse tables in the seed's form and in the shipped one, and the rows that both are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from provision.stores.clickhouse.migrate.parse.touched import split

ROOT = Path(__file__).parents[1]
SEED = ROOT / "tests" / "clickhouse_schema" / "seed"
DECISIONS = "trading_decisions_probabilistic"
TENANTS, SYMBOLS, MONTHS = 20, 50, 4
FORMS = ("seed", "ours")
# One symbol of one tenant has all confidences above 0.95, on one day; all others lie evenly between 0 and 0.95.
_RARE = "tenant = 7 AND symbol_number = 7 AND toDate(at) = '2026-02-11'"
_ROWS = f"""
INSERT INTO {{database}}.{DECISIONS} (
    id, timestamp, symbol, decision, user_id, indicator_probabilities, ensemble_probability, meta_validation_score,
    aggregated_confidence, epistemic_uncertainty, aleatoric_uncertainty, consensus_strength, divergence_score,
    position_size, confidence_adjusted_size, risk_level, max_drawdown_estimate, uncertainty_penalty, expected_return,
    confidence_interval_lower, confidence_interval_upper, probability_success, model_versions, market_regime,
    volatility_score, execution_latency_ms, probability_calculation_time_ms, tenant_id)
WITH number + {{first}} AS n, arrayMap(k -> (cityHash64(n, k) % 1000003) / 1000003, range(12)) AS r,
    n % {{tenants}} AS tenant, cityHash64(n, 'symbol') % {SYMBOLS} AS symbol_number,
    addMilliseconds(toDateTime64('2026-01-01 00:00:00', 3, 'UTC'), toUInt64(r[1] * 86400000 * {{days}})) AS at
SELECT
    reinterpretAsUUID(sipHash128(n)), at, concat('S', leftPad(toString(symbol_number), 3, '0')),
    ['BUY', 'SELL', 'HOLD'][n % 3 + 1], reinterpretAsUUID(sipHash128(n % 1000, 'user')),
    [('rsi', r[2], r[3], r[4]), ('macd', r[5], r[6], r[7])], r[8], r[9],
    if({_RARE}, 0.95 + 0.05 * r[10], 0.95 * r[10]), r[11] / 2, r[12] / 2, r[2], r[3],
    100, 60, 'low', r[4], r[5], r[6] - 0.5, r[6] - 0.6, r[6] - 0.4, r[7], [('m1', '1')], 'calm', r[8], n % 50, n % 9,
    concat('t', leftPad(toString(tenant), 3, '0'))
FROM numbers({{count}})
"""


class Figures:
    """A client of the engine that makes databases with the tables of a form."""

    def __init__(self, url: str) -> None:
        self._client: Client = clickhouse_connect.get_client(
            dsn=url.replace("clickhouse://", "http://", 1), autogenerate_session_id=False
        )
        self.version = str(self._client.server_version)

    def make(self, name: str) -> dict[str, str]:
        """Form → its new database; `name` says what it is for."""
        made = {form: f"{form}_{name}" for form in FORMS}
        for form, database in made.items():
            self.run(f"CREATE DATABASE {database}")
            for path in _files(form):
                for statement in split(path.read_text(encoding="utf-8")):
                    self.run(statement, database)
        return made

    def run(self, statement: str, database: str = "default") -> None:
        """Raises clickhouse_connect.driver.exceptions.DatabaseError."""
        self._at(database).raw_query(statement)

    def insert(self, database: str, first: int, count: int, tenants: int, days: int = 28) -> None:
        """Write decisions number `first` and on, in one insert, spread over `tenants` and `days` from 2026-01-01."""
        self.run(_ROWS.format(database=database, first=first, count=count, tenants=tenants, days=days))

    def repeat(self, database: str, other: str) -> None:
        """Write the decisions of `other` into `database` in one insert of values, twice."""
        values = self._at(other).raw_query(f"SELECT * FROM {DECISIONS} FORMAT JSONEachRow").decode()
        for _ in range(2):
            self.run(f"INSERT INTO {DECISIONS} FORMAT JSONEachRow\n{values}", database)

    def rows(self, query: str, database: str) -> Sequence[Sequence[Any]]:
        return self._at(database).query(query).result_rows

    def one(self, query: str, database: str) -> Any:
        """The first value of the first row."""
        return self.rows(query, database)[0][0]

    def read(self, query: str, database: str) -> int:
        """Run it; the rows that the engine read for it."""
        return int(self._at(database).query(query, settings={"use_query_condition_cache": 0}).summary["read_rows"])

    def _at(self, database: str) -> Client:
        self._client.database = database
        return self._client

    def parts(self, database: str) -> tuple[int, int]:
        """Active parts and partitions of the decisions."""
        where = f"active AND database = '{database}' AND table = '{DECISIONS}'"
        parts, partitions = self.rows(
            f"SELECT count(), uniqExact(partition) FROM system.parts WHERE {where}", database
        )[0]
        return int(parts), int(partitions)


def _files(form: str) -> Iterator[Path]:
    if form == "ours":
        yield from (path for path in sorted((ROOT / "clickhouse").glob("*.sql")) if ".down." not in path.name)
        return
    # The views last: they read the tables.
    yield from sorted(SEED.glob("*.sql"), key=lambda path: (path.stem.endswith("_mv"), path.name))

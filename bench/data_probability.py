"""`python -m bench.data_probability`: the checks of the probability suite beside one hand-written scan, 5,000,000 rows.

Fills the tables of decisions of an embedded PostgreSQL and ClickHouse, makes the shipped checks of them as does
`validate-probability-data`, and in turn sends one statement that finds the same faults. Writes docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import psycopg

from bench import data_rows, report
from bench.rounds import Pair, run
from bench.servers import engines
from provision.flows.validate import ValidationRequest, validate
from provision.model.checks import Scope, Suite, ValidationRun
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.validate.checks import ClickhouseChecks
from provision.stores.postgres.server import connect
from provision.stores.postgres.validate.checks import PostgresChecks
from provision.validate import document
from provision.wiring.suites import vocabulary

ROOT = Path(__file__).parents[1]
BOUND = 1.3
_INTRO = """\
`make bench-data`: the checks of the `probability` suite of one store's decisions, as `validate-probability-data` makes
them, beside one hand-written statement that finds the same faults; clean rows on the embedded engines.
"""
RUN = ValidationRun("bench", datetime.now(UTC), "bench")
NIL = "toUUID('00000000-0000-0000-0000-000000000000')"
BY_HAND = {
    "clickhouse": f"""
SELECT count(), countIf(NOT (aggregated_confidence BETWEEN 0 AND 1)),
    countIf(empty(indicator_probabilities) OR isNaN(ensemble_probability)),
    countIf(NOT (epistemic_uncertainty BETWEEN 0 AND 1 AND aleatoric_uncertainty BETWEEN 0 AND 1)),
    countIf(epistemic_uncertainty + aleatoric_uncertainty > 1),
    countIf(NOT arrayAll(p -> p.2 BETWEEN 0 AND 1 AND p.3 BETWEEN 0 AND 1 AND p.4 BETWEEN 0 AND 1,
        indicator_probabilities)),
    countIf(arrayUniq(indicator_probabilities.1) <> length(indicator_probabilities)
        OR has(indicator_probabilities.1, '')),
    countIf(NOT (isNaN(ensemble_probability) OR ensemble_probability BETWEEN 0 AND 1)
        OR NOT (meta_validation_score BETWEEN 0 AND 1 AND probability_success BETWEEN 0 AND 1
        AND consensus_strength BETWEEN 0 AND 1 AND divergence_score BETWEEN 0 AND 1)),
    countIf(NOT (isFinite(position_size) AND isFinite(confidence_adjusted_size) AND isFinite(expected_return)
        AND isFinite(uncertainty_penalty) AND isFinite(volatility_score))),
    countIf(position_size < 0 OR confidence_adjusted_size < 0 OR uncertainty_penalty < 0 OR volatility_score < 0),
    countIf(NOT (max_drawdown_estimate BETWEEN 0 AND 1)),
    countIf(NOT (isFinite(confidence_interval_lower) AND isFinite(confidence_interval_upper)
        AND confidence_interval_lower <= confidence_interval_upper)),
    countIf(decision NOT IN ('BUY', 'SELL', 'HOLD')),
    countIf(id = {NIL} OR user_id = {NIL} OR trimBoth(symbol) = ''
        OR NOT match(tenant_id, '^[a-z0-9][a-z0-9_-]{{0,62}}$')),
    countIf(timestamp < toDateTime64('2000-01-01 00:00:00', 3, 'UTC') OR timestamp > now64(3) + INTERVAL 1 HOUR),
    (SELECT sum(n) FROM (SELECT count() AS n FROM trading_decisions_probabilistic
        GROUP BY tenant_id, symbol, timestamp, id HAVING n > 1)),
    (SELECT count() FROM (SELECT 1 FROM trading_decisions_probabilistic GROUP BY tenant_id, id
        HAVING min(timestamp) <> max(timestamp) OR min(symbol) <> max(symbol)))
FROM trading_decisions_probabilistic""",
    "postgres": """
select count(*), count(*) filter (where (aggregated_confidence between 0 and 1) is false),
    count(*) filter (where (uncertainty_score between 0 and 1) is false),
    count(*) filter (where aggregated_confidence is null or uncertainty_score is null),
    count(*) filter (where probability_metadata is null or jsonb_typeof(probability_metadata) <> 'object'
        or probability_metadata = '{}'),
    count(*) filter (where decision not in ('BUY', 'SELL', 'HOLD')),
    count(*) filter (where (position_size >= 0 and position_size < 'infinity') is false),
    count(*) filter (where trim(symbol) = '' or not tenant_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    count(*) filter (where not decided_at between '2000-01-01Z' and now() + interval '1 hour'),
    (select coalesce(sum(n), 0) from (select count(*) n from trading_decisions group by id having count(*) > 1) r)
from trading_decisions""",
}
_POSTGRES = """
create table trading_decisions (id uuid primary key, tenant_id text not null, user_id uuid not null,
    symbol varchar(32) not null, decision varchar(4) not null, position_size numeric(24,8),
    decided_at timestamptz not null, created_at timestamptz not null default now(),
    aggregated_confidence numeric(5,4), uncertainty_score numeric(5,4), probability_metadata jsonb);
insert into trading_decisions select md5(n::text)::uuid, 't' || n %% 20, md5((n %% 1000)::text)::uuid, 'S' || n %% 500,
    (array['BUY', 'SELL', 'HOLD'])[1 + n %% 3], n %% 1000, timestamptz '2026-01-01Z' + n * interval '1 second', now(),
    (n %% 9973) / 9973.0, (n %% 499) / 500.0, '{"source": "clickhouse"}' from generate_series(1, %(rows)s) n;
vacuum (analyze, freeze) trading_decisions
"""


class _Lent:
    """As much of a store as checks need."""

    def __init__(self, kind: str, checks: object) -> None:
        self.name = self.kind = kind
        self.checks = checks


def main() -> int:
    """0 when both ratios are within the bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.data_probability", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        postgres, clickhouse = stack.enter_context(engines(folder / "engines"))
        pairs = [
            _clickhouse(stack.enter_context(clickhouse.fresh()), given.rows, given.rounds),
            _postgres(stack.enter_context(postgres.fresh()), given.rows, given.rounds),
        ]
        run(pairs, lambda line: print(line, flush=True))
        misses = report.missed(pairs, {})
        versions = f"PostgreSQL {postgres.version}, ClickHouse {clickhouse.version}"
        text = f"{_INTRO}\n{report.table(pairs)}\n\n{report.verdict(misses)}\n\n"
        text += f"Measured {report.when_and_where()}. {versions}.\n"
    print(f"\n{text}")
    if not given.no_write:
        report.write("Probability suite", text, ROOT)
    return 1 if misses else 0


def _clickhouse(url: str, rows: int, rounds: int) -> Pair:
    client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    data_rows.fill_clickhouse(client, rows)
    checks = ClickhouseChecks(lambda: Client(url, "clickhouse"))
    once = {"use_query_condition_cache": "0"}
    theirs = _timed(lambda: client.query(BY_HAND["clickhouse"], settings=once).result_rows)
    return Pair(f"ClickHouse, {rows:,} rows", _ours("clickhouse", checks), theirs, "one statement", rounds, BOUND)


def _postgres(url: str, rows: int, rounds: int) -> Pair:
    connection = psycopg.connect(url, autocommit=True)
    for statement in (_POSTGRES.replace("%(rows)s", str(rows)).replace("%%", "%")).split(";\n"):
        connection.execute(statement.encode())
    checks = PostgresChecks(lambda: connect(url, "postgres"))
    theirs = _timed(lambda: connection.execute(BY_HAND["postgres"].encode()).fetchall())
    return Pair(f"PostgreSQL, {rows:,} rows", _ours("postgres", checks), theirs, "one statement", rounds, BOUND)


def _ours(kind: str, checks: object) -> Callable[[], float]:
    whole = document.read(ROOT / "checks" / "probability.yaml", "checks/probability.yaml", _vocabulary)
    table = next(each for each in whole.tables if each.store == kind)
    stores: Any = {kind: _Lent(kind, checks)}

    def made(store: str) -> Any:
        return vocabulary(store).kinds  # type: ignore[union-attr]

    def work() -> None:
        asked = ValidationRequest((Suite("probability", (table,)),), Scope(), RUN)
        found = validate(asked, stores, made, None)
        assert {str(each.status) for each in found.results} <= {"pass", "fail"}, found.results

    return _timed(work)


def _vocabulary(store: str) -> document.SuiteVocabulary:
    from provision.validate.kinds import ACROSS

    found = vocabulary(store)
    assert found is not None
    across = {name: each.schema for name, each in ACROSS.items()}
    return document.SuiteVocabulary({**across, **found.kinds}, found.table)


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return timed


if __name__ == "__main__":
    sys.exit(main())

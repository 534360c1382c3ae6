"""The rows that data checks are measured on, and the same eight checks in other tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

ROOT = Path(__file__).parents[1]
DECISIONS = "trading_decisions_probabilistic"
SEED_CLICKHOUSE = (
    f"SELECT count(*) FROM {DECISIONS} WHERE aggregated_confidence < 0 OR aggregated_confidence > 1",
    f"SELECT count(*) FROM {DECISIONS} WHERE indicator_probabilities = [] OR ensemble_probability IS NULL",
    f"SELECT count(*) FROM {DECISIONS} WHERE epistemic_uncertainty + aleatoric_uncertainty > 1.0",
)
EMPTY_CLICKHOUSE = tuple(
    each.replace("indicator_probabilities = []", "empty(indicator_probabilities)") for each in SEED_CLICKHOUSE
)
SEED_POSTGRES = tuple(each.replace("= []", "= '[]'") for each in SEED_CLICKHOUSE)
STRICT: Mapping[str, Mapping[str, str]] = {
    "clickhouse": {
        "confidence": "NOT (aggregated_confidence BETWEEN 0 AND 1)",
        "metadata": "empty(indicator_probabilities) OR isNaN(ensemble_probability)",
        "uncertainty": "NOT (epistemic_uncertainty + aleatoric_uncertainty <= 1)",
    },
    "postgres": {
        "confidence": "NOT (aggregated_confidence BETWEEN 0 AND 1)",
        "metadata": "indicator_probabilities = '[]' OR ensemble_probability IS NULL",
        "uncertainty": "NOT (epistemic_uncertainty + aleatoric_uncertainty <= 1)",
    },
}
_POSTGRES = """
create table {table} (
    id uuid primary key, tenant_id text, user_id uuid, symbol varchar(20), decision varchar(10),
    created_at timestamptz, indicator_probabilities jsonb, ensemble_probability float8, aggregated_confidence float8,
    epistemic_uncertainty float8, aleatoric_uncertainty float8
);
insert into {table} select md5(n::text)::uuid, 'tenant' || n % 8, md5((n % 1000)::text)::uuid, 'S' || n % 500,
    (array['BUY', 'SELL', 'HOLD'])[1 + n % 3], timestamptz '2026-01-01' + n * interval '1 second',
    '[["rsi", 0.5, 0.6, 0.7], ["macd", 0.4, 0.5, 0.6], ["atr", 0.3, 0.4, 0.5]]', (n % 83) / 83.0,
    (n % 9973) / 9973.0, (n % 499) / 1000.0, (n % 479) / 1000.0
from generate_series(1, {rows}) n;
vacuum (analyze, freeze) {table};
"""
_CLICKHOUSE = f"""
INSERT INTO {DECISIONS} (id, timestamp, symbol, decision, user_id, indicator_probabilities, ensemble_probability,
    meta_validation_score, aggregated_confidence, epistemic_uncertainty, aleatoric_uncertainty, consensus_strength,
    divergence_score, position_size, confidence_adjusted_size, max_drawdown_estimate, uncertainty_penalty,
    expected_return, confidence_interval_lower, confidence_interval_upper, probability_success, volatility_score,
    tenant_id)
SELECT reinterpretAsUUID(sipHash128(number)), toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number % 10000000,
    concat('S', toString(number % 500)), 'BUY', reinterpretAsUUID(sipHash128(number % 1000)),
    arrayMap(i -> (concat('ind', toString(i)), (number % 97) / 97, (number % 89) / 89, 0.5), range(1 + number % 5)),
    (number % 83) / 83, 0.5, (number % 9973) / 9973, (number % 499) / 1000, (number % 479) / 1000, 0.5, 0.5,
    100, 60, 0.1, 0.1, 0.01, -0.01, 0.03, 0.5, 0.3, concat('t', toString(number % 20))
FROM numbers({{rows}})
"""
SUITE = """
store: postgres
table: {table}
checks:
  - {{name: id, not_null: id, severity: high}}
  - {{name: tenant, not_null: tenant_id, severity: high}}
  - {{name: symbol, not_null: symbol, severity: high}}
  - {{name: created, not_null: created_at, severity: high}}
  - {{name: decision, accepted_values: {{column: decision, values: [BUY, SELL, HOLD]}}}}
  - {{name: user, not_null: user_id}}
  - {{name: confidence, range: {{column: aggregated_confidence, min: 0, max: 1}}}}
  - {{name: uncertainty, range: {{column: epistemic_uncertainty, min: 0, max: 1}}}}
"""
PROJECT = """
[project]
name = "bench"
home = "postgres"
[stores.postgres]
path = "alembic"
[environments.bench]
postgres.url = "${BENCH_URL}"
"""
_SCAN = f"""
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    print(connection.execute('''select count(*), count(*) filter (where id is null),
        count(*) filter (where tenant_id is null), count(*) filter (where symbol is null),
        count(*) filter (where created_at is null), count(*) filter (where user_id is null),
        count(*) filter (where (decision in ('BUY', 'SELL', 'HOLD')) is not true),
        count(*) filter (where (aggregated_confidence between 0 and 1) is not true),
        count(*) filter (where (epistemic_uncertainty between 0 and 1) is not true) from {DECISIONS}''').fetchone())
"""
_EXPECTATIONS = f"""
import sys
import great_expectations as gx
import great_expectations.expectations as e
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_postgres("bench", connection_string=sys.argv[1]).add_table_asset("d", "{DECISIONS}")
suite = context.suites.add(gx.ExpectationSuite("bench"))
for column in ("id", "tenant_id", "symbol", "created_at", "user_id"):
    suite.add_expectation(e.ExpectColumnValuesToNotBeNull(column=column))
suite.add_expectation(e.ExpectColumnValuesToBeInSet(column="decision", value_set=["BUY", "SELL", "HOLD"]))
for column in ("aggregated_confidence", "epistemic_uncertainty"):
    suite.add_expectation(e.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=1))
batch = asset.add_batch_definition_whole_table("all")
definition = context.validation_definitions.add(gx.ValidationDefinition(data=batch, suite=suite, name="bench"))
result = definition.run()
assert result.success and len(result.results) == 8
"""
_SODA = """
dataset: bench/{database}/public/{table}
columns:
  - {{name: id, checks: [{{missing: {{}}}}]}}
  - {{name: tenant_id, checks: [{{missing: {{}}}}]}}
  - {{name: symbol, checks: [{{missing: {{}}}}]}}
  - {{name: created_at, checks: [{{missing: {{}}}}]}}
  - {{name: user_id, checks: [{{missing: {{}}}}]}}
  - {{name: decision, valid_values: [BUY, SELL, HOLD], checks: [{{invalid: {{}}}}]}}
  - {{name: aggregated_confidence, valid_min: 0, valid_max: 1, checks: [{{invalid: {{}}}}]}}
  - {{name: epistemic_uncertainty, valid_min: 0, valid_max: 1, checks: [{{invalid: {{}}}}]}}
"""


@dataclass(frozen=True)
class Contender:
    """A command that makes the eight checks."""

    name: str
    command: Sequence[str]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> int:
        """Run it to its end; the highest memory of the process in KiB."""
        with subprocess.Popen(
            self.command,
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{self.name}: exit {process.returncode}\n{said.decode()[-2000:]}")
        return usage.ru_maxrss


def fill_postgres(url: str, table: str, rows: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _POSTGRES.format(table=table, rows=rows).split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())


def fill_clickhouse(client: Any, rows: int) -> None:
    """The shipped table, its own constraints checked on the way in."""
    client.command((ROOT / "clickhouse" / "001_trading_decisions.sql").read_text(encoding="utf-8"))
    client.command(_CLICKHOUSE.format(rows=rows))


def provision(folder: Path, url: str, table: str) -> Contender:
    """Ours, results kept."""
    (folder / "alembic" / "versions").mkdir(parents=True)
    (folder / "checks").mkdir()
    (folder / "checks" / "bench.yaml").write_text(SUITE.format(table=table), encoding="utf-8")
    (folder / "provision.toml").write_text(PROJECT, encoding="utf-8")
    command = (sys.executable, str(ROOT / "cli.py"), "validate", "bench", "--env", "bench")
    return Contender(f"provision validate, {table}", command, folder, {"BENCH_URL": url, "PYTHONPATH": str(ROOT)})


def scan(folder: Path, url: str) -> Contender:
    (folder / "scan.py").write_text(_SCAN, encoding="utf-8")
    return Contender("one statement through psycopg", (sys.executable, "scan.py", url), folder)


def great_expectations(folder: Path, url: str, venv: Path) -> Contender:
    (folder / "expectations.py").write_text(_EXPECTATIONS, encoding="utf-8")
    # A host must be named; that of the query, the socket, is what counts.
    named = url.replace("postgresql:", "postgresql+psycopg2:", 1).replace("@/", "@localhost/", 1)
    command = (str(venv / "bin" / "python"), "expectations.py", named)
    return Contender("Great Expectations", command, folder, {"GX_ANALYTICS_ENABLED": "false"})


def soda(folder: Path, url: str, venv: Path) -> Contender:
    parts = urlsplit(url)
    database, asked = parts.path.strip("/"), parse_qs(parts.query)
    connection = {
        "host": asked.get("host", [parts.hostname or ""])[0],
        "port": int(asked.get("port", [str(parts.port or 5432)])[0]),
        "user": parts.username or "postgres",
        "password": "x",  # it insists on one; the server asks for none
        "database": database,
    }
    source = {"type": "postgres", "name": "bench", "connection": connection}
    (folder / "soda.yml").write_text(json.dumps(source), encoding="utf-8")  # JSON is YAML
    (folder / "contract.yml").write_text(_SODA.format(database=database, table=DECISIONS), encoding="utf-8")
    command = (str(venv / "bin" / "soda"), "contract", "verify", "-ds", "soda.yml", "-c", "contract.yml")
    return Contender("soda-core", command, folder, {"SODA_CORE_TELEMETRY_ENABLED": "false"})

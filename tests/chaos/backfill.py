"""python -m tests.chaos.backfill [--rows N] [--kills N] [--seed S] [--order key|physical] [--workers N]

Kills a backfill at random instants and starts it again each time; then every row is as the reference says, filled
exactly once, and what was there before is untouched. Exit code 0 when all of that holds, else 1.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.servers import databases

ROOT = Path(__file__).resolve().parents[2]
_TOML = """
[project]
name = "chaos"
home = "postgres"

[stores.postgres]
path = "alembic"

[environments.test]
postgres.url = "${CHAOS_POSTGRES}"
"""
_DOCUMENT = """\
store: postgres
table: decisions
set:
  confidence: coalesce(confidence, 0.5)
  uncertainty: coalesce(uncertainty, 0.5)
  filled: filled + 1
where: confidence is null or uncertainty is null
"""
# The shape of a table of decisions: a random key, three indexes, some values already there.
_TABLE = """
create table decisions (id uuid primary key default gen_random_uuid(), n bigint not null, tenant text not null,
    symbol text not null, decided_at timestamptz not null, confidence numeric(5,4), uncertainty numeric(5,4),
    filled integer not null default 0);
insert into decisions (n, tenant, symbol, decided_at, confidence, uncertainty)
select i, 't' || mod(i, 9), 'S' || mod(i, 500), '2026-01-01'::timestamptz + i * interval '1 s',
    case when mod(i, 100) = 0 then 0.11 end, case when mod(i, 50) = 0 then 0.22 end from generate_series(1, ROWS) i;
create index on decisions (tenant, symbol, decided_at);
create index on decisions (decided_at);
analyze decisions
"""
_SUM = "select md5(string_agg(n || ':' || confidence || ':' || uncertainty || ':' || filled, ',' order by n)) from {}"
_EXPECTED = """
create table expected as select n, coalesce(confidence, 0.5)::numeric(5,4) as confidence,
    coalesce(uncertainty, 0.5)::numeric(5,4) as uncertainty,
    case when confidence is null or uncertainty is null then 1 else 0 end as filled from decisions
"""
_MISSING = "select count(*) from decisions where confidence is null or uncertainty is null"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign came to; `wrong` is empty when all is well."""

    kills: int
    at_work: int  # of these, killed between two batches or within one
    seconds: float
    wrong: str = ""


def campaign(
    url: str, place: Path, rows: int, kills: int, seed: int, *, order: str = "key", workers: int = 1,
    said: Callable[[str], None] = print,
) -> Outcome:  # fmt: skip
    """Sow, kill so many times, let one run end, compare."""
    began, chance = time.monotonic(), random.Random(seed)
    _lay_out(place, order)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists decisions, expected; drop schema if exists provision cascade")
        connection.execute(_TABLE.replace("ROWS", str(rows)).encode())
        connection.execute(_EXPECTED)
        command = ["backfill", "run", "fill", "--env", "test", "--workers", str(workers)]
        at_work, done = 0, 0
        for turn in range(kills):
            # Each tenth anywhere after the start, the others once there is work in hand.
            idle = turn % 10 == 9
            _killed(connection, place, url, command, chance.uniform(0.0, 3.0 if idle else 1.5), idle=idle)
            before, done = done, _filled(connection)
            at_work += done > before
            said(f"kill {turn + 1}: {done:,} rows")
        last = subprocess.run(_line(command), cwd=place, env=_environment(url), capture_output=True, text=True)
        wrong = f"the last run ended with {last.returncode}: {last.stderr}" if last.returncode else _wrong(connection)
    return Outcome(kills, at_work, time.monotonic() - began, wrong)


def _wrong(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    missing = connection.execute(_MISSING).fetchone()
    if missing != (0,):
        return f"{missing} rows are not filled"
    sums = [connection.execute(_SUM.format(table).encode()).fetchone() for table in ("decisions", "expected")]
    if sums[0] != sums[1]:
        twice = connection.execute("select count(*) from decisions where filled > 1").fetchone()
        return f"the rows are not those of the reference; {twice} were filled twice"
    return ""


def _killed(
    connection: psycopg.Connection[tuple[object, ...]], place: Path, url: str, command: list[str], after: float, *,
    idle: bool,
) -> None:  # fmt: skip
    """Start one and kill it so many seconds after its first batch, or after its start."""
    before = _filled(connection)
    started = subprocess.Popen(
        _line(command), cwd=place, env=_environment(url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not idle and started.poll() is None and _filled(connection) <= before:
        time.sleep(0.01)
    try:
        started.wait(after)
    except subprocess.TimeoutExpired:
        os.kill(started.pid, signal.SIGKILL)
    started.wait()


def _line(command: list[str]) -> list[str]:
    return [sys.executable, str(ROOT / "cli.py"), *command]


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "CHAOS_POSTGRES": url}


def _filled(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    try:
        row = connection.execute("select coalesce(sum(rows_done), 0) from provision.backfill_part").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0
    return int(str(row[0])) if row else 0


def _lay_out(place: Path, order: str) -> None:
    for folder in ("alembic/versions", "backfills"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    env = ROOT / "provision" / "stores" / "postgres" / "template" / "env.py"
    (place / "alembic" / "env.py").write_text(env.read_text())
    (place / "provision.toml").write_text(_TOML)
    (place / "backfills" / "fill.yaml").write_text(f"{_DOCUMENT}order: {order}\n")


def main() -> int:
    """Play one campaign and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=["key", "physical"], default="key")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="provision-backfill-"))
    try:
        with databases.embedded_url("postgres") as url:
            told = campaign(url, place, asked.rows, asked.kills, asked.seed, order=asked.order, workers=asked.workers)
    finally:
        shutil.rmtree(place)
    print(f"{asked.rows:,} rows, {told.kills} kills ({told.at_work} of them at work), {told.seconds:.0f} s")
    print(told.wrong or "every row is filled once, as the reference says; what was there is untouched")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m bench.data_backfill [--rows N]

A backfill like that of the seed, beside a writer (one row each 20 ms) and a reader: the single UPDATE, plain loops over
5,000 rows, and `provision backfill run` in both orders. Each on a fresh copy of one table, in one run, on a PostgreSQL
15 with the settings that the seed wants.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench import report
from tests.servers import databases

ROOT = Path(__file__).resolve().parents[1]
_TABLE = """
create table trading_decisions (id uuid primary key default gen_random_uuid(), tenant_id text not null,
    user_id uuid not null, symbol varchar(32) not null, decision varchar(4) not null, position_size numeric(24,8),
    decided_at timestamptz not null, created_at timestamptz not null, note text,
    aggregated_confidence numeric(5,4), uncertainty_score numeric(5,4), probability_metadata jsonb);
insert into trading_decisions (tenant_id, user_id, symbol, decision, position_size, decided_at, created_at, note)
select 't' || mod(i, 8), md5(mod(i, 1000)::text)::uuid, 'S' || mod(i, 500), 'BUY', i, '2026-01-01'::timestamptz + i *
    interval '1 s', now(), repeat('n', 60) from generate_series(1, ROWS) i;
create index on trading_decisions (tenant_id, symbol, decided_at desc);
create index on trading_decisions (tenant_id, user_id, decided_at desc);
"""
_SET = """
aggregated_confidence = coalesce(aggregated_confidence, 0.5), uncertainty_score = coalesce(uncertainty_score, 0.5),
probability_metadata = coalesce(probability_metadata, '{"backfilled": true, "default_values": true}')
"""
_WHERE = "(aggregated_confidence is null or uncertainty_score is null or probability_metadata is null)"
_SINGLE = f"update trading_decisions set {_SET} where {_WHERE}"
_LOOP = f"""
with keys as (select id from trading_decisions where id > %(after)s order by id limit 5000),
    done as (update trading_decisions t set {_SET} from keys where t.id = keys.id and {_WHERE} returning 1)
select max(id::text), (select count(*) from done) from keys
"""
_RANGE = f"""
update trading_decisions set {_SET} where ctid >= '(%s,0)'::tid and ctid < '(%s,0)'::tid and {_WHERE}
"""
_DOCUMENT = """
store: postgres
table: trading_decisions
set:
  aggregated_confidence: coalesce(aggregated_confidence, 0.5)
  uncertainty_score: coalesce(uncertainty_score, 0.5)
  probability_metadata: |
    coalesce(probability_metadata, '{"backfilled": true, "default_values": true}')
where: aggregated_confidence is null or uncertainty_score is null or probability_metadata is null
"""
# What of the seed's ALTER SYSTEM matters here, and nothing that makes commits cheap.
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "2GB",
    "wal_buffers": "64MB",
    "effective_cache_size": "6GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
}
_INTRO = """\
`make bench-data`: {rows} rows of the shape of `trading_decisions`, of which three columns are filled, while a writer
updates one row each 20 ms and a reader reads one. Each contender works on a fresh copy, one after the other. The waits
are those of the writer and the reader; a writer who wants a row of the batch in hand waits for its end, so the longest
wait follows `target` (100 ms where nothing is said). The loop over ctids leaves out the rows that the writer moved
behind it, which `provision` fills in its last pass. The server's files are in memory where there is room, so that the
waits are those of the database and not of a machine's disk.
"""
SLOWEST, LONGEST, SHARE = 1.0, 50.0, 0.01
"""Bounds: × the speed of the single UPDATE; ms that a writer waits (or 3 × the control's p99.9); of the UPDATE's."""
_TOML = """
[project]
name = "bench"
home = "postgres"

[stores.postgres]
path = "alembic"

[environments.bench]
postgres.url = "${BENCH_POSTGRES}"
"""


@dataclass(slots=True)
class Traffic:
    """Waits of the writer and of the reader, in milliseconds."""

    writes: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    rows: int
    seconds: float
    wal_mb: float
    heap_mb: float
    traffic: Traffic

    @property
    def speed(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    temporary = tempfile.TemporaryDirectory(prefix="provision-bench-")
    with temporary as place, databases.Postgres15(settings=_SETTINGS) as server:
        figures = measured(server.url, Path(place), given.rows)
    misses = missed(figures)
    text = _page(figures, given.rows, misses)
    print(text)
    if not given.no_write:
        report.write("Backfills", text, ROOT)
    return 1 if misses else 0


def missed(figures: Sequence[Figure]) -> list[str]:
    """What lies outside its bound, in words."""
    single, control = _named("one UPDATE", figures), figures[0]
    longest = max(LONGEST, 3 * _high(control.traffic.writes))
    found = []
    for each in (each for each in figures if each.name.startswith("provision")):
        wait = max(each.traffic.writes)
        if each.speed < SLOWEST * single.speed:
            found.append(
                f"{each.name}: {each.speed / single.speed:.2f} × the single UPDATE, the bound is {SLOWEST:.1f}"
            )
        if wait > longest:
            found.append(f"{each.name}: a writer waited {wait:.0f} ms, the bound is {longest:.0f}")
        if wait > SHARE * max(single.traffic.writes):
            found.append(f"{each.name}: a writer waited over {SHARE:.0%} of what it waited for the single UPDATE")
    return found


def _page(figures: Sequence[Figure], rows: int, misses: Sequence[str]) -> str:
    return f"""{_INTRO.format(rows=f"{rows:,}")}
{table(figures)}

{report.verdict(misses)}

Measured {report.when_and_where()}.
"""


def measured(url: str, place: Path, rows: int) -> list[Figure]:
    """Every contender on its own copy of the table."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create database sown")
        with psycopg.connect(_in(url, "sown"), autocommit=True) as sown:
            sown.execute(_TABLE.replace("ROWS", str(rows)).encode())
            sown.execute("vacuum (analyze, freeze) trading_decisions")
        contenders: Sequence[tuple[str, Callable[[str], None]]] = (
            ("nothing (control)", lambda _: time.sleep(20)),
            ("one UPDATE", _single),
            ("psycopg loop, 5,000 keys", _loop),
            ("psycopg loop, 5,000 rows by ctid", _ranges),
            ("provision, key order", lambda copy: _provision(copy, place, "order: key")),
            ("provision, physical order", lambda copy: _provision(copy, place, "order: physical")),
            (
                "provision, physical order, target 40 ms",
                lambda copy: _provision(copy, place, "order: physical\nbatch: {target: 40ms}"),
            ),
        )
        figures = []
        for name, fill in contenders:
            connection.execute("drop database if exists copy with (force)")
            connection.execute("create database copy template sown")
            connection.execute("checkpoint")
            figures.append(_figure(name, _in(url, "copy"), rows, fill))
            print(f"  {name}: {figures[-1].seconds:.1f} s", file=sys.stderr, flush=True)
    return figures


def table(figures: Sequence[Figure]) -> str:
    """Markdown; ratios are to the single UPDATE of the same run."""
    single = _named("one UPDATE", figures)
    control = figures[0]
    lines = [
        "| | s | rows/s | × the single UPDATE | WAL MB | heap MB | writer max ms | writer p99.9 ms | reader max ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in figures:
        speed = "–" if each is control else f"{each.speed:,.0f} | {each.speed / single.speed:.2f}"
        lines.append(
            f"| {each.name} | {each.seconds:.1f} | {speed if each is not control else '– | –'} | {each.wal_mb:,.0f} |"
            f" {each.heap_mb:,.0f} | {max(each.traffic.writes):,.1f} | {_high(each.traffic.writes):,.1f} |"
            f" {max(each.traffic.reads):,.1f} |"
        )
    return "\n".join(lines)


def _figure(name: str, url: str, rows: int, fill: Callable[[str], None]) -> Figure:
    with psycopg.connect(url, autocommit=True) as connection:
        lsn = _one(connection, "select pg_current_wal_insert_lsn()::text")
        with _traffic(url) as traffic:
            began = time.monotonic()
            fill(url)
            seconds = time.monotonic() - began
        wal = _one(connection, f"select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{lsn}')::float8")
        heap = _one(connection, "select pg_relation_size('trading_decisions')")
        if "control" not in name and "ctid" not in name:
            assert _one(connection, f"select count(*) from trading_decisions where {_WHERE}") == 0, name
    return Figure(name, rows, seconds, float(str(wal)) / 2**20, float(str(heap)) / 2**20, traffic)


@contextmanager
def _traffic(url: str) -> Iterator[Traffic]:
    """A writer of one row each 20 ms and a reader, while the block runs."""
    traffic, ended = Traffic(), threading.Event()
    with psycopg.connect(url) as connection:
        ids = [row[0] for row in connection.execute("select id from trading_decisions tablesample system (1)")]
    asked = {
        "update trading_decisions set position_size = position_size + 1 where id = %s": traffic.writes,
        "select * from trading_decisions where id = %s": traffic.reads,
    }

    def work(statement: str, waits: list[float]) -> None:
        chance = random.Random(1)
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(0.02):
                began = time.monotonic()
                connection.execute(statement.encode(), [chance.choice(ids)])
                waits.append((time.monotonic() - began) * 1000)

    threads = [threading.Thread(target=work, args=each) for each in asked.items()]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _single(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SINGLE.encode())


def _loop(url: str) -> None:
    after: object = "00000000-0000-0000-0000-000000000000"
    with psycopg.connect(url, autocommit=True) as connection:
        while after is not None:
            row = connection.execute(_LOOP.encode(), {"after": after}).fetchone()
            after = row[0] if row else None


def _ranges(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        [(blocks, rows)] = connection.execute(
            "select relpages, reltuples::bigint from pg_class where relname = 'trading_decisions'"
        ).fetchall()
        step = 5000 * blocks // rows
        for low in range(0, blocks, step):
            connection.execute((_RANGE % (low, min(low + step, blocks))).encode())


def _provision(url: str, place: Path, how: str) -> None:
    """The whole process, from its start to its exit code."""
    for folder in ("alembic/versions", "backfills"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "provision" / "stores" / "postgres" / "setup" / "template" / "env.py", place / "alembic")
    (place / "provision.toml").write_text(_TOML)
    (place / "backfills" / "fill.yaml").write_text(f"{_DOCUMENT}{how}\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_POSTGRES": url}
    command = [sys.executable, str(ROOT / "cli.py"), "backfill", "run", "fill", "--env", "bench"]
    subprocess.run(command, cwd=place, env=environment, check=True, stdout=sys.stderr)


def _named(name: str, figures: Sequence[Figure]) -> Figure:
    return next(each for each in figures if each.name == name)


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _high(waits: Sequence[float]) -> float:
    return sorted(waits)[min(int(len(waits) * 0.999), len(waits) - 1)]


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


if __name__ == "__main__":
    sys.exit(main())

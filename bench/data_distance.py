"""python -m bench.data_distance [--rows N] [--target MS] [--rounds N]

A backfill through a network: a proxy that delays what is sent, in front of a PostgreSQL 15, with round trips of 0, 5,
30 and 100 ms. What the target and the network allow is worked out from a hand-written loop beside the server: its rows
a second, of which a batch of the target's length has so many, with two round trips around each batch.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

from bench import report
from bench.data_backfill import _DOCUMENT, _TABLE, _TOML, ROOT, _in, _loop
from tests.servers import databases
from tests.servers.distance import Distance
from tests.silent.proxy import Upstream, unix

TRIPS = (0.0, 0.005, 0.03, 0.1)  # seconds
SHARE = 0.8
# The loop beside the server does not slow down for it either.
_ALONE = "yield: {autovacuum: false}\n"
_INTRO = """\
`make bench-data`: {rows} rows of the shape of `trading_decisions`, filled in the order of the key through a proxy that
delays what is sent, `target` {target:.0f} ms. "Allowed" is what the target and two round trips a batch leave of the
speed of a loop beside the server; the share is how much of it was reached, from the first batch to the last: the middle
one of {rounds} rounds, each with a loop of its own beside it, and the lowest and highest.
"""


@dataclass(frozen=True, slots=True)
class Through:
    """A run through a network; seconds and rows a second."""

    trip: float
    allowed: float
    speed: float

    @property
    def share(self) -> float:
        return self.speed / self.allowed


Rounds = list[Through]
"""Of one round trip, by what share was reached."""


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--target", type=int, default=100, help="ms")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as place, databases.Postgres15() as server:
        found = measured(server.url, Path(place), given)
    middle = [rounds[len(rounds) // 2] for rounds in found]
    misses = [
        f"{each.trip * 1000:.0f} ms: {each.share:.2f} of what is allowed" for each in middle if each.share < SHARE
    ]
    head = "| round trip ms | allowed rows/s | reached rows/s | share | lowest–highest | bound |\n" + "|---" * 6 + "|\n"
    lines = [
        f"| {each.trip * 1000:.0f} | {each.allowed:,.0f} | {each.speed:,.0f} | {each.share:.2f} | "
        f"{rounds[0].share:.2f}–{rounds[-1].share:.2f} | ≥ {SHARE} |"
        for each, rounds in zip(middle, found, strict=True)
    ]
    intro = _INTRO.format(rows=f"{given.rows:,}", target=given.target, rounds=given.rounds)
    text = f"{intro}\n{head}" + "\n".join(lines)
    text += f"\n\n{report.verdict(misses)}\n\nMeasured {report.when_and_where()}.\n"
    print(text)
    if not given.no_write:
        report.write("Backfills through a network", text, ROOT)
    return 1 if misses else 0


def measured(url: str, place: Path, given: argparse.Namespace) -> Sequence[Rounds]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create database sown")
        with psycopg.connect(_in(url, "sown"), autocommit=True) as sown:
            sown.execute(_TABLE.replace("ROWS", str(given.rows)).encode())
            sown.execute("vacuum (analyze, freeze) trading_decisions")
        found = []
        for trip in TRIPS:
            rounds = [_round(connection, url, place, trip, given) for _ in range(given.rounds)]
            found.append(sorted(rounds, key=lambda each: each.share))
            told = ", ".join(f"{each.share:.2f}" for each in rounds)
            print(f"  {trip * 1000:.0f} ms: {told}", file=sys.stderr, flush=True)
    return found


def _round(
    connection: psycopg.Connection[tuple[object, ...]], url: str, place: Path, trip: float, given: argparse.Namespace
) -> Through:
    # Beside each run, since the speed of a machine is not the same all the time.
    beside, target = given.rows / _seconds(connection, url, lambda copy: _loop(copy)), given.target / 1000
    with Distance(_socket(url), trip) as distance:
        speed = _speed(connection, url, place, distance, target)
    return Through(trip, beside * target / (target + 2 * trip), speed)


def _copy(connection: psycopg.Connection[tuple[object, ...]], url: str) -> str:
    connection.execute("drop database if exists copy with (force)")
    connection.execute("create database copy template sown")
    connection.execute("checkpoint")
    return _in(url, "copy")


def _seconds(connection: psycopg.Connection[tuple[object, ...]], url: str, fill: object) -> float:
    assert callable(fill)
    copy = _copy(connection, url)
    began = time.monotonic()
    fill(copy)
    return time.monotonic() - began


def _speed(
    connection: psycopg.Connection[tuple[object, ...]], url: str, place: Path, distance: Distance, target: float
) -> float:
    """Rows a second between the first batch and the last, as the log of the run has their times."""
    copy = _copy(connection, url)
    for folder in ("alembic/versions", "backfills"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "provision" / "stores" / "postgres" / "setup" / "template" / "env.py", place / "alembic")
    (place / "provision.toml").write_text(_TOML)
    (place / "backfills" / "fill.yaml").write_text(f"{_DOCUMENT}batch: {{target: {target * 1000:.0f}ms}}\n{_ALONE}")
    far = f"postgresql://postgres@127.0.0.1:{distance.port}/copy?sslmode=disable"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_POSTGRES": far}
    command = [sys.executable, str(ROOT / "cli.py"), "backfill", "run", "fill", "--env", "bench", "-o", "json"]
    ended = subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.PIPE)
    rows = json.loads(ended.stdout)["rows_done"]
    with psycopg.connect(copy) as log:
        row = log.execute(
            "select extract(epoch from max(p.touched_at) - min(r.started_at))::float8"
            " from provision.backfill_part p join provision.backfill_run r using (run)"
        ).fetchone()
    assert row is not None
    return float(rows) / float(row[0])


def _socket(url: str) -> Upstream:
    asked = parse_qs(urlsplit(url).query)
    return unix(f"{unquote(asked['host'][0])}/.s.PGSQL.{asked['port'][0]}")


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-partitions`: windows made, nothing to make, waits of writers, the planning of a query."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from bench import report
from bench.partition_refresh import refreshes
from bench.partition_traffic import longest_wait
from bench.servers import Postgres
from tests.servers import databases
from tests.vfr.postgres import migrations

ROOT = Path(__file__).parents[1]
PROVISION = Path(sys.executable).parent / "provision"
LOCKS = {"max_locks_per_transaction": "4096"}  # pg_partman takes one for each window of all tables
_TOML = """\
[project]
name = "bench"
home = "postgres"
[stores.postgres]
[environments.bench]
postgres.url = "${BENCH_URL}"
"""
_SET = "store: postgres\ntable: {table}\ncolumn: at\ninterval: 1 {unit}\nahead: {ahead}\nbehind: {behind}\n{more}"
_TABLE = "create table {0} (at timestamptz not null, id int, primary key (id, at)) partition by range (at);"
_PARENT = (
    "select partman.create_parent(p_parent_table => 'public.{0}', p_control => 'at', p_type => 'native',"
    " p_interval => '1 month', p_premake => 1, p_start_partition => date_trunc('month', now())::text);"
)
_MATRIX = (
    "explain (summary) select * from feature_matrix(array['A'], array['00000000-0000-4000-8000-000000000010'::uuid])"
)


class Line(NamedTuple):
    """One line of the table: `ratio` is of medians, or of the longest of all rounds."""

    what: str
    against: str
    ours: float
    theirs: float
    bound: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


class Place:
    """A project in a folder of its own, and the database that it is of."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        (folder / "partitions").mkdir(parents=True)
        (folder / "alembic" / "versions").mkdir(parents=True)
        (folder / "provision.toml").write_text(_TOML)

    def describe(self, table: str, ahead: int, behind: int = 0, unit: str = "month", more: str = "") -> None:
        text = _SET.format(table=table, ahead=ahead, behind=behind, unit=unit, more=more)
        (self.folder / "partitions" / f"{table}.yaml").write_text(text)

    def provision(self, *arguments: str) -> float:
        """Seconds of a whole process."""
        command = [PROVISION, "partitions", *arguments, "--env", "bench"]
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "BENCH_URL": self.url},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return time.perf_counter() - began

    def execute(self, *statements: str) -> float:
        """Seconds of the statements, in a session of their own."""
        began = time.perf_counter()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("set timezone to 'UTC'")
            for each in statements:
                connection.execute(each.encode())
        return time.perf_counter() - began


def main() -> int:
    """0 when every bound is met."""
    parser = argparse.ArgumentParser(prog="python -m bench.partitions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the table that is converted")
    parser.add_argument("--values", type=int, default=3_000_000, help="rows of the table whose days are refreshed")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="provision-windows-") as place,
        databases.Postgres15(settings=LOCKS) as made,
    ):
        server, folder = Postgres(made.url), Path(place)
        lines = [
            *_made(server, folder, given.rounds),
            *_nothing(server, folder, given.rounds),
            *_waits(server, folder, given.rounds, given.rows),
            _planned(server, folder, given.rounds),
            *_refreshed(server, given.values),
        ]
    text = _text(lines, server.version, given.rounds, given.rows)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Partitions", text, ROOT)
    return 0 if all(each.ratio <= each.bound for each in lines) else 1


def _made(server: Postgres, folder: Path, rounds: int) -> list[Line]:
    """A thousand missing windows of ten tables."""
    tables = [f"t{number}" for number in range(10)]
    ours, partman, helper = list[float](), list[float](), list[float]()
    for number in range(rounds):
        with server.fresh() as url:
            place = _tables(folder / f"made{number}", url, tables, 99)
            ours.append(place.provision("ensure"))
        with server.fresh() as url:
            place = _partman(folder / f"partman{number}", url, tables, 1)
            place.execute("update partman.part_config set premake = 101, infinite_time_partitions = true")
            partman.append(place.execute("select partman.run_maintenance()"))
        with server.fresh() as url:
            place = _helped(folder / f"helper{number}", url, tables)
            helper.append(place.execute(*(f"select create_monthly_partitions('{each}', 0, 99)" for each in tables)))
        print(f"1,000 windows: {ours[-1]:.1f} s, pg_partman {partman[-1]:.1f} s, helper {helper[-1]:.1f} s", flush=True)
    what = "ensure, 1,000 windows missing"
    return [
        Line(what, "pg_partman 4.7, run_maintenance", median(ours), median(partman), 1.2),
        Line(what, "create_monthly_partitions", median(ours), median(helper), float("inf")),
    ]


def _nothing(server: Postgres, folder: Path, rounds: int) -> list[Line]:
    """Fifty tables that have their 120 windows."""
    tables = [f"t{number}" for number in range(50)]
    times: dict[str, list[float]] = {"ours": [], "partman": [], "helper": []}
    with server.fresh() as one, server.fresh() as other:
        mine = _helped(folder / "idle", one, tables)
        for each in tables:
            mine.describe(each, 119)
        helps = [f"select create_monthly_partitions('{each}', 0, 119)" for each in tables]
        mine.execute(*helps)
        theirs = _partman(folder / "idle-partman", other, tables, 119)
        for _ in range(rounds):
            times["ours"].append(mine.provision("ensure"))
            times["partman"].append(theirs.execute("select partman.run_maintenance()"))
            times["helper"].append(mine.execute(*helps))
            print("nothing to make:", {name: round(found[-1], 2) for name, found in times.items()}, flush=True)
    ours, what = median(times["ours"]), "ensure, nothing missing of 50 × 120"
    return [
        Line(what, "pg_partman 4.7, run_maintenance", ours, median(times["partman"]), 0.5),
        Line(what, "create_monthly_partitions", ours, median(times["helper"]), 0.5),
    ]


def _tables(folder: Path, url: str, tables: Sequence[str], ahead: int) -> Place:
    place = Place(folder, url)
    for each in tables:
        place.execute(_TABLE.format(each))
        place.describe(each, ahead)
    return place


def _partman(folder: Path, url: str, tables: Sequence[str], premake: int) -> Place:
    place = Place(folder, url)
    place.execute("create schema partman", "create extension pg_partman schema partman")
    for each in tables:
        place.execute(_TABLE.format(each), _PARENT.format(each).replace("p_premake => 1", f"p_premake => {premake}"))
    return place


def _helped(folder: Path, url: str, tables: Sequence[str]) -> Place:
    migrations.upgrade(url, "0021")
    place = Place(folder, url)
    place.execute(*(_TABLE.format(each) for each in tables))
    return place


def _waits(server: Postgres, folder: Path, rounds: int, rows: int) -> list[Line]:
    """The longest wait of a writer: alone, beside us, beside the plain way."""
    lines = []
    for what, plain, scene in (
        ("ensure of 48 windows", "", _ensuring),
        ("retire of 3 windows", "ALTER TABLE … DETACH PARTITION", _retiring),
        (f"convert of {rows:,} rows", "LOCK, INSERT … SELECT, RENAME", _converting),
    ):
        found: dict[str, list[float]] = {"alone": [], "ours": [], "plain": []}
        for number in range(rounds):
            for way in found:
                with server.fresh() as url:
                    place = Place(folder / f"{scene.__name__}{number}{way}", url)
                    found[way].append(scene(place, way, rows))
            print(what, {name: f"{waits[-1] * 1000:.0f} ms" for name, waits in found.items()}, flush=True)
        ours = max(found["ours"])
        lines.append(Line(f"longest wait, {what}", "the same writers alone", ours, max(found["alone"]), 3))
        if plain:
            lines.append(Line(f"longest wait, {what}", plain, ours, min(found["plain"]), 0.01))
    return lines


_INSERT = "insert into t values (now(), (random() * 1e9)::int)"
_READ = "select count(*) from t where at > now() - interval '1 minute'"
_WINDOWS = "select create_monthly_partitions('t', {back}, {ahead})"


def _scene(place: Place, back: int, ahead: int) -> None:
    migrations.upgrade(place.url, "0021")
    place.execute(_TABLE.format("t"), _WINDOWS.format(back=back, ahead=ahead))


def _ensuring(place: Place, way: str, _rows: int) -> float:
    _scene(place, 1, 1)
    place.describe("t", 48)
    acts: dict[str, Callable[[], object]] = {
        "ours": lambda: place.provision("ensure"),
        "plain": lambda: place.execute(_WINDOWS.format(back=0, ahead=48)),
        "alone": lambda: time.sleep(3),
    }
    return longest_wait(place.url, _INSERT, _READ, 0.05, acts[way])


def _retiring(place: Place, way: str, _rows: int) -> float:
    """A reader holds each of its transactions for ten seconds, as a report does."""
    _scene(place, 5, 2)
    place.describe("t", 2, more="retain: 2 months\n")
    with psycopg.connect(place.url) as connection:
        names = [
            str(name)
            for (name,) in connection.execute(
                "select inhrelid::regclass from pg_inherits where inhparent = 't'::regclass order by 1"
            ).fetchall()
        ]
    acts: dict[str, Callable[[], object]] = {
        "ours": lambda: place.provision("retire"),
        "plain": lambda: place.execute(f"alter table t detach partition {names[0]}"),
        "alone": lambda: time.sleep(6),
    }
    return longest_wait(place.url, _INSERT, "select count(*) from t", 10, acts[way])


def _converting(place: Place, way: str, rows: int) -> float:
    place.execute(
        "create table t (at timestamptz not null, id int, primary key (id, at))",
        f"insert into t select now() - n * interval '1 second', n from generate_series(1, {rows}) n",
        "vacuum analyze t",
    )
    place.describe("t", 2)
    copy = (
        "begin; lock table t; alter table t rename to t_old;"
        " create table t (at timestamptz not null, id int, primary key (id, at)) partition by range (at);"
        " create table t_all partition of t for values from (minvalue) to (maxvalue);"
        " insert into t select * from t_old; drop table t_old; commit"
    )
    acts: dict[str, Callable[[], object]] = {
        "ours": lambda: place.provision("convert", "t"),
        "plain": lambda: place.execute(copy),
        "alone": lambda: time.sleep(3),
    }
    return longest_wait(place.url, _INSERT, _READ.replace("count(*)", "1") + " limit 1", 0.05, acts[way])


def _planned(server: Postgres, folder: Path, rounds: int) -> Line:
    """The shipped schema with one year of windows, and with ten that are merged as its document says."""
    found = []
    for years in (1, 10):
        with server.fresh() as url:
            migrations.upgrade(url)
            place = Place(folder / f"plan{years}", url)
            text = (ROOT / "partitions" / "ml_feature_store.yaml").read_text()
            (place.folder / "partitions" / "ml_feature_store.yaml").write_text(text)
            now = time.gmtime()
            place.provision("ensure", "--from", f"{now.tm_year - years}-{now.tm_mon:02d}-01")
            place.provision("merge")
            with psycopg.connect(url, autocommit=True) as connection:
                times = [_planning(connection) for _ in range(20 * rounds)]
            print(f"planning with {years} years: {min(times):.2f} ms", flush=True)
            found.append(min(times))  # the fastest: milliseconds that others take from it are no planning
    return Line("planning of feature_matrix, ten years", "one year of windows", found[1] / 1000, found[0] / 1000, 2)


def _refreshed(server: Postgres, rows: int) -> list[Line]:
    with server.fresh() as url:
        found = refreshes(url, rows)
    print(f"refresh: {found}", flush=True)
    what, query = f"refresh of daily features, {rows:,} rows", "its query"
    return [
        Line(f"{what}, nothing changed", query, found.nothing, found.query, 2),
        Line(f"{what}, a day changed", query, found.today, found.query, 2),
        Line("the same by REFRESH … CONCURRENTLY", query, found.before, found.query, float("inf")),
    ]


def _planning(connection: psycopg.Connection) -> float:
    rows = [str(row[0]) for row in connection.execute(_MATRIX.encode()).fetchall()]
    return float(next(row for row in rows if row.startswith("Planning Time")).split()[2])


def _text(lines: Sequence[Line], version: str, rounds: int, rows: int) -> str:
    table = "\n".join(_row(each) for each in lines)
    missed = [each.what for each in lines if each.ratio > each.bound]
    verdict = "Above a bound: " + "; ".join(missed) if missed else "Every bound is met."
    return f"""\
`make bench-partitions`: `provision partitions` as a whole process beside pg_partman and the shipped function, each in a
session of its own. A wait is the longest that a statement of one of two writers took; for waits the longest of our
rounds stands beside the longest of the writers alone and the shortest of the plain way, in which a reader holds each
of its transactions for 50 ms, and for `retire` 10 s. Rounds: {rounds}. PostgreSQL {version}; {rows:,} rows are
converted.

| what | beside | ours ÷ theirs | bound | ours | theirs |
| --- | --- | --- | --- | --- | --- |
{table}

{verdict}

Measured {report.when_and_where()}.
"""


def _row(each: Line) -> str:
    bound = "–" if each.bound == float("inf") else f"≤ {each.bound:g}"
    ratio = f"**{each.ratio:.3f}**" if each.ratio < 0.1 else f"**{each.ratio:.2f}**"
    return f"| {each.what} | {each.against} | {ratio} | {bound} | {_time(each.ours)} | {_time(each.theirs)} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.data_parity`: a parity check beside reladiff, on two tables of an embedded PostgreSQL.

Fills them, measures in turn, prints the table, writes docs/performance.md, removes what it made and ends. reladiff is
installed in an environment of the bench's own; `--reladiff` names another.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench import peers, report
from bench.data_rows import PROJECT
from bench.rounds import Pair, run
from bench.servers import Postgres, engines

ROOT = Path(__file__).parents[1]
COLUMNS = ("name", "v", "n", "t", "b")
KINDS = {"bigint": "n", "uuid": "md5(n::text)::uuid", "text": "md5(n::text)"}
_TABLE = """
create table {table} (id {kind} primary key, name text, v float8, n numeric(18,4), t timestamptz, b boolean);
insert into {table} select {id}, 'row ' || n, n / 7.0, n / 3.0,
    timestamptz '2026-01-01' + n * interval '1 second', n % 2 = 0 from generate_series(1, {rows}) n;
vacuum (analyze, freeze) {table}
"""
# Three rows that differ, in the middle and at the ends of any order.
_CHANGES = (
    "update {table} set v = v + 1e-6 where name = 'row 77'",
    "update {table} set t = t + interval '1 microsecond' where name = 'row 1500'",
    "delete from {table} where name = 'row 1000'",
)
_SUITE = """
store: postgres
table: {table}
checks:
  - name: same
    parity: {{with: {{store: postgres, table: {other}}}, key: id, columns: [{columns}]}}
    severity: low
"""
_RELADIFF = """
import sys
from reladiff import connect_to_table, diff_tables
host, user, name, *tables, wanted = sys.argv[1:]
info = dict(driver="postgresql", host=host, user=user, dbname=name)
found = list(diff_tables(*(connect_to_table(info, each, "id", extra_columns={columns}) for each in tables)))
assert len(found) == int(wanted), found
"""
_INTRO = """\
`make bench-data`: two tables of an embedded PostgreSQL, a key and five columns (text, float, numeric, timestamptz,
boolean), held against each other by a `parity` check of all columns, beside reladiff; both as whole processes, which
are asked whether they found what differs.
"""


def main() -> int:
    """0 when every bound is met, 1 when one is not."""
    given = _arguments()
    given.reladiff = peers.venv("reladiff", given.reladiff)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the engine is removed then, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provision-bench-")))
        postgres, _ = stack.enter_context(engines(folder / "engines"))
        pairs: list[Pair] = []
        for kind in given.keys:
            url = stack.enter_context(postgres.fresh())
            pairs += _pairs(url, folder / kind, kind, given)
        run(pairs, lambda line: print(line, flush=True))
        text = _page(pairs, given.reladiff, postgres)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Parity", text, ROOT)
    return 1 if report.missed(pairs, {}) else 0


def _pairs(url: str, folder: Path, kind: str, given: argparse.Namespace) -> list[Pair]:
    for table in ("one", "equal", "other"):
        _fill(url, table, kind, given.rows)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _CHANGES:
            connection.execute(statement.format(table="other").encode())
    pairs = []
    # A changed row is told twice by reladiff, as it was and as it is.
    for what, table, ours, theirs in (("equal", "equal", 0, 0), ("three differ", "other", 3, 5)):
        name = f"{given.rows:,} rows, {kind} key, {what}"
        mine = _timed(_provision(folder / table, url, table, ours))
        other = _timed(_reladiff(folder, url, table, theirs, given.reladiff))
        pairs.append(Pair(name, mine, other, "reladiff", given.rounds, 1.0))
    return pairs


def _fill(url: str, table: str, kind: str, rows: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _TABLE.format(table=table, kind=kind, id=KINDS[kind], rows=rows).split(";\n"):
            connection.execute(statement.encode())


def _provision(folder: Path, url: str, table: str, wanted: int) -> Callable[[], object]:
    (folder / "alembic" / "versions").mkdir(parents=True)
    (folder / "checks").mkdir()
    suite = _SUITE.format(table="one", other=table, columns=", ".join(COLUMNS))
    (folder / "checks" / "same.yaml").write_text(suite, encoding="utf-8")
    (folder / "provision.toml").write_text(PROJECT, encoding="utf-8")
    command = (sys.executable, str(ROOT / "cli.py"), "validate", "same", "--env", "bench", "--output", "json")
    variables = {"BENCH_URL": url, "PYTHONPATH": str(ROOT)}

    def made() -> None:
        said = subprocess.run(command, cwd=folder, env={**os.environ, **variables}, capture_output=True, check=True)
        found = {each["check"]: each["bad"] for each in json.loads(said.stdout)["results"]}
        assert found["same"] == wanted, said.stdout.decode()

    return made


def _reladiff(folder: Path, url: str, table: str, wanted: int, venv: Path) -> Callable[[], object]:
    (folder / "compare.py").write_text(_RELADIFF.replace("{columns}", repr(COLUMNS)), encoding="utf-8")
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    to = (host, parts.username or "postgres", parts.path.strip("/"))
    command = (str(venv / "bin" / "python"), str(folder / "compare.py"), *to, "one", table, str(wanted))
    return lambda: subprocess.run(command, capture_output=True, check=True)


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return timed


def _page(pairs: list[Pair], venv: Path, postgres: Postgres) -> str:
    return f"""{_INTRO}
{report.table(pairs)}

{report.verdict(report.missed(pairs, {}))}

Measured {report.when_and_where()}. PostgreSQL {postgres.version}; Python {platform.python_version()},
reladiff {peers.version("reladiff", venv)}.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.data_parity", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of each table, at least 1,500")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", nargs="+", choices=list(KINDS), default=list(KINDS), help="types of the key")
    parser.add_argument("--reladiff", type=Path, metavar="VENV")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-noon`: forty revisions beside fifty connections, by `provision up` and by plain Alembic, in turn."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import report
from bench.servers import Postgres
from tests.noon.rounds import ALEMBIC, PROVISION, Round, deploy
from tests.servers import databases

ROOT = Path(__file__).parents[1]
BUDGET, GRACE = 0.75, 0.1  # seconds: of an attempt, with deadlock_timeout as it comes; for what is told late
_INTRO = """\
`make bench-noon`: {revisions} revisions of six related tables (columns, constraints, foreign keys, indexes
concurrently, tables with foreign keys made and dropped) while 50 connections read and write them, five of them
in transactions of up to a second, each in another order of tables; PostgreSQL {version}, a database
of its own for each round. The wait is the longest of a statement of the application for a table, as `pg_locks`
shows it every 10 ms. Plain Alembic has neither a `lock_timeout` nor a second attempt; those of provision are as they
come: three quarters of a `deadlock_timeout`, 30 retries.

| {rounds} rounds | `provision up` | `alembic upgrade head` |
| --- | --- | --- |
"""


def main() -> int:
    """0 when every round of provision applied all and harmed nobody, 1 when one did not."""
    parser = argparse.ArgumentParser(prog="python -m bench.noon", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-noon-") as place, databases.Postgres15() as made:
        server = Postgres(made.url)
        ours, theirs = _rounds(server, Path(place), given.rounds)
    text = _text(ours, theirs, server.version)
    print(f"\n{text}")
    if not given.no_write:
        report.write("Deploy at noon", text, ROOT)
    harmless = all(each.applied == each.revisions and not each.unexpected for each in ours)
    return 0 if harmless and max(each.wait for each in ours) <= BUDGET + GRACE else 1


def _rounds(server: Postgres, place: Path, count: int) -> tuple[list[Round], list[Round]]:
    ours: list[Round] = []
    theirs: list[Round] = []
    for number in range(count):
        for name, command, found in (("provision", PROVISION, ours), ("alembic", ALEMBIC, theirs)):
            with server.fresh() as url:
                found.append(deploy(url, place / f"{name}{number}", command))
            last = found[-1]
            what = f"{last.applied} of {last.revisions} in {last.seconds:.0f} s, longest wait {last.wait * 1000:.0f} ms"
            print(f"{name} {number + 1}: {what}, gave way {last.gave_way}, {dict(last.errors)}", flush=True)
            if name == "provision":
                print(last.said[-1500:], end="", flush=True)  # why not all were applied
    return ours, theirs


def _text(ours: Sequence[Round], theirs: Sequence[Round], version: str) -> str:
    rows = (
        ("rounds in which all were applied", lambda found: f"{sum(e.applied == e.revisions for e in found)}"),
        ("revisions applied, least", lambda found: f"{min(e.applied for e in found)}"),
        ("transactions of the application ended as deadlock victims", lambda found: f"{_victims(found)}"),
        ("its other errors, but of a dropped column or table", lambda found: f"{_others(found)}"),
        ("longest wait of its statements for a table, ms", lambda found: f"{max(e.wait for e in found) * 1000:.0f}"),
        ("times that a revision gave way, median of a round", lambda found: f"{median(e.gave_way for e in found):.0f}"),
        ("seconds, median of a round", lambda found: f"{median(e.seconds for e in found):.0f}"),
        ("transactions of the application", lambda found: f"{sum(e.transactions for e in found):,}"),
    )
    head = _INTRO.format(revisions=ours[0].revisions, version=version, rounds=len(ours))
    lines = "\n".join(f"| {name} | {of(ours)} | {of(theirs)} |" for name, of in rows)
    return f"{head}{lines}\n\nMeasured {report.when_and_where()}.\n"


def _victims(found: Sequence[Round]) -> int:
    return sum(each.errors.get("40P01", 0) for each in found)


def _others(found: Sequence[Round]) -> int:
    errors: Counter[str] = Counter()
    for each in found:
        errors.update(each.unexpected)
    return errors.total() - errors["40P01"]


if __name__ == "__main__":
    sys.exit(main())

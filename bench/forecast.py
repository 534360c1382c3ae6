"""`make bench-forecast`: how long `verify` says that revisions of large tables will take, and how long they take."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench import report
from bench.stores import ROOT
from provision.project import Project

ROWS = 1_000_000
WITHIN, OF = 8, 10
_TOML = """\
[project]
name = "forecast"
home = "postgres"
[stores.postgres]
[environments.rehearsal]
embedded = true
[environments.production]
embedded = true
"""
_REVISION = '''\
"""{description}."""

revision = "{number:04d}"
down_revision = {before}
destructive = True
irreversible = "only its time is of interest"

from alembic import op


def upgrade():
    op.execute("""{up}""")
'''
_TABLES = """
create table customers (id bigint primary key, email text not null, country varchar(2) not null);
create table orders (id bigint primary key, customer bigint not null, reference text not null, status text,
    amount numeric(12, 2) not null, units int not null, placed timestamptz not null);
create table orders_old (id bigint primary key, customer bigint not null, body text not null)
"""
_CUSTOMERS = """
insert into customers select i, md5(i::text) || '@example.org', chr(65 + (i % 26)::int) || chr(65 + (i % 7)::int)
from generate_series(1::bigint, {rows}) i
"""
_ORDERS = """
insert into orders select i, 1 + (i * 7919) % {rows}, md5((i * 31)::text),
    case when i % 3 = 0 then 'paid' else 'open' end,
    (i * 17 % 100000) / 100.0, i % 50, timestamptz '2020-01-01' + i * interval '1 minute'
from generate_series(1::bigint, {rows}) i
"""
_OLD = "insert into orders_old select i, i % 1000, repeat(md5(i::text), 4) from generate_series(1::bigint, {rows}) i"
KINDS = (
    ("index of text", "create index on orders (reference)"),
    ("unique index of numbers", "create unique index on orders (customer, id)"),
    (
        "check, not valid, then validated",
        "alter table orders add constraint units_low check (units < 100) not valid;"
        " alter table orders validate constraint units_low",
    ),
    ("type change that rewrites", "alter table orders alter units type bigint"),
    ("column with a default", "alter table orders add column channel text not null default 'web'"),
    ("set not null", "alter table orders alter status set not null"),
    ("update of every row", "update orders set channel = 'shop ' || status"),
    ("foreign key", "alter table orders add foreign key (customer) references customers"),
    (
        "materialized view",
        "create materialized view paid as select customer, count(*) as orders, sum(amount) as amount from orders"
        " group by customer",
    ),
    ("drop of a table", "drop table orders_old"),
)


class Told(NamedTuple):
    """One kind of revision: milliseconds that were said, and that the ledger says it took."""

    kind: str
    said: int
    took: int

    @property
    def factor(self) -> float:
        return max(self.said, 1) / max(self.took, 1)

    @property
    def within(self) -> bool:
        return 0.5 <= self.factor <= 2


def measured(folder: Path, rows: int = ROWS) -> list[Told]:
    """Tables of so many rows, their statistics, a rehearsal without them, and the revisions carried out."""
    root = _project(folder)
    there = Project.open(root, "production")
    there.start_engines()
    try:
        there.up("postgres/0001")
        with psycopg.connect(there.url("postgres"), autocommit=True) as connection:
            for statement in (_CUSTOMERS, _ORDERS, _OLD):
                connection.execute(statement.format(rows=rows).encode())
        _settled(there.url("postgres"))
        there.stats(folder / "stats.json")
        found = Project.open(root, "rehearsal").verify(stats=[folder / "stats.json"])
        said = {each.id: each.ms for each in found.forecasts}
        took = {}
        for each in there.plan().steps:
            _settled(there.url("postgres"))
            took[each.id] = there.up(each.id, allow_destructive=True).done[0].duration_ms
    finally:
        there.reset_engines()
    names = [f"postgres/{number:04d}" for number in range(2, len(KINDS) + 2)]
    return [Told(kind, said[id], took[id]) for (kind, _), id in zip(KINDS, names, strict=True)]


def _settled(url: str) -> None:
    """What autovacuum and the checkpointer have done between two deployments."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _project(folder: Path) -> Path:
    root = folder / "project"
    versions = root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (root / "provision.toml").write_text(_TOML)
    (root / "alembic" / "env.py").write_text((ROOT / "alembic" / "env.py").read_text(encoding="utf-8"))
    for number, (description, up) in enumerate((("tables", _TABLES), *KINDS), 1):
        before = f'"{number - 1:04d}"' if number > 1 else None
        text = _REVISION.format(description=description, number=number, before=before, up=up)
        (versions / f"{number:04d}_kind.py").write_text(text)
    return root


def table(found: Sequence[Told]) -> str:
    """A line a kind, as Markdown."""
    lines = [f"| {each.kind} | {each.said} ms | {each.took} ms | {each.factor:.2f} |" for each in found]
    return "\n".join(("| revision | said | took | said ÷ took |", "| --- | ---: | ---: | ---: |", *lines))


def main() -> int:
    """0 when eight of ten are within a factor of two, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecast", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as folder:
        found = measured(Path(folder), given.rows)
    right = sum(each.within for each in found)
    text = (
        f"`make bench-forecast`: tables of {given.rows:,} rows; what `verify --stats` said of each kind of revision,"
        f" which never saw them, and what its ledger says that it took there.\n\n{table(found)}\n\n"
        f"{right} of {len(found)} within a factor of two; the bound is {WITHIN} of {OF}.\n\n"
        f"Measured {report.when_and_where()}.\n"
    )
    print(text)
    report.write("Forecast", text, ROOT)
    return 0 if right >= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())

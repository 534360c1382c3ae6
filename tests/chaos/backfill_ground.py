"""The table that the chaos of backfills is played on, those who write to it meanwhile, and what must become of it."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]
Database = psycopg.Connection[tuple[object, ...]]
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
# The shape of a table of decisions: a random key, three indexes, some values already there. `filled` counts how often a
# row was filled: it makes the backfill one that must never touch a row twice.
_TABLE = """
create table decisions (id uuid primary key default gen_random_uuid(), n bigint not null, tenant text not null,
    symbol text not null, decided_at timestamptz not null, confidence numeric(5,4), uncertainty numeric(5,4),
    filled integer not null default 0);
insert into decisions (n, tenant, symbol, decided_at, confidence, uncertainty)
select i, 't' || mod(i, 9), 'S' || mod(i, 500), '2026-01-01'::timestamptz + i * interval '1 s',
    case when mod(i, 100) = 0 then 0.11 end, case when mod(i, 50) = 0 then 0.22 end from generate_series(1, ROWS) i;
create index on decisions (tenant, symbol, decided_at);
create index on decisions (decided_at);
create table before as table decisions;
create table wrote (at bigserial, id uuid not null, confidence numeric(5,4));
analyze decisions
"""
# The reference, from what was there before and what others wrote meanwhile: the last one who wrote a value is right.
_EXPECTED = """
create table expected as select id, n, tenant, symbol, decided_at,
    coalesce(last.confidence, before.confidence, 0.5)::numeric(5,4) as confidence,
    coalesce(uncertainty, 0.5)::numeric(5,4) as uncertainty,
    case when before.confidence is null or uncertainty is null then 1 else 0 end as filled
from before left join (select distinct on (id) id, confidence from wrote order by id, at desc) last using (id)
"""
_SUM = """
select count(*), sum(('x' || left(md5(t::text), 15))::bit(60)::bigint::numeric) from
    (select id, n, tenant, symbol, decided_at, confidence, uncertainty, filled from {}) t
"""
_DIFFERENT = """
select coalesce(d.n, e.n), d.confidence, d.uncertainty, d.filled, e.confidence, e.uncertainty, e.filled
from decisions d full join expected e using (id)
where (d.tenant, d.symbol, d.decided_at, d.confidence, d.uncertainty, d.filled)
    is distinct from (e.tenant, e.symbol, e.decided_at, e.confidence, e.uncertainty, e.filled) limit 3
"""
_MISSING = "select count(*) from decisions where confidence is null or uncertainty is null"
_COUNTED = "select (select sum(filled) from decisions), (select sum(rows_done) from provision.backfill_part)"
_OPEN = "select run, state, error from provision.backfill_run where state <> 'succeeded'"
_EVENTS = "select count(*) from provision.ledger where revision = 'backfill/fill' and kind = 'applied'"
# What others do to a row meanwhile: give it a value where it has none, another value, the same values in another place.
_WRITES = (
    "update decisions set confidence = 0.33 where id = %(id)s and confidence is null returning id, confidence",
    "update decisions set confidence = 0.44 where id = %(id)s returning id, confidence",
)
_MOVE = "update decisions set symbol = symbol where id = %(id)s"
_NEW = """
with made as (
    insert into decisions (n, tenant, symbol, decided_at, confidence)
    values (%(n)s, 't0', 'S0', '2026-02-01', %(confidence)s) returning *
)
insert into before table made
"""


class Writer:
    """Someone who writes to the table all the time, and keeps what was written in the same transaction."""

    def __init__(self, url: str, seed: int) -> None:
        self._url, self._chance = url, random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self.wrote = 0
        self.error: Exception | None = None

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                # Rows with one value of two are left alone: whether they want filling would depend on who came first.
                some = connection.execute(
                    "select id from decisions where mod(n, 100) = 0 or mod(n, 50) <> 0 order by random() limit 5000"
                ).fetchall()
                while not self._ended.wait(0.004):
                    self._once(connection, self._chance.choice(some)[0])
        except psycopg.Error as error:
            self.error = error

    def _once(self, connection: Database, row: object) -> None:
        self.wrote += 1
        turn = self._chance.randrange(4)
        if turn == 0:
            value = self._chance.choice([None, 0.77])
            connection.execute(_NEW, {"n": -self.wrote, "confidence": value})
        elif turn == 1:
            connection.execute(_MOVE, {"id": row})
        else:
            change = _WRITES[turn - 2]
            kept = f"with changed as ({change}) insert into wrote (id, confidence) select * from changed"
            connection.execute(kept.encode(), {"id": row})


def lay_out(place: Path, order: str) -> None:
    """Write the project."""
    for folder in ("alembic/versions", "backfills"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    env = ROOT / "provision" / "stores" / "postgres" / "setup" / "template" / "env.py"
    (place / "alembic" / "env.py").write_text(env.read_text())
    (place / "provision.toml").write_text(_TOML)
    (place / "backfills" / "fill.yaml").write_text(f"{_DOCUMENT}order: {order}\n")


def sow(connection: Database, rows: int) -> None:
    """Make the table anew, and forget every run."""
    connection.execute(
        "drop table if exists decisions, before, wrote, expected; drop schema if exists provision cascade"
    )
    connection.execute(_TABLE.replace("ROWS", str(rows)).encode())


def filled(connection: Database) -> int:
    """Rows that the log of runs says are filled."""
    try:
        row = connection.execute("select coalesce(sum(rows_done), 0) from provision.backfill_part").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0
    return int(str(row[0])) if row else 0


def left(connection: Database) -> int:
    """Rows that want filling."""
    row = connection.execute(_MISSING).fetchone()
    return int(str(row[0])) if row else 0


def wrong(connection: Database) -> str:
    """Why the table, the log or the ledger are not as they must be at the end; empty when all is well."""
    if missing := left(connection):
        return f"{missing:,} rows are not filled"
    connection.execute(_EXPECTED)
    sums = [connection.execute(_SUM.format(table).encode()).fetchone() for table in ("decisions", "expected")]
    if sums[0] != sums[1]:
        twice = connection.execute("select count(*) from decisions where filled > 1").fetchone()
        return f"not those of the reference: {connection.execute(_DIFFERENT).fetchall()}; {twice} were filled twice"
    counted = connection.execute(_COUNTED).fetchone()
    if counted is None or counted[0] != counted[1]:
        return f"rows filled, and rows that the log counts: {counted}"
    if runs := connection.execute(_OPEN).fetchall():
        return f"runs that did not succeed: {runs}"
    if (events := connection.execute(_EVENTS).fetchone()) == (0,):
        return f"the ledger has {events} completions"
    return ""

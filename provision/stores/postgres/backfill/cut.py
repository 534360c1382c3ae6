"""Cuts the rows of a backfill into parts, and counts what there is to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from provision.model.backfills import SMALL, Backfill
from provision.stores.postgres.backfill.sql import PHYSICAL, Shape
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.sql import literal

COUNTED = 2**31  # bytes of a table up to which its rows are counted, not estimated
SAMPLED = 2_000  # rows looked at to cut the keys into parts of about one size
_ABOUT = """
select pg_table_size({0}::regclass), coalesce(nullif(relpages, 0), 1), reltuples, relkind::text,
       ceil(pg_relation_size({0}::regclass) / current_setting('block_size')::numeric)::bigint
from pg_class where oid = {0}::regclass
"""


def total(connection: Connection, shape: Shape) -> int:
    """The rows that want filling: counted, or in a big table as the planner thinks."""
    size = _about(connection, shape)[0]
    if size <= COUNTED:
        row = connection.execute(shape.count().encode()).fetchone()
        return int(row[0]) if row else 0
    plan = connection.execute(f"explain (format json) {shape.select([], '1')}".encode()).fetchone()
    return int(plan[0][0]["Plan"]["Plan Rows"]) if plan else 0


def size(connection: Connection, shape: Shape) -> int:
    """The rows of the table, counted no further than SMALL."""
    query = f"select count(*) from (select from {shape.table} limit {SMALL}) few"
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def density(connection: Connection, shape: Shape) -> int:
    """About how many rows a block holds."""
    _, pages, rows, _, _ = _about(connection, shape)
    return max(round(rows / pages), 1) if rows > 0 else 40


def width(connection: Connection, shape: Shape) -> int:
    """About the bytes of a row, by what its table takes with all that is stored out of line."""
    size, pages, rows, _, blocks = _about(connection, shape)
    return int(size / max(rows if rows > 0 else blocks * density(connection, shape), 1)) if pages else 0


def cursors(connection: Connection, backfill: Backfill, shape: Shape, parts: int) -> Sequence[object]:
    """Where each part begins: ranges of the heap, or of the key as a sample of it says."""
    _, _, rows, kind, blocks = _about(connection, shape)
    if backfill.body.get("order") == PHYSICAL:
        bounds = sorted({blocks * n // parts for n in range(parts + 1)})
        return [{"block": [low, 0], "to": high} for low, high in pairwise(bounds)]
    if parts == 1 or (kind == "r" and blocks < 100) or 0 <= rows < SMALL:
        return [{"after": None, "to": None}]
    keys = _sample(connection, shape, rows)
    cuts = [keys[len(keys) * n // parts] for n in range(1, parts)] if len(keys) >= parts * 2 else []
    ends: list[Sequence[str] | None] = [None, *dict.fromkeys(cuts), None]
    return [{"after": low and list(low), "to": high and list(high)} for low, high in pairwise(ends)]


def not_skipped(shape: Shape, fields: Mapping[str, object]) -> str:
    """The condition that a row was not passed over in the run."""
    kept = " and ".join(f"s.{column} = {literal(fields[column])}" for column in ("project", "store", "run"))
    return f"not exists (select from provision.backfill_skipped s where {kept} and s.key = {shape.key_as_json()})"


def _sample(connection: Connection, shape: Shape, rows: float) -> list[tuple[str, ...]]:
    share = min(100.0, max(100.0 * SAMPLED / max(rows, 1), 0.001))
    query = f"select {shape.texts} from {shape.table} tablesample system ({share:.6f}) order by {shape.keys}"
    found: list[tuple[str, ...]] = connection.execute(query.encode()).fetchall()
    return found


def _about(connection: Connection, shape: Shape) -> tuple[int, int, float, str, int]:
    """Bytes, pages and rows by its statistics, kind, and blocks now."""
    row = connection.execute(_ABOUT.format(literal(shape.table)).encode()).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), float(row[2]), str(row[3]), int(row[4])

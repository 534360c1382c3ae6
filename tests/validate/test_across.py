"""Two stores side by side: forms of values, ranges of keys, and memory that does not grow with rows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from provision.model.checks import Scope
from provision.model.comparable import MD5, ComparableTable, Digest, Span
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.validate.checks import ClickhouseChecks
from provision.stores.postgres.server import connect
from provision.stores.postgres.validate.checks import PostgresChecks
from provision.validate import bisect
from provision.validate.reference import orphans
from tests.validate.platform import Platform

COLUMNS = ("id", "f", "d", "t", "b", "s", "u", "day")
ODD = [
    "1, 0.1, 1.5, '2026-01-02 03:04:05.678', true, 'a', '00000000-0000-0000-0000-0000000000AA', '2026-01-01'",
    "2, 'nan', -1.5, '1969-12-31 23:59:59.999', false, 'x''y', '10000000-0000-0000-0000-0000000000AA', '1999-01-01'",
    "3, 'inf', 0, '2026-01-02 03:04:05', NULL, NULL, '20000000-0000-0000-0000-0000000000AA', '2026-01-01'",
    "4, '-inf', 99999999999999.1234, NULL, true, 'é😀', '30000000-0000-0000-0000-0000000000AA', '2026-01-01'",
    "5, NULL, 12345678.9999, '2026-01-02 03:04:05', true, '', '30000000-0000-0000-0000-0000000000AB', '2026-01-01'",
    "6, -0.00000049, 1, '2026-01-02 03:04:05', true, 'tab\there', '30000000-0000-0000-0000-0000000000AB', '2026-01-01'",
    "7, 1e20, 1, '2026-01-02 03:04:05', true, 'b', '30000000-0000-0000-0000-0000000000AB', '2026-01-01'",
    "10, '-0.0', 1, '2026-01-02 03:04:05', true, 'b', '30000000-0000-0000-0000-0000000000AB', '2026-01-01'",
]
SAME = """
store: postgres
table: many
checks:
  - name: same
    parity: {with: {store: clickhouse, table: many}, key: id, columns: [v, s]}
"""


@pytest.fixture
def both(platform: Platform) -> Iterator[tuple[PostgresChecks, ClickhouseChecks]]:
    """The checks of both stores, which hold table `odd` alike."""
    platform.sql("drop table if exists odd")
    platform.sql(
        "create table odd (id int, f float8, d numeric(18,4), t timestamp, b boolean, s text, u uuid, day date)"
    )
    platform.ch("DROP TABLE IF EXISTS odd")
    platform.ch(
        "CREATE TABLE odd (id UInt32, f Nullable(Float64), d Decimal(18,4), t Nullable(DateTime64(3,'UTC')),"
        " b Nullable(Bool), s Nullable(String), u UUID, day Date) ENGINE = MergeTree ORDER BY id"
    )
    for row in ODD:
        platform.sql(f"insert into odd values ({row})")
        platform.ch(f"INSERT INTO odd VALUES ({row.replace(chr(39) + chr(39) + 'y', chr(92) + chr(39) + 'y')})")
    postgres = PostgresChecks(lambda: connect(platform.postgres, "postgres"))
    clickhouse = ClickhouseChecks(lambda: Client(platform.clickhouse, "clickhouse"))
    yield postgres, clickhouse
    postgres.close()
    clickhouse.close()
    platform.sql("drop table odd")
    platform.ch("DROP TABLE odd")


def test_values_are_written_alike(both: tuple[PostgresChecks, ClickhouseChecks]) -> None:
    postgres, clickhouse = (each.keyed for each in both)
    sheet = ComparableTable("odd", COLUMNS)
    ours, theirs = postgres.describe(sheet).columns, clickhouse.describe(sheet).columns
    forms = tuple(
        next(form for form in one.forms if form in other.forms) for one, other in zip(ours, theirs, strict=True)
    )
    assert forms == ("integer", "float", "decimal", "moment", "boolean", "text", "uuid", "date")
    sheet = ComparableTable("odd", COLUMNS, forms, ("number",))

    with postgres.snapshot(sheet, Scope()) as here, clickhouse.snapshot(sheet, Scope()) as there:
        rows = here.rows(Span(), 100)
        assert rows == there.rows(Span(), 100)

    assert [row.checksum for row in rows] == sorted(row.checksum for row in rows)
    two, three, eight = (next(row.values for row in rows if row.values[0] == n) for n in ("2", "3", "10"))
    assert two == ("2", "NaN", "-1.5", "-1000", "0", "x'y", "10000000-0000-0000-0000-0000000000aa", "1999-01-01")
    assert three[1:6] == ("7FF0000000000000", "0", "1767323045000000", None, None)
    assert eight[1] == "8000000000000000"  # -0.0


def test_spans_agree(both: tuple[PostgresChecks, ClickhouseChecks]) -> None:
    postgres, clickhouse = (each.keyed for each in both)
    sheet = ComparableTable("odd", ("id", "f", "s"), ("integer", "float", "text"), ("number",), 1, MD5)
    pair = ComparableTable("odd", ("s", "u", "id"), ("text", "uuid", "integer"), ("bytes", "uuid"), 2, MD5)
    cuts = [("3",), ("6",)]

    for each, bounds in (
        (sheet, cuts),
        (pair, [("a", "00000000-0000-0000-0000-000000000000"), ("b", "30000000-0000-0000-0000-0000000000ab")]),
    ):
        with postgres.snapshot(each, Scope()) as here, clickhouse.snapshot(each, Scope()) as there:
            digests = here.digests(Span(), bounds)
            assert digests == there.digests(Span(), bounds)
            for number, span in enumerate((Span(None, bounds[0]), Span(bounds[0], bounds[1]), Span(bounds[1], None))):
                assert here.rows(span, 100) == there.rows(span, 100)
                assert len(here.rows(span, 100)) == digests[number].rows
            assert here.rows(Span(keyless=True), 100) == there.rows(Span(keyless=True), 100)
            assert sum(digest.rows for digest in digests) == 8
            assert digests[-1].rows == (0 if each is sheet else 1)  # the row whose key has a NULL
            assert digests[-1] == Digest() or digests[-1].checksum


def test_keys_of_references_agree(both: tuple[PostgresChecks, ClickhouseChecks]) -> None:
    postgres, clickhouse = (each.keyed for each in both)
    pair = ComparableTable("odd", ("s", "u"), ("text", "uuid"), key=2)

    keys = list(postgres.keys(pair, Scope()))

    assert keys == list(clickhouse.keys(pair, Scope()))
    assert keys == sorted(keys)
    assert keys[2] == (("b", "30000000-0000-0000-0000-0000000000ab"), 2)  # the row with a NULL is left out


def test_orphans_of_keys_in_order() -> None:
    ours = [(("a",), 1), (("b",), 2), (("d",), 3), (("e",), 4)]

    assert list(orphans(iter(ours), iter([(("b",), 1), (("c",), 1), (("d",), 9)]))) == [(("a",), 1), (("e",), 4)]
    assert list(orphans(iter(ours), iter([]))) == ours
    assert list(orphans(iter([]), iter(ours))) == []


@pytest.fixture
def many(platform: Platform) -> Iterator[Platform]:
    """50,000 rows, the same in both stores."""
    platform.sql("drop table if exists many")
    platform.sql("create table many (id uuid primary key, v float8, s text)")
    platform.sql("insert into many select md5(n::text)::uuid, n / 8.0, 'row ' || n from generate_series(1, 50000) n")
    platform.ch("DROP TABLE IF EXISTS many")
    platform.ch("CREATE TABLE many (id UUID, v Float64, s String) ENGINE = MergeTree ORDER BY v")
    platform.ch(
        "INSERT INTO many SELECT toUUID(concat(substring(h, 1, 8), '-', substring(h, 9, 4), '-', substring(h, 13, 4),"
        " '-', substring(h, 17, 4), '-', substring(h, 21))), n / 8, concat('row ', toString(n))"
        " FROM (SELECT number + 1 AS n, lower(hex(MD5(toString(number + 1)))) AS h FROM numbers(50000))"
    )
    platform.suite("same", SAME)
    yield platform
    platform.sql("drop table many")
    platform.ch("DROP TABLE many")


def test_equal_tables_have_parity(many: Platform) -> None:
    assert many.validate("same").found == {}


def test_few_different_rows_among_many_are_all_named(many: Platform) -> None:
    many.sql("update many set v = -1 where s = 'row 77'")
    many.sql("delete from many where s = 'row 40000'")
    many.sql("insert into many values ('ffffffff-ffff-ffff-ffff-ffffffffffff', 1, 'new')")
    many.sql("update many set s = 'other' where s = 'row 25000'")

    found = many.validate("same").found["same"]

    assert (found["bad"], found["total"]) == (4, 50_000)
    told = {str({key: value for key, value in row.items() if key != "id"}) for row in found["samples"]}
    assert told == {
        "{'v': {'here': -1.0, 'there': 9.625}}",
        "{'missing': 'here'}",
        "{'missing': 'there'}",
        "{'s': {'here': 'other', 'there': 'row 25000'}}",
    }


def test_wholly_different_tables_stop_early_in_bounded_memory(many: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    many.sql("update many set v = v + 1")
    monkeypatch.setattr(bisect, "ENOUGH", 3_000)
    tracemalloc.start()

    found = many.validate("same").found["same"]

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1_500 <= found["bad"] < 6_000
    assert "at least as many rows differ" in found["message"]
    assert peak < 30_000_000


def test_row_checks_of_a_table_are_one_scan(many: Platform) -> None:
    checks = "".join(f"  - name: c{n}\n    bad: v < -{n}\n" for n in range(20))
    many.suite("wide", f"store: postgres\ntable: many\nchecks:\n{checks}")
    before = many.sql("select seq_scan from pg_stat_user_tables where relname = 'many'")

    assert many.validate("wide").found == {}

    many.sql("select pg_stat_force_next_flush()")
    after = many.sql("select seq_scan from pg_stat_user_tables where relname = 'many'")
    assert int(after[0][0]) - int(before[0][0]) <= 3  # one scan; a parallel worker each counts as one

"""What parity takes for equal, type by type, in PostgreSQL beside PostgreSQL and beside ClickHouse."""

from __future__ import annotations

import psycopg
import pytest

from provision.stores.postgres.server import connect
from provision.stores.postgres.validate.checks import PostgresChecks
from provision.validate import bisect
from tests.backfill.project import until
from tests.validate.comparing import Stores

FLOATS = ["0", "'-0.0'", "'nan'", "'inf'", "'-inf'", "0.1", "1e300", "5e-324", "0.30000000000000004", "0.3"]
# Of each pair of types, values that are all different, as each store writes them where that is not alike.
PAIRS: dict[str, tuple[tuple[str, str], tuple[str, str], list[str] | tuple[list[str], list[str]]]] = {
    "big integers": (("postgres", "numeric(20,0)"), ("clickhouse", "UInt64"), ["9000000000000", "9000000000001", "0",
                     "18446744073709551615", "18446744073709551614", "9007199254740993", "9007199254740992"]),
    "integers": (("postgres", "bigint"), ("clickhouse", "Nullable(Int64)"), ["-9223372036854775808", "NULL",
                 "9223372036854775807", "9223372036854775806", "0", "-1"]),
    "decimals": (("postgres", "numeric"), ("clickhouse", "Decimal(38,10)"), ["1.5", "1.5000000001", "-0.5", "0.5",
                 "9000000000000.0000000001", "9000000000000.0000000002", "0"]),
    "integer and decimal": (("postgres", "integer"), ("postgres", "numeric(12,2)"), ["1", "10", "100", "0", "-1"]),
    "floats": (("postgres", "double precision"), ("clickhouse", "Float64"), FLOATS),
    "floats of PostgreSQL": (("postgres", "double precision"), ("postgres", "double precision"), FLOATS),
    "real": (("postgres", "real"), ("clickhouse", "Float32"), ["0.1", "0.10000001", "'nan'", "16777216", "16777215"]),
    "texts": (("postgres", "text"), ("clickhouse", "Nullable(String)"), (
        ["''", "NULL", "'∅'", "'a'", "'a '", "'ä'", "'a' || chr(776)", "'NULL'", "'1:a'", "chr(31)"],
        ["''", "NULL", "'∅'", "'a'", "'a '", "'ä'", "'a\u0308'", "'NULL'", "'1:a'", "char(31)"])),
    "varchar": (("postgres", "varchar(9)"), ("clickhouse", "LowCardinality(String)"), ["'a'", "'b'", "'A'"]),
    "char": (("postgres", "char(4)"), ("clickhouse", "FixedString(4)"), ["'a'", "'ab'", "'abcd'"]),
    "timestamps": (("postgres", "timestamptz"), ("clickhouse", "Nullable(DateTime64(6, 'UTC'))"), (
        ["'2026-01-02 03:04:05.000001+00'", "'2026-01-02 04:04:05.000002+01'", "'1969-12-31 23:59:59.999999Z'", "NULL"],
        ["'2026-01-02 03:04:05.000001'", "'2026-01-02 03:04:05.000002'", "'1969-12-31 23:59:59.999999'", "NULL"])),
    "timestamp without zone": (("postgres", "timestamp"), ("postgres", "timestamptz"), (
        ["'2026-01-02 03:04:05.000001'", "'infinity'", "'-infinity'", "'0044-03-15 BC'"],
        ["'2026-01-02 04:04:05.000001+01'", "'infinity'", "'-infinity'", "'0044-03-15 00:00:00Z BC'"])),
    "nanoseconds": (("clickhouse", "DateTime64(9, 'UTC')"), ("clickhouse", "DateTime64(9, 'Europe/Berlin')"), (
        ["'2026-01-02 03:04:05.000000001'", "'2026-01-02 03:04:05.000000002'", "'1969-12-31 23:59:59.999999999'"],
        ["'2026-01-02 04:04:05.000000001'", "'2026-01-02 04:04:05.000000002'", "'1970-01-01 00:59:59.999999999'"])),
    "dates": (("postgres", "date"), ("clickhouse", "Date32"), ["'1925-01-01'", "'2026-01-02'", "'2026-01-03'"]),
    "booleans": (("postgres", "boolean"), ("clickhouse", "Nullable(Bool)"), ["true", "false", "NULL"]),
    "boolean and integer": (("postgres", "boolean"), ("clickhouse", "UInt8"), (["true", "false"], ["1", "0"])),
    "enums": (("postgres", "mood"), ("clickhouse", "Enum8('ok' = 1, 'sad' = 2)"), ["'ok'", "'sad'"]),
    "uuid": (("postgres", "uuid"), ("clickhouse", "UUID"), [f"'{n * 8}-0000-0000-0000-000000000000'" for n in "ABC"]),
    "uuid and text": (("postgres", "uuid"), ("clickhouse", "String"), (
        [f"'{n * 8}-0000-0000-0000-000000000000'" for n in "ABC"],
        [f"'{n * 8}-0000-0000-0000-000000000000'" for n in "abc"])),
    "bytes": (("postgres", "bytea"), ("clickhouse", "String"), (
        ["'\\x00'", "'\\x0000'", "'\\xff'", "''"], ["unhex('00')", "unhex('0000')", "unhex('ff')", "''"])),
    "arrays of integers": (("postgres", "bigint[]"), ("clickhouse", "Array(Nullable(Int64))"), (
        ["'{1,2}'", "'{2,1}'", "'{12}'", "'{}'", "'{NULL}'"], ["[1,2]", "[2,1]", "[12]", "[]", "[NULL]"])),
    "arrays of texts": (("postgres", "text[]"), ("clickhouse", "Array(String)"), (
        ["array['a','b']", "array['a,b']", "array['a,1:b']", "array['']", "'{}'", "array['∅']", "array['ä']"],
        ["['a','b']", "['a,b']", "['a,1:b']", "['']", "[]", "['∅']", "['ä']"])),
    "arrays of floats": (("postgres", "float8[]"), ("clickhouse", "Array(Float64)"), (
        ["'{0}'", "'{-0}'", "'{NaN,1}'", "'{0.1}'"], ["[0]", "[-0.0]", "[nan,1]", "[0.1]"])),
    "arrays of decimals": (("postgres", "numeric[]"), ("postgres", "numeric(9,3)[]"), ["'{1.5}'", "'{1.51}'", "'{}'"]),
    "arrays with bounds": (("postgres", "int[]"), ("postgres", "int[]"), ["'{1,2}'", "'[0:1]={1,2}'", "'{{1,2}}'"]),
    "json": (("postgres", "json"), ("postgres", "jsonb"), (
        ['\'{"b": 1, "a": [true, 1.50]}\'', '\'{"a": [1, 1.5], "b": 1}\'', "'null'", "NULL", "'1234567890123456.1'"],
        ['\'{"a":[true,1.5],"b":1.0}\'', '\'{"b": 1, "a": [1.0, 1.5]}\'', "'null'", "NULL", "'1234567890123456.10'"])),
    "json in a text": (("postgres", "jsonb"), ("clickhouse", "String"), (
        ['\'{"a": 1, "b": null}\'', '\'{"a": 1}\'', "'[1, 2]'", "'\"ä\"'"],
        ['\'{"b":null,"a":1e0}\'', '\'{"a":1.0}\'', "'[1,2]'", "'\"\\\\u00e4\"'"])),
    "intervals": (("postgres", "interval"), ("postgres", "interval"), ["'1 month'", "'30 days'", "'1 second'"]),
    "inet": (("postgres", "inet"), ("postgres", "inet"), ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"]),
    "maps": (("clickhouse", "Map(String, Float64)"), ("clickhouse", "Map(String, Float64)"),
             ["map('a', 0.1)", "map('a', 0.2)"]),
}  # fmt: skip


def listed(values: list[str] | tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
    return values if isinstance(values, tuple) else (values, values)


@pytest.mark.parametrize("pair", PAIRS)
def test_equal_values_are_equal_and_any_other_differs(compared: Stores, pair: str) -> None:
    (store, kind), (other, other_kind), values = PAIRS[pair]
    compared.sql("drop type if exists mood cascade", "create type mood as enum ('sad', 'ok')")
    ours, theirs = listed(values)
    compared.table(store, "ours", kind, ours)
    compared.table(other, "theirs", other_kind, theirs)

    assert compared.differing(f"{store} ours", f"{other} theirs") == []

    for turn in range(1, len(theirs)):
        compared.table(other, "theirs", other_kind, theirs[turn:] + theirs[:turn])
        assert compared.differing(f"{store} ours", f"{other} theirs") == list(range(1, len(theirs) + 1))


ROUNDED = ["0.1", "1e20", "123456789012345678", "1e22", "-2.5", "0.125", "1e-9", "7e15"]


@pytest.mark.parametrize(
    ("store", "kind"), [("postgres", "numeric"), ("postgres", "float8"), ("clickhouse", "Float64")]
)
def test_a_float_is_rounded_alike_everywhere(compared: Stores, store: str, kind: str) -> None:
    compared.table("postgres", "ours", "float8", ROUNDED)
    compared.table(
        store, "theirs", kind, [f"{each}::float8::text::numeric" if kind == "numeric" else each for each in ROUNDED]
    )
    assert compared.differing("postgres ours", f"{store} theirs", places=2) == []

    compared.table(
        store,
        "theirs",
        kind,
        [f"{each}::float8::text::numeric + 0.02" if kind == "numeric" else f"{each} + 0.02" for each in ROUNDED],
    )
    changed = [1, 2, 3, 4, 5, 6, 7, 8] if kind == "numeric" else [1, 5, 6, 7]  # where a float has such decimals
    assert compared.differing("postgres ours", f"{store} theirs", places=2) == changed


def test_table_is_looked_at_anew(compared: Stores) -> None:
    for kind, value in (("Float64", "1.5"), ("String", "'a'")):
        compared.table("clickhouse", "ours", kind, [value])
        compared.table("clickhouse", "theirs", kind, [value])
        assert compared.differing("clickhouse ours", "clickhouse theirs") == []


def test_decimals_beyond_the_places_do_not_count(compared: Stores) -> None:
    compared.table("postgres", "ours", "numeric", ["1.004", "-1.005", "9000000000000.004"])
    compared.table("clickhouse", "theirs", "Decimal(30, 4)", ["1", "-1.0051", "9000000000000.01"])

    assert compared.differing("postgres ours", "clickhouse theirs", places=2) == [3]
    assert compared.differing("postgres ours", "clickhouse theirs") == [1, 2, 3]


def test_decimals_of_a_second_beyond_those_named_do_not_count(compared: Stores) -> None:
    compared.table("postgres", "ours", "timestamptz", ["'2026-01-02 03:04:05.6789Z'", "'1969-12-31 23:59:59.9999Z'"])
    compared.table(
        "clickhouse", "theirs", "DateTime64(3, 'UTC')", ["'2026-01-02 03:04:05.678'", "'1969-12-31 23:59:59.999'"]
    )

    assert compared.differing("postgres ours", "clickhouse theirs") == [1, 2]
    assert compared.differing("postgres ours", "clickhouse theirs", time_places=3) == []
    shown = {str(row["id"]): row["v"] for row in compared.parity("postgres ours", "clickhouse theirs").samples}
    assert shown["1"] == {"here": "2026-01-02T03:04:05.678900Z", "there": "2026-01-02T03:04:05.678000Z"}


@pytest.mark.parametrize(
    ("ours", "theirs", "fix"),
    [
        (("postgres", "float8"), ("postgres", "numeric(9,2)"), True),
        (("postgres", "real"), ("clickhouse", "UInt8"), True),
        (("postgres", "text"), ("clickhouse", "Int32"), False),
        (("postgres", "bytea"), ("postgres", "text"), False),
        (("postgres", "jsonb"), ("postgres", "text"), False),
        (("postgres", "date"), ("clickhouse", "String"), False),
        (("postgres", "int[]"), ("clickhouse", "Array(Array(Int32))"), False),
        (("postgres", "interval"), ("clickhouse", "Int64"), False),
        (("clickhouse", "AggregateFunction(sum, UInt8)"), ("clickhouse", "AggregateFunction(sum, UInt8)"), False),
    ],
)
def test_types_that_cannot_be_compared_are_refused_by_name(
    compared: Stores, ours: tuple[str, str], theirs: tuple[str, str], *, fix: bool
) -> None:
    for name, (store, kind) in (("ours", ours), ("theirs", theirs)):
        if store == "postgres":
            compared.sql(f"drop table if exists {name}", f"create table {name} (id int, v {kind})")
        else:
            compared.ch(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} (id Int32, v {kind}) ENGINE = Memory")

    (error,) = compared.refused(f"{ours[0]} ours", f"{theirs[0]} theirs")

    spelled = {"float8": "double precision", "int[]": "integer[]"}
    one, other = (f"v is {spelled.get(kind, kind)} in {store}" for store, kind in (ours, theirs))
    assert error.code == "not-comparable", error.what
    assert (error.code, error.what) == ("not-comparable", f"same: {one}, {other}: they cannot be compared")
    assert error.where == "checks/same.yaml:4:5"
    assert ("`places: 6`" in error.fix) is fix


def test_a_duplicate_key_is_called_one(compared: Stores) -> None:
    for name in ("ours", "theirs"):
        compared.sql(f"drop table if exists {name}", f"create table {name} (id int, v text)")
        compared.sql(f"insert into {name} values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    compared.sql("insert into ours values (1, 'a')", "insert into theirs values (2, 'B'), (5, 'e'), (5, 'e')")
    compared.sql("insert into ours values (4, 'd')", "insert into theirs values (4, 'd')")

    found = compared.parity("postgres ours", "postgres theirs")

    assert sorted(found.samples, key=lambda row: int(str(row["id"]))) == [
        {"id": 1, "duplicate": "here", "rows": {"here": 2, "there": 1}},
        {"id": 2, "duplicate": "there", "rows": {"here": 1, "there": 2}},
        {"id": 5, "missing": "here", "duplicate": "there", "rows": {"here": 0, "there": 2}},
    ]
    assert found.tally.message == "6 rows here, 8 in postgres; 3 of these keys have more than one row"


@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_rows_without_a_key_are_compared_too(compared: Stores, store: str) -> None:
    compared.sql("drop table if exists ours", "create table ours (id int, v text)")
    compared.sql("insert into ours values (NULL, 'a'), (NULL, 'b'), (1, 'c')")
    if store == "postgres":
        compared.sql("drop table if exists theirs", "create table theirs as select * from ours")
    else:
        compared.ch("DROP TABLE IF EXISTS theirs", "CREATE TABLE theirs (id Nullable(Int32), v String) ENGINE = Memory")
        compared.ch("INSERT INTO theirs VALUES (NULL, 'a'), (NULL, 'b'), (1, 'c')")
    assert compared.parity("postgres ours", f"{store} theirs").tally.bad == 0

    compared.sql("update ours set v = 'x' where v = 'b'")

    (row,) = compared.parity("postgres ours", f"{store} theirs").samples
    assert row == {"id": None, "duplicate": "here and there", "rows": {"here": 2, "there": 2}}


@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_more_rows_of_one_key_than_are_fetched_never_pass(
    compared: Stores, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setattr(bisect, "FEW", 20)
    monkeypatch.setattr(bisect, "ENOUGH", 50)
    compared.sql(
        "drop table if exists ours", "create table ours as select 1 as id, n::text as v from generate_series(1, 500) n"
    )
    if store == "postgres":
        compared.sql("drop table if exists theirs", "create table theirs as select * from ours")
    else:
        compared.ch("DROP TABLE IF EXISTS theirs", "CREATE TABLE theirs (id Int32, v String) ENGINE = Memory")
        compared.ch("INSERT INTO theirs SELECT 1, toString(number + 1) FROM numbers(500)")
    assert compared.parity("postgres ours", f"{store} theirs").tally.bad == 0

    for number in ("1", "250", "500"):
        compared.sql(f"update ours set v = 'x' || v where v = '{number}'")
        assert compared.parity("postgres ours", f"{store} theirs").tally.bad == 1


def test_the_index_of_the_key_serves(compared: Stores) -> None:
    """Of 60,000 rows the whole is read once, and then only what lies around the one that differs."""
    for name in ("ours", "theirs"):
        compared.sql(f"drop table if exists {name}", f"create table {name} (id text primary key, v int)")
        compared.sql(f"insert into {name} select md5(n::text), n from generate_series(1, 60000) n", f"analyze {name}")
    compared.sql("update theirs set v = 0 where v = 31000", "select pg_stat_force_next_flush()")
    counted = "select seq_scan, coalesce(idx_scan, 0) from pg_stat_user_tables where relname = 'ours'"

    def scans() -> tuple[int, int]:
        return compared.connection.execute(counted).fetchone() or (0, 0)

    before = scans()

    assert compared.parity("postgres ours", "postgres theirs").tally.bad == 1

    # The sessions of the check tell of their scans in their own time, some seconds later.
    until(lambda: scans()[1] - before[1] >= 1)
    # The sample of keys, and one scan with up to two workers.
    assert scans()[0] - before[0] <= 4


KEYS = [["i"], ["u"], ["s"], ["t"], ["n"], ["s", "i"], ["u", "s"], ["c", "i"], ["i", "c", "u"], ["f"], ["d", "u"]]


@pytest.fixture(scope="module")
def keyed(compared: Stores) -> Stores:
    """Tables `one` and `other` of 3,000 rows with keys of many types; of `other` row 700 differs and 1300 is gone."""
    compared.sql(
        "drop table if exists one, other",
        "drop collation if exists their_own",
        "create collation their_own (provider = libc, locale = 'C.UTF-8')",
        "create table one (i int, u uuid, s text, c text collate their_own, t timestamptz, n numeric, f float8, d date,"
        " v int)",
        "insert into one select n, md5(n::text)::uuid, chr(97 + n % 26) || chr(228) || n % 500, md5(n::text),"
        " timestamptz '2026-01-01' + n * interval '1 s', n / 8.0, n / 7.0, date '2026-01-01' + n % 20, n"
        " from generate_series(1, 3000) n",
        "create table other as select * from one where i <> 1300",
        "update other set v = 0 where i = 700",
    )
    compared.ch(
        "DROP TABLE IF EXISTS other",
        "CREATE TABLE other (i Int64, u UUID, s String, c String, t DateTime64(6, 'UTC'), n Decimal(20, 3), f Float64,"
        " d Date, v Int32) ENGINE = MergeTree ORDER BY u",
    )
    rows = compared.connection.execute("select i, u, s, c, t, n, f, d, v from other").fetchall()
    compared.client.insert("other", rows, column_names=["i", "u", "s", "c", "t", "n", "f", "d", "v"])
    return compared


@pytest.mark.parametrize("key", KEYS, ids=" ".join)
@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_any_key_is_bisected(keyed: Stores, monkeypatch: pytest.MonkeyPatch, store: str, key: list[str]) -> None:
    monkeypatch.setattr(bisect, "FEW", 40)

    found = keyed.parity("postgres one", f"{store} other", key=key, columns=["i", "v"])

    told = {(row.get("missing"), str(row.get("v"))) for row in found.samples}
    assert told == {("there", "None"), (None, "{'here': 700, 'there': 0}")}
    assert found.tally.bad == 2


def test_a_database_of_another_encoding_is_compared(compared: Stores) -> None:
    compared.sql(
        "drop database if exists latin", "create database latin encoding 'LATIN1' locale 'C' template template0"
    )
    text = "('k' || chr(228) || n) as id, chr(214) || n as v, array[chr(223), null] as a"
    latin = compared.url.replace("/compared", "/latin")
    with psycopg.connect(latin, autocommit=True) as connection:
        connection.execute(f"create table one as select {text} from generate_series(1, 3000) n".encode())
        checks = PostgresChecks(lambda: connect(latin, "latin"))
        compared.world.checks["latin"] = checks  # type: ignore[index]
        compared.sql("drop table if exists one", f"create table one as select {text} from generate_series(1, 3000) n")
        assert compared.parity("latin one", "postgres one", columns=["v", "a"]).tally.bad == 0
        connection.execute("update one set a = array['~', null] where v like '%1234'")
    assert compared.parity("latin one", "postgres one", columns=["v", "a"]).tally.bad == 1
    checks.close()

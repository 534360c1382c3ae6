"""Random rows of every type: equal rows are never reported, and one random change always is, and nothing else."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.sql import Literal

from provision.validate import bisect
from tests.validate.comparing import Stores

Drawn = st.SearchStrategy[Any]
Write = Callable[[Any], str]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def _pg(value: object) -> str:
    return "NULL" if value is None else str(Literal(value).as_string(None))


def _ch(value: object) -> str:
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    return f"unhex('{str(value).encode().hex()}')"


def _ch_float(value: float) -> str:
    return f"reinterpretAsFloat64(toUInt64({int.from_bytes(struct.pack('>d', value), 'big')}))"


def _array(write: Write, form: str) -> Write:
    return lambda values: form.format(", ".join(map(write, values)))


# Column → its type and literals in PostgreSQL, those in ClickHouse, and what it may hold.
COLUMNS: dict[str, tuple[str, Write, str, Write, Drawn]] = {
    "i": ("bigint", str, "Int64", str, st.integers(-(2**63), 2**63 - 1)),
    "u": ("uuid", _pg, "UUID", lambda value: f"toUUID('{value}')", st.uuids()),
    "s": ("text", _pg, "String", _ch, TEXT),
    "big": ("numeric(20,0)", str, "UInt64", str, st.integers(0, 2**64 - 1)),
    "n": (
        "numeric(38,10)",
        lambda value: f"{value} * 0.0000000001",
        "Decimal(38,10)",
        lambda value: f"toDecimal128('{'-' * (value < 0)}{abs(value) // 10**10}.{abs(value) % 10**10:010}', 10)",
        st.integers(-(10**27), 10**27),
    ),
    "f": ("float8", lambda value: f"'{value!r}'", "Float64", _ch_float, st.floats()),
    "o": ("text", _pg, "Nullable(String)", _ch, st.none() | TEXT),
    "b": ("boolean", _pg, "Nullable(Bool)", _ch, st.none() | st.booleans()),
    "t": (
        "timestamptz",
        lambda value: f"'{value}Z'",
        "DateTime64(6, 'UTC')",
        lambda value: f"'{value:%Y-%m-%d %H:%M:%S.%f}'",
        st.datetimes(datetime(1901, 1, 1), datetime(2298, 1, 1)),
    ),
    "d": ("date", _pg, "Date32", lambda value: f"'{value}'", st.dates(date(1901, 1, 1), date(2298, 1, 1))),
    "e": ("feeling", _pg, "Enum8('ok' = 1, 'sad' = 2)", lambda value: f"'{value}'", st.sampled_from(["ok", "sad"])),
    "x": (
        "bytea",
        lambda value: f"'\\x{value.hex()}'",
        "String",
        lambda value: f"unhex('{value.hex()}')",
        st.binary(max_size=4),
    ),
    "ai": (
        "bigint[]",
        _array(_pg, "array[{}]::bigint[]"),
        "Array(Nullable(Int64))",
        _array(_ch, "[{}]"),
        st.lists(st.none() | st.integers(-9, 9), max_size=3),
    ),
    "at": (
        "text[]",
        _array(_pg, "array[{}]::text[]"),
        "Array(String)",
        _array(_ch, "[{}]"),
        st.lists(TEXT, max_size=3),
    ),
    "j": ("jsonb", lambda value: _pg(json.dumps(value)), "String", lambda value: _ch(_written(value)), DOCUMENT),
}
KEYS: Sequence[list[str]] = (["i"], ["u"], ["s"], ["s", "i"], ["i", "u", "s"])
ROW = st.fixed_dictionaries({name: column[-1] for name, column in COLUMNS.items()})
ROWS = st.lists(
    ROW, min_size=1, max_size=9, unique_by=(lambda row: row["i"], lambda row: row["u"], lambda row: row["s"])
)
Row = dict[str, Any]


def _written(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _same(name: str, one: Any, other: Any) -> bool:
    if name == "f":
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    # True is 1 to Python.
    return _written(one) == _written(other) if name == "j" else bool(one == other)


def _tables(stores: Stores, other: str) -> None:
    stores.sql("drop table if exists one, another", "drop type if exists feeling cascade")
    stores.sql("create type feeling as enum ('sad', 'ok')")
    columns = ", ".join(f"{name} {column[0]}" for name, column in COLUMNS.items())
    stores.sql(f"create table one ({columns})", "create index on one (i)", f"create table another ({columns})")
    if other == "clickhouse":
        columns = ", ".join(f"{name} {column[2]}" for name, column in COLUMNS.items())
        stores.ch("DROP TABLE IF EXISTS another", f"CREATE TABLE another ({columns}) ENGINE = MergeTree ORDER BY i")


def _fill(stores: Stores, store: str, table: str, rows: Sequence[Row]) -> None:
    at = 1 if store == "postgres" else 3
    listed = ", ".join(f"({', '.join(column[at](row[name]) for name, column in COLUMNS.items())})" for row in rows)
    send = stores.sql if store == "postgres" else stores.ch
    send(f"truncate table {table}")
    if rows:
        send(f"insert into {table} values {listed}")


@st.composite
def changed(draw: st.DrawFn, rows: list[Row], key: list[str]) -> tuple[list[Row], Row]:
    """The rows with one of them changed, missing or there twice, and that row."""
    at = draw(st.integers(0, len(rows) - 1))
    how = draw(st.sampled_from(["change", "change", "change", "remove", "double"]))
    before, row, after = rows[:at], rows[at], rows[at + 1 :]
    if how == "remove":
        return [*before, *after], row
    if how == "double":
        return [*rows, row], row
    name = draw(st.sampled_from([each for each in COLUMNS if each not in key]))
    value = draw(COLUMNS[name][-1].filter(lambda drawn: not _same(name, drawn, row[name])))
    return [*before, {**row, name: value}, *after], row


@pytest.mark.parametrize("other", ["postgres", "clickhouse"])
def test_random_rows_are_equal_and_one_random_change_is_found(
    compared: Stores, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr(bisect, "FEW", 2)
    _tables(compared, other)

    @settings(
        max_examples=25 if other == "postgres" else 12,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # to shrink what was found takes minutes on servers
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(st.data(), ROWS, st.sampled_from(KEYS))
    def holds(data: st.DataObject, rows: list[Row], key: list[str]) -> None:
        body = {"key": key, "columns": [name for name in COLUMNS if name not in key]}
        _fill(compared, "postgres", "one", rows)
        _fill(compared, other, "another", rows[::-1])
        assert compared.parity("postgres one", f"{other} another", **body).tally.bad == 0

        others, row = data.draw(changed(rows, key))
        _fill(compared, other, "another", others)
        found = compared.parity("postgres one", f"{other} another", **body)

        assert found.tally.bad == 1
        named = {"i": row["i"], "u": str(row["u"]), "s": row["s"]}
        assert {name: found.samples[0][name] for name in key} == {name: named[name] for name in key}

    holds()


def test_the_values_of_the_test_are_what_they_say() -> None:
    assert _ch_float(1.0) == "reinterpretAsFloat64(toUInt64(4607182418800017408))"
    assert not _same("f", 0.0, -0.0)
    assert not _same("j", True, 1)
    assert UUID(int=0) != UUID(int=1)

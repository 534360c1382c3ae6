"""Tables of PostgreSQL in the order of a key written as text, so that another store can compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from psycopg import Cursor

from provision.model.checks import BOOLEAN, INTEGER, MOMENT, NUMBER, TEXT, ComparableTable, Digest, Key, Scope
from provision.stores.postgres.validate.refused import types_of
from provision.stores.postgres.validate.sql import ENDLESS, MOMENTS, clause, literal, name, table_name, where

Execute = Callable[..., Cursor[Any]]
Reading = Callable[[Scope], AbstractContextManager[Execute]]
NOTHING, BETWEEN = "∅", "\x1f"
_INTEGERS = frozenset({"smallint", "integer", "bigint", "oid"})
_BY_TYPE = {
    **dict.fromkeys(MOMENTS, MOMENT),
    **dict.fromkeys(_INTEGERS, INTEGER),
    **dict.fromkeys(ENDLESS, NUMBER),
    "boolean": BOOLEAN,
}
# A number as whole units of its last decimal; one too big for that in whole millions, which is near enough.
_NUMBER = """case when {0}::float8 = 'NaN' then 'NaN' when abs({0}::float8) >= 9e24 then
 case when {0}::float8 > 0 then 'Infinity' else '-Infinity' end
 when abs({0}::float8) >= 9e12 then floor({0}::float8 / 1e6)::bigint::text || 'e6'
 else floor({0}::float8 * 1e{1} + 0.5)::bigint::text end"""
_FORMS = {
    MOMENT: "floor(extract(epoch from {0}) * 1000)::bigint::text",
    INTEGER: "{0}::text",
    NUMBER: _NUMBER,
    BOOLEAN: "{0}::int::text",
    TEXT: "{0}::text",
}


class PostgresKeyed:
    """`provision.ports.validate.Keyed`. `streaming` lends a transaction of its own, for what is read bit by bit."""

    def __init__(self, reading: Reading, streaming: Reading) -> None:
        self._reading, self._streaming = reading, streaming

    def forms(self, sheet: ComparableTable) -> Sequence[str]:
        with self._reading(Scope(seconds=60)) as execute:
            types = types_of(execute, sheet.table)
        return [_BY_TYPE.get(types.get(column, ""), TEXT) for column in sheet.columns]

    def keys(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None
    ) -> Iterator[tuple[Key, int]]:
        key = _key(sheet)
        present = [f"{name(column)} is not null" for column in sheet.columns[: sheet.key]]
        range_ = [f"({key}) >= {_tuple(low)}"] if low else []
        range_ += [f"({key}) <= {_tuple(high)}"] if high else []
        kept = clause([*where(sheet.time, sheet.tenant, scope), *present, *range_])
        query = f"select {key}, count(*) from {table_name(sheet.table)}{kept}"
        query += f" group by {key} order by {key}"
        with self._streaming(scope) as execute:
            execute(f"declare found no scroll cursor for {query}")
            while rows := execute("fetch 10000 from found").fetchall():
                yield from ((tuple(row[:-1]), int(row[-1])) for row in rows)

    def digests(self, sheet: ComparableTable, scope: Scope, bounds: Sequence[Key | None]) -> Sequence[Digest]:
        inner = [each for each in bounds[1:-1] if each is not None]
        cases = " ".join(f"when ({_key(sheet)}) <= {_tuple(each)} then {n}" for n, each in enumerate(inner))
        part = f"case {cases} else {len(inner)} end" if inner else "0"
        line = f" || {literal(BETWEEN)} || ".join(_written(sheet))
        query = (
            f"select part, count(*), sum(checksum), min(first), max(first) from (select {part} as part,"
            f' {_written(sheet)[0]} collate "C" as first,'
            f" ('x' || right(md5({line}), 15))::bit(60)::bigint as checksum"
            f" from {table_name(sheet.table)}{_slice(sheet, scope, bounds[0], bounds[-1])}) rows group by part"
        )
        with self._reading(scope) as execute:
            found = {int(row[0]): Digest(int(row[1]), int(row[2]), row[3], row[4]) for row in execute(query)}
        return [found.get(n, Digest(0, 0)) for n in range(len(bounds) - 1)]

    def split(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, parts: int
    ) -> Sequence[Key]:
        names = ", ".join(f"k{n}" for n in range(sheet.key))
        inner = ", ".join(f"{each} as k{n}" for n, each in enumerate(_written(sheet)[: sheet.key]))
        query = (
            f"select distinct {names} from (select {inner}, row_number() over (order by {_key(sheet)}) as n,"
            f" count(*) over () as rows from {table_name(sheet.table)}{_slice(sheet, scope, low, high)}) numbered"
            f" where n % greatest(ceil(rows / {parts}.0)::bigint, 1) = 0 and n < rows"
        )
        with self._reading(scope) as execute:
            return sorted(tuple(row) for row in execute(query))

    def rows(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, limit: int
    ) -> Sequence[Key]:
        query = (
            f"select {', '.join(_written(sheet))} from {table_name(sheet.table)}{_slice(sheet, scope, low, high)}"
            f" order by {_key(sheet)} limit {limit:d}"
        )
        with self._reading(scope) as execute:
            return [tuple(row) for row in execute(query)]


def _written(sheet: ComparableTable) -> list[str]:
    forms = zip(sheet.columns, sheet.forms, strict=True)
    texts = [_FORMS[form].format(name(column), sheet.places) for column, form in forms]
    return [f"coalesce({text}, {literal(NOTHING)})" for text in texts]


def _key(sheet: ComparableTable) -> str:
    return ", ".join(f'{each} collate "C"' for each in _written(sheet)[: sheet.key])


def _tuple(key: Key) -> str:
    return f"({', '.join(map(literal, key))})"


def _slice(sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None) -> str:
    range_ = [f"({_key(sheet)}) > {_tuple(low)}"] if low is not None else []
    range_ += [f"({_key(sheet)}) <= {_tuple(high)}"] if high is not None else []
    return clause([*where(sheet.time, sheet.tenant, scope), *range_])

"""Tables of ClickHouse in the order of a key, so that another store can compare them span by span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from provision.model.checks import Scope
from provision.model.comparable import (
    BY_FORM,
    JSON,
    MD5,
    Comparable,
    ComparableTable,
    ComparedRow,
    Digest,
    Key,
    Span,
)
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.validate import forms
from provision.stores.clickhouse.validate.forms import Column
from provision.stores.clickhouse.validate.refused import types_of
from provision.stores.clickhouse.validate.sql import clause, name, source, where

# Keys looked at for each cut: the more, the more alike the parts.
_EACH_CUT = 64
# Names that no column has.
PART, CHECKSUM = "`part of the span`", "`checksum of the row`"


class ClickhouseKeyed:
    """`provision.ports.validate.Keyed`."""

    # Each cut is one more comparison of every row.
    parts = 64

    def __init__(self, reading: ReadOnlyQueries) -> None:
        self._reading = reading

    def describe(self, sheet: ComparableTable) -> Comparable:
        columns = self._columns(sheet)
        return Comparable(tuple(forms.described(each, sheet) for each in columns), (forms.CHECKSUM, MD5))

    def keys(self, sheet: ComparableTable, scope: Scope) -> Iterator[tuple[Key, int]]:
        columns = self._columns(sheet)[: sheet.key]
        key = ", ".join(
            forms.ordered(column, form, BY_FORM, sheet)
            for column, form in zip(columns, sheet.forms[: sheet.key], strict=True)
        )
        present = [f"isNotNull({name(column.name)})" for column in columns]
        kept = clause([*where(sheet.time, sheet.tenant, scope), *present])
        query = f"SELECT {key}, count() FROM {source(sheet.table, sheet.options)}{kept} GROUP BY {key} ORDER BY {key}"
        for row in self._reading.stream(query, scope):
            yield tuple(row[:-1]), int(row[-1])

    @contextmanager
    def snapshot(self, sheet: ComparableTable, scope: Scope) -> Iterator[ClickhouseSnapshot]:
        yield ClickhouseSnapshot(self._reading, sheet, scope, self._columns(sheet))

    def _columns(self, sheet: ComparableTable) -> list[Column]:
        types = types_of(self._reading, sheet.table)
        return [Column(each, types[each]) for each in sheet.columns]


class ClickhouseSnapshot:
    """`provision.ports.validate.Snapshot`; the server has no snapshots, so each query sees the rows of its time."""

    def __init__(
        self, reading: ReadOnlyQueries, sheet: ComparableTable, scope: Scope, columns: Sequence[Column]
    ) -> None:
        self._reading, self._sheet, self._scope = reading, sheet, scope
        self._kept = where(sheet.time, sheet.tenant, scope)
        self._pairs = list(zip(columns, sheet.forms, strict=True))
        self._key = columns[: sheet.key]
        keyed = list(zip(self._key, sheet.forms[: sheet.key], sheet.orders, strict=True))
        self._ordered = [forms.ordered(*each, sheet) for each in keyed]
        self._spelled = [forms.spelled(*each, sheet) for each in keyed]

    def stop(self) -> None:
        """Nothing: what reads ends by itself at the limit of its time."""

    def digests(self, span: Span, cuts: Sequence[Key]) -> Sequence[Digest]:
        query = (
            f"SELECT {PART}, count(), toString(sum(toUInt128({CHECKSUM}))) FROM (SELECT {self._part(cuts)} AS {PART},"
            f" {forms.checksum(self._pairs, self._sheet)} AS {CHECKSUM} FROM {self._from(span)}) GROUP BY {PART}"
        )
        found = {int(part): Digest(int(rows), int(total)) for part, rows, total in self._ask(query)}
        return [found.get(part, Digest()) for part in (*range(len(cuts) + 1), -1)]

    def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
        row = forms.checksum((each for each in self._pairs if each[1] != JSON), self._sheet)
        shown = ", ".join(forms.shown(*each, self._sheet) for each in self._pairs)
        query = f"SELECT toString({row}) AS {CHECKSUM}, {shown} FROM {self._from(span)} ORDER BY {CHECKSUM}"
        query += f" LIMIT {limit:d}"
        return [ComparedRow(found[0], tuple(found[1:])) for found in self._ask(query)]

    def cuts(self, span: Span, rows: int | None, parts: int) -> Sequence[Key]:
        size = parts * _EACH_CUT if rows is None else min(rows, parts * _EACH_CUT)
        order = f"arraySort(x -> {forms.tuple_of([f'x.1.{n + 1}' for n in range(len(self._key))])}, found)"
        query = (
            f"SELECT arrayMap(x -> x.2, {order}) FROM (SELECT groupArraySample({size}, 7)(tuple("
            f"tuple({', '.join(self._ordered)}), tuple({', '.join(self._spelled)}))) AS found"
            f" FROM {self._from(span, present=True)})"
        )
        keys = [tuple(map(str, each)) for each in self._ask(query)[0][0]]
        wanted = min(parts, len(keys))
        picked = [keys[n * len(keys) // wanted] for n in range(1, wanted)]
        return [key for n, key in enumerate(picked) if n == 0 or key != picked[n - 1]]

    def _part(self, cuts: Sequence[Key]) -> str:
        """The number of the part that a row lies in; -1 for one with a NULL in its key."""
        key = forms.tuple_of(self._ordered)
        cases = [f"{' OR '.join(missing)}, -1"] if (missing := self._missing()) else []
        cases += [f"{key} < {forms.bounds(each, self._sheet.orders)}, {n}" for n, each in enumerate(cuts)]
        return f"multiIf({', '.join(cases)}, {len(cuts)})" if cases else "0"

    def _missing(self) -> list[str]:
        return [f"isNull({name(each.name)})" for each in self._key if each.nullable]

    def _from(self, span: Span, *, present: bool = False) -> str:
        """The table, narrowed to the scope and the span."""
        held = [f"({' OR '.join(self._missing()) or 'false'})"] if span.keyless else []
        for sign, key in ((">=", span.low), ("<", span.high)):
            if key is not None:
                held.append(f"{forms.tuple_of(self._ordered)} {sign} {forms.bounds(key, self._sheet.orders)}")
        held += [f"NOT {each}" for each in self._missing()] if present else []
        return f"{source(self._sheet.table, self._sheet.options)}{clause([*self._kept, *held])}"

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._reading.rows(query, self._scope)

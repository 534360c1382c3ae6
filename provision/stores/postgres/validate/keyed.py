"""Tables of PostgreSQL in the order of a key, so that another store can compare them span by span."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from psycopg import Cursor

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
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate import forms
from provision.stores.postgres.validate.forms import Column
from provision.stores.postgres.validate.sql import clause, name, table_name, where

Execute = Callable[..., Cursor[Any]]
Reading = Callable[[Scope], AbstractContextManager[Execute]]
Streaming = Callable[[Scope], AbstractContextManager[tuple[Connection, Execute]]]
# Keys looked at for each cut: the more, the more alike the parts.
_EACH_CUT = 8
_SIZE = """
select top.relkind, greatest(sum(pg_relation_size(leaf)) / current_setting('block_size')::int, 1)::float8,
    coalesce(sum(each.reltuples) filter (where each.reltuples > 0), 0)::float8
from pg_class top cross join lateral (
    select top.oid::regclass as leaf where top.relkind <> 'p'
    union all select relid from pg_partition_tree(top.oid) where top.relkind = 'p' and isleaf
) leaves join pg_class each on each.oid = leaf where top.oid = to_regclass(%s) group by top.relkind
"""


class PostgresKeyed:
    """`provision.ports.validate.Keyed`. `streaming` lends a transaction of its own, for what is read bit by bit."""

    parts = 1024

    def __init__(self, reading: Reading, streaming: Streaming) -> None:
        self._reading, self._streaming = reading, streaming

    def describe(self, sheet: ComparableTable) -> Comparable:
        with self._reading(Scope(seconds=60)) as execute:
            columns = _columns(execute, sheet)
            encoding = execute("show server_encoding").fetchone() or ("",)
        checksums = (forms.CHECKSUM, MD5) if encoding[0] == "UTF8" else (MD5,)
        return Comparable(tuple(forms.described(each, sheet) for each in columns), checksums)

    def keys(self, sheet: ComparableTable, scope: Scope) -> Iterator[tuple[Key, int]]:
        with self._streaming(scope) as (_, execute):
            _settle(execute)
            columns = _columns(execute, sheet)[: sheet.key]
            key = ", ".join(
                forms.ordered(column, form, BY_FORM, sheet)
                for column, form in zip(columns, sheet.forms[: sheet.key], strict=True)
            )
            present = [f"{name(column.name)} is not null" for column in columns]
            kept = clause([*where(sheet.time, sheet.tenant, scope), *present])
            query = f"select {key}, count(*) from {table_name(sheet.table)}{kept} group by {key} order by {key}"
            execute(f"declare found no scroll cursor for {query}")
            while rows := execute("fetch 10000 from found").fetchall():
                yield from ((tuple(row[:-1]), int(row[-1])) for row in rows)

    @contextmanager
    def snapshot(self, sheet: ComparableTable, scope: Scope) -> Iterator[PostgresSnapshot]:
        with self._streaming(scope) as (connection, execute):
            _settle(execute)
            yield PostgresSnapshot(connection, execute, sheet, scope, _columns(execute, sheet))


class PostgresSnapshot:
    """`provision.ports.validate.Snapshot` in one transaction."""

    def __init__(
        self, connection: Connection, execute: Execute, sheet: ComparableTable, scope: Scope, columns: Sequence[Column]
    ) -> None:
        self._connection, self._execute, self._sheet = connection, execute, sheet
        self._kept = where(sheet.time, sheet.tenant, scope)
        self._columns, self._key = columns, columns[: sheet.key]
        self._keyed = list(zip(self._key, sheet.forms[: sheet.key], sheet.orders, strict=True))
        self._ordered = [forms.ordered(*each, sheet) for each in self._keyed]
        # With names of their own: ORDER BY takes a text that is called like its column for what is meant.
        self._named = ", ".join(f"{forms.spelled(*each, sheet)} as k{n}" for n, each in enumerate(self._keyed))

    def stop(self) -> None:
        self._connection.cancel_safe()

    def digests(self, span: Span, cuts: Sequence[Key]) -> Sequence[Digest]:
        row = forms.checksum(zip(self._columns, self._sheet.forms, strict=True), self._sheet)
        query = (
            f"select part, count(*), sum(checksum) from (select {self._part(cuts)} as part, {row} as checksum"
            f" from {self._from(span)}) rows group by part"
        )
        found = {int(part): Digest(int(rows), int(total)) for part, rows, total in self._execute(query)}
        return [found.get(part, Digest()) for part in (*range(len(cuts) + 1), -1)]

    def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
        pairs = list(zip(self._columns, self._sheet.forms, strict=True))
        row = forms.checksum((each for each in pairs if each[1] != JSON), self._sheet)
        shown = ", ".join(forms.written(column, form, self._sheet) for column, form in pairs)
        query = f'select ({row})::text collate "C", {shown} from {self._from(span)} order by 1 limit {limit:d}'
        return [ComparedRow(found[0], tuple(found[1:])) for found in self._execute(query)]

    def cuts(self, span: Span, rows: int | None, parts: int) -> Sequence[Key]:
        if rows is None and span.whole and not self._kept:
            return _thinned(self._sampled(parts), parts)
        names = ", ".join(f"k{n}" for n in range(len(self._key)))
        count = f"{rows:d}" if rows is not None else "count(*) over ()"
        query = (
            f"select {names} from (select {self._named}, row_number() over (order by {', '.join(self._ordered)}) as n,"
            f" {count} as rows from {self._from(span, present=True)}) numbered"
            f" where n > 1 and (n - 1) % greatest(ceil(rows / {parts}.0)::bigint, 1) = 0 order by n"
        )
        return _different([tuple(row) for row in self._execute(query)])

    def _sampled(self, parts: int) -> list[Key]:
        """Keys of rows here and there, in order."""
        size = self._execute(_SIZE, (table_name(self._sheet.table),)).fetchone()
        if size is None or size[0] not in ("r", "p", "m"):  # of a view or a foreign table no sample can be taken
            return list(self.cuts(Span(), self._count(), parts))
        _, pages, rows = size
        share = min(1.0, parts * _EACH_CUT / pages)  # of the pages, of each of which a row or two are taken
        chance = min(1.0, parts * _EACH_CUT / (share * (rows or pages * 50)))
        query = (
            f"select {self._named} from {table_name(self._sheet.table)}"
            f" tablesample system ({share * 100:f}){clause([*self._present(), f'random() < {chance:f}'])}"
            f" order by {', '.join(self._ordered)}"
        )
        return [tuple(row) for row in self._execute(query)]

    def _count(self) -> int:
        row = self._execute(f"select count(*) from {self._from(Span())}").fetchone() or (0,)
        return int(row[0])

    def _part(self, cuts: Sequence[Key]) -> str:
        """The number of the part that a row lies in; -1 for one with a NULL in its key."""
        part = self._bucket(cuts) if cuts else "0"
        missing = [f"{name(each.name)} is null" for each in self._key if not each.not_null]
        return f"case when {' or '.join(missing)} then -1 else {part} end" if missing else part

    def _bucket(self, cuts: Sequence[Key]) -> str:
        parts = [forms.sorted_among(*each, self._sheet, [cut[n] for cut in cuts]) for n, each in enumerate(self._keyed)]
        row = "row" if len(parts) > 1 else ""
        value, *listed = (f"{row}({', '.join(each)})" for each in zip(*parts, strict=True))
        return f"width_bucket({value}, array[{', '.join(listed)}])"

    def _present(self) -> list[str]:
        return [f"{name(each.name)} is not null" for each in self._key if not each.not_null]

    def _from(self, span: Span, *, present: bool = False) -> str:
        """The table, narrowed to the scope and the span."""
        missing = [f"{name(each.name)} is null" for each in self._key if not each.not_null]
        held = [f"({' or '.join(missing) or 'false'})"] if span.keyless else []
        for sign, key in ((">=", span.low), ("<", span.high)):
            if key is not None:
                held.append(
                    f"{forms.tuple_of(self._ordered)} {sign} {forms.bounds(key, self._key, self._sheet.orders)}"
                )
        held += self._present() if present else []
        return f"{table_name(self._sheet.table)}{clause([*self._kept, *held])}"


def _columns(execute: Execute, sheet: ComparableTable) -> list[Column]:
    by_name = {str(row[0]): Column.of(row) for row in execute(forms.COLUMNS, (table_name(sheet.table),))}
    return [by_name[each] for each in sheet.columns]


def _settle(execute: Execute) -> None:
    for each in forms.SETTINGS:
        execute(f"set local {each}")


def _different(keys: Sequence[Key]) -> list[Key]:
    return [key for n, key in enumerate(keys) if n == 0 or key != keys[n - 1]]


def _thinned(keys: Sequence[Key], parts: int) -> list[Key]:
    """At most `parts` - 1 of the keys, evenly."""
    wanted = min(parts, len(keys))
    return _different([keys[n * len(keys) // wanted] for n in range(1, wanted)]) if wanted else []

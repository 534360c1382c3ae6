"""Data checks in ClickHouse: one scan for all row checks of a table, read-only and with a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from provision.errors import ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.validate import refused
from provision.stores.clickhouse.validate.keyed import ClickhouseKeyed
from provision.stores.clickhouse.validate.queries import ClickhouseQueries
from provision.stores.clickhouse.validate.sql import (
    OTHERS,
    ROWS,
    Types,
    clause,
    condition,
    counting,
    literal,
    name,
    scan,
    source,
    where,
)
from provision.text.plain import MASKED, plain
from provision.validate.columns import SQL, age_tally, used

KINDS = SQL
TABLE = {
    "final": {"type": "boolean", "description": "true: read with FINAL, rows replaced but not yet merged left out"}
}


class ClickhouseChecks:
    """`provision.ports.validate.Checks` on a client of its own."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._reading = ReadOnlyQueries(connect)
        self._types: dict[str, Types] = {}
        self.keyed = ClickhouseKeyed(self._reading)
        self.queries = self.timed = ClickhouseQueries(self._reading)

    def close(self) -> None:
        self._reading.close()

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        self._types[table.name] = types = refused.types_of(self._reading, table.name)
        return refused.refused(self._reading, table, types)

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        begun = time.monotonic()
        narrowed = where(table.time, table.tenant, scope)
        counts = self._reading.rows(scan(table, self._types_of(table), narrowed), scope)[0]
        total, at = int(counts[0]), iter(counts[1:])
        taken = round((time.monotonic() - begun) * 1000)
        found = [Tally(0, total, duration_ms=taken)]
        for check in table.checks:
            if check.kind in OTHERS:
                found.append(self._counted(counting(check, table, narrowed), total, scope))
            elif check.kind in ROWS:
                found.append(Tally(int(next(at)), total, duration_ms=taken))
            else:
                found.append(replace(age_tally(check.body, next(at), int(next(at)), total), duration_ms=taken))
        return found

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        narrowed = where(table.time, table.tenant, scope)
        held = condition(check, self._types_of(table), table, narrowed)
        shown = check.sample or tuple(dict.fromkeys((*refused.sorting_key(self._reading, table.name), *used(check))))
        if held is None or not shown:
            return []
        select = ", ".join(literal(MASKED) if each in check.mask else name(each) for each in shown)
        query = f"SELECT {select} FROM {source(table.name, table.options)}{clause([*narrowed, held])} LIMIT {limit:d}"
        return [dict(zip(shown, map(plain, row), strict=True)) for row in self._reading.rows(query, scope)]

    def _counted(self, query: str, total: int, scope: Scope) -> Tally:
        begun = time.monotonic()
        bad = int(self._reading.rows(query, scope)[0][0])
        return Tally(bad, total, duration_ms=round((time.monotonic() - begun) * 1000))

    def _types_of(self, table: Table) -> Types:
        if not self._types.get(table.name):
            self._types[table.name] = refused.types_of(self._reading, table.name)
        return self._types[table.name]

"""Latency of a query that only reads: InfluxQL of 1.x, Flux of 2.x."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Scope, Table
from provision.stores.influx.validate.place import Record
from provision.validate.scan import Deadline
from provision.validate.stopwatch import times

_READS = re.compile(r"(?is)\s*(select|show|from|import|\w+\s*=)\b")
_WRITES = re.compile(r"(?i)\binto\b|\bto\s*\(|;")
Answered = Callable[[str, Deadline], Iterator[Record]]


class InfluxTimed:
    """`provision.ports.validate.Timed`; `answered` raises as a check does."""

    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    def refused(self, query: str, _table: Table, check: Check) -> Sequence[ProvisionError]:
        if _READS.match(query) and not _WRITES.search(query):
            return ()
        what = f"{check.name}: the query is not one that only reads"
        return [ConfigError("bad-expression", what, where=check.place, fix="write one SELECT without INTO, or from(…)")]

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        deadline = Deadline(scope)
        return times(lambda: list(self._answered(query, deadline)), runs, time.monotonic() + scope.seconds)

    def plan(self, query: str, scope: Scope) -> Sequence[str]:
        if not re.match(r"(?i)\s*select\b", query):
            return ()
        found = self._answered(f"EXPLAIN {query}", Deadline(scope))
        return [str(value) for row in found for name, value in row.items() if name == "QUERY PLAN"]

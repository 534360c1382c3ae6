"""Carrying out a Flux script against the server's buckets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.evaluate import Builtin, Scope, value
from tests.doubles.influx2.flux.library import FUNCTIONS, MODULES
from tests.doubles.influx2.flux.parser import Node, parsed
from tests.doubles.influx2.flux.tables import Row, Stream, Table, regrouped
from tests.doubles.influx2.points import Point
from tests.doubles.influx2.state import Bucket, State
from tests.doubles.influx2.times import Duration, Time, shown

_OWN = ("_start", "_stop", "_time", "_value", "_field", "_measurement")


class Script:
    """One script of one organization.

    `now` is what relative times are relative to; `may` refuses what the token is not allowed.
    """

    def __init__(self, state: State, org: str, now: Time, may: Callable[[str, Bucket], None]) -> None:
        self._state, self._org, self._now, self._may = state, org, now, may
        self.results: dict[str, Stream] = {}

    def run(self, text: str) -> dict[str, Stream]:
        """The results by name. Raises Refused."""
        scope = Scope({**FUNCTIONS, **self._own(), "true": True, "false": False, "inf": None})
        for statement in parsed(text):
            self._statement(statement, scope)
        return self.results

    def _statement(self, statement: Node, scope: Scope) -> None:
        if statement[0] in ("set", "option"):
            scope[statement[1]] = value(statement[2], scope)
        elif statement[0] == "import":
            self._import(statement[1], scope)
        elif statement[0] == "do":
            found = value(statement[1], scope)
            if isinstance(found, list) and not _ends_with(statement[1], "yield"):
                # What is written is a result of its own, however often; any other must be the only one without a name.
                self._yield(found, f"to{len(self.results)}" if _ends_with(statement[1], "to") else "_result")

    def _import(self, path: str, scope: Scope) -> None:
        name = path.rpartition("/")[2]
        if path == "influxdata/influxdb/schema":
            scope[name] = {"measurements": Builtin("measurements", self._measurements)}
        elif path in MODULES:
            scope[name] = MODULES[path]
        elif path != "main":
            raise Refused("not implemented", f"the double does not evaluate the package {path}")

    def _own(self) -> dict[str, Any]:
        known = {"from": self._from, "range": self._range, "to": self._to, "yield": self._yield}
        known |= {"buckets": self._buckets, "now": lambda: self._now}
        return {name: Builtin(name, each) for name, each in known.items()}

    def _bucket(self, named: str, action: str) -> Bucket:
        try:
            found = self._state.bucket(self._org, named)
        except Refused:
            said = f'failed to initialize execute state: could not find bucket "{named}"'
            raise Refused("not found", said) from None
        self._may(action, found)
        return found

    def _from(self, bucket: str = "", bucketID: str = "", **where: str) -> Stream:
        del where  # host, org and token of another server
        found = self._bucket(bucket or bucketID, "read")
        made = []
        for (measurement, tags), fields in found.series.items():
            for field, values in fields.items():
                group = {"_measurement": measurement, "_field": field, **dict(tags)}
                rows = [{"_time": Time(at), "_value": values[at], **group} for at in sorted(values)]
                made.append(Table(tuple(sorted(group)), rows))
        return [table for table in made if table.rows]

    def _range(self, tables: Stream, start: Any, stop: Any = None) -> Stream:
        low, high = self._time(start), self._time(stop) if stop is not None else self._now
        if low >= high:
            said = f"cannot query an empty range, start {shown(low)} is not before stop {shown(high)}"
            raise Refused("invalid", said)
        found = []
        for table in tables:
            rows = [{"_start": low, "_stop": high, **row} for row in table.rows if low <= row["_time"] < high]
            found.append(Table((*table.key, "_start", "_stop"), rows))
        return [table for table in found if table.rows]

    def _time(self, given: Any) -> Time:
        if isinstance(given, Duration):
            return given.after(self._now)
        if isinstance(given, Time):
            return given
        # A bare number is seconds since 1970.
        return Time(given * 10**9)

    def _yield(self, tables: Stream, name: str = "_result") -> Stream:
        if name in self.results:
            raise Refused("invalid", f'compilation failed: found duplicate yield name "{name}"')
        self.results[name] = tables
        return tables

    def _to(self, tables: Stream, bucket: str = "", bucketID: str = "", **options: Any) -> Stream:
        target = self._bucket(bucket or bucketID, "write")
        tags = options.get("tagColumns")
        points = [_point(row, tags) for table in tables for row in table.rows if row.get("_value") is not None]
        target.write(points)
        return tables

    def _buckets(self) -> Stream:
        rows = []
        for each in self._state.buckets.values():
            policy = "" if each.name.count("/") == 0 else each.name.partition("/")[2]
            told: Row = {"organizationID": each.org, "name": each.name, "id": each.id, "retentionPolicy": policy}
            rows.append({**told, "retentionPeriod": each.retention * 10**9})
        return [Table(("organizationID",), [row for row in rows if row["organizationID"] == self._org])]

    def _measurements(self, bucket: str, **when: Any) -> Stream:
        del when  # the double looks through all times
        found = self._bucket(bucket, "read")
        names = sorted({measurement for (measurement, _), fields in found.series.items() if any(fields.values())})
        return regrouped(((), {"_value": name}) for name in names)


def _ends_with(node: Node, function: str) -> bool:
    """Whether this function is the last one of a pipeline."""
    return bool(node[0] == "pipe" and node[2][1] == ("name", function))


def _point(row: Row, tags: list[str] | None) -> Point:
    """Raises Refused (invalid)."""
    for name in ("_time", "_measurement", "_field"):
        if row.get(name) is None:
            raise Refused("invalid", f"runtime error: to: no column with label {name} exists")
    usual = [name for name, each in row.items() if isinstance(each, str) and not name.startswith("_")]
    named = {name: str(row[name]) for name in (tags if tags is not None else usual) if row.get(name)}
    kept = tuple(sorted(each for each in named.items() if each[0] not in _OWN))
    return Point(row["_measurement"], kept, row["_field"], row["_value"], row["_time"])

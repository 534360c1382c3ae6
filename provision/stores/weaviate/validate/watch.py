"""What each kind of check looks for in the objects of Weaviate that go by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from provision.model.checks import Check, Row, Table, Tally
from provision.stores.weaviate.server import Class
from provision.stores.weaviate.validate.pages import NotFinite, Vector, vectors_of
from provision.validate.columns import age_tally, ahead, body
from provision.validate.scan import KEPT, ROWS, Bad, Watch, moment, of_row, shown

Tenants = Mapping[str, str] | None
"""Tenant → status; None for a collection that knows no tenants."""
_VECTOR = {"type": "string", "minLength": 1, "description": "the name of a vector; needless where there is but one"}
_LENGTH = {"type": "number", "minimum": 0, "description": "a length of a vector"}
_COUNT = {"type": "integer", "minimum": 0, "description": "a number of objects"}
_DIMENSION = {
    "type": "integer",
    "minimum": 1,
    "description": "how many components; else as many as in the first object",
}
VECTORS: dict[str, Mapping[str, Any]] = {
    "vector_dimension": body((), {"vector": _VECTOR, "is": _DIMENSION}, "`{vector: …, is: 384}`"),
    "vector_not_finite": body((), {"vector": _VECTOR}, "`{vector: …}`"),
    "vector_norm": {
        **body(
            (),
            {"vector": _VECTOR, **dict.fromkeys(("min", "max", "above", "below"), _LENGTH)},
            "`{vector: …, above: 0}`",
        ),
        "anyOf": [{"required": [each]} for each in ("min", "max", "above", "below")],
    },
    "tenant_count": {
        **body((), {"min": _COUNT, "max": _COUNT}, "`{min: 1}`, or `{min: …, max: …}`"),
        "minProperties": 1,
    },
}


class _VectorWatch(Watch):
    """Sees each row with `_dimension`, `_norm` and, where it is not finite, `_value` of one of its vectors."""

    def __init__(self, check: Check, bad: Bad, vector: str, column: str) -> None:
        super().__init__(check, bad, ("_id", "_tenant", column))
        self._vector = vector

    def see(self, row: Mapping[str, Any]) -> None:
        vector: Vector = row["_vectors"].get(self._vector)
        super().see({**row, **_about(vector)})


def _about(vector: Vector) -> dict[str, object]:
    if isinstance(vector, NotFinite):
        return {"_value": vector.word}
    return {"_dimension": len(vector), "_norm": math.hypot(*vector)} if vector else {"_dimension": 0}


class _Newest(Watch):
    """The newest moment of a column; no single object is bad."""

    def __init__(self, check: Check, table: Table) -> None:
        super().__init__(check, lambda _: False, ())
        self._column = str(cast(Mapping[str, Any], check.body).get("column") or table.time)
        self._newest: datetime | None = None
        self._late = datetime.now(UTC) + timedelta(seconds=ahead(check.body))
        self._future = 0

    def see(self, row: Mapping[str, Any]) -> None:
        super().see(row)
        at = moment(row.get(self._column))
        if at is not None and at > self._late:
            self._future += 1
        elif at is not None and (self._newest is None or at > self._newest):
            self._newest = at

    def tally(self, message: str, begun: float) -> Tally:
        age = None if self._newest is None else (datetime.now(UTC) - self._newest).total_seconds()
        found = age_tally(self.check.body, age, self._future, self.total)
        rest = super().tally(message, begun)
        return Tally(found.bad, found.total, "; ".join(filter(None, (found.message, message))), rest.duration_ms)


class _Tenants(Watch):
    """How many objects each tenant has; a collection without tenants counts as one. Tenants at rest are not judged."""

    def __init__(self, check: Check, tenants: Tenants) -> None:
        super().__init__(check, lambda _: False, ())
        counted = [None] if tenants is None else [name for name, status in tenants.items() if status == "ACTIVE"]
        self._counts: dict[str | None, int] = dict.fromkeys(counted, 0)

    def see(self, row: Mapping[str, Any]) -> None:
        self._counts[row["_tenant"]] += 1

    def tally(self, message: str, begun: float) -> Tally:
        wanted = cast(Mapping[str, int], self.check.body)
        bad = {
            name: count
            for name, count in self._counts.items()
            if not wanted.get("min", 0) <= count <= wanted.get("max", count)
        }
        self.rows: list[Row] = [
            shown(self.check, {"_tenant": name, "_objects": count}, ("_tenant", "_objects"))
            for name, count in list(bad.items())[:KEPT]
        ]
        rest = super().tally(message, begun)
        return Tally(len(bad), len(self._counts), message, rest.duration_ms)


def _dimension(check: Check, _table: Table, collection: Class, _tenants: Tenants) -> Watch:
    wanted: list[int] = [cast(Mapping[str, Any], check.body)["is"]] if "is" in cast(Any, check.body) else []

    def bad(row: Mapping[str, Any]) -> bool:
        if "_dimension" not in row:  # it is there, and not finite
            return False
        if not wanted and row["_dimension"]:
            wanted.append(row["_dimension"])
        return not row["_dimension"] or bool(row["_dimension"] != wanted[0])

    return _VectorWatch(check, bad, vector_of(check, vectors_of(collection)), "_dimension")


def _not_finite(check: Check, _table: Table, collection: Class, _tenants: Tenants) -> Watch:
    return _VectorWatch(check, lambda row: "_value" in row, vector_of(check, vectors_of(collection)), "_value")


def _norm(check: Check, _table: Table, collection: Class, _tenants: Tenants) -> Watch:
    bounds = {key: value for key, value in cast(Mapping[str, Any], check.body).items() if key != "vector"}
    outside = ROWS["range"]({"column": "_norm", "allow_null": True, **bounds})
    return _VectorWatch(check, outside, vector_of(check, vectors_of(collection)), "_norm")


def _of_row(check: Check, _table: Table, _collection: Class, _tenants: Tenants) -> Watch:
    return Watch(check, ROWS[check.kind](check.body), ("_id", "_tenant", *of_row(check)))


WATCHES: Mapping[str, Callable[[Check, Table, Class, Tenants], Watch]] = {
    **dict.fromkeys(ROWS, _of_row),
    "freshness": lambda check, table, _collection, _tenants: _Newest(check, table),
    "vector_dimension": _dimension,
    "vector_not_finite": _not_finite,
    "vector_norm": _norm,
    "tenant_count": lambda check, _table, _collection, tenants: _Tenants(check, tenants),
}
_OF_VECTORS = ("vector_dimension", "vector_not_finite", "vector_norm")


def needs_vectors(check: Check) -> bool:
    return check.kind in _OF_VECTORS


def vector_of(check: Check, known: Sequence[str]) -> str:
    """The vector that the check is about; empty where it names none and there are several."""
    named = cast(Mapping[str, Any], check.body).get("vector")
    return str(named) if named else known[0] if len(known) == 1 else ""


def used(check: Check) -> tuple[str, ...]:
    """The properties that the check looks at."""
    return of_row(check) if check.kind not in VECTORS else ()

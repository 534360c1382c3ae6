"""What InfluxDB documents touch: databases, their retention policies, rollups."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from provision.documents import touches
from provision.model import Revision, StoreOptions
from provision.model.touches import Touch, Touched, reads, writes
from provision.stores.influx.lint.reader import InfluxReader

NEEDS: Sequence[str] = ()


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    return touches.touched(InfluxReader(), _RULES, options, revisions, wanted)


def _database(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("database", body["name"])


def _policy(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield reads("database", body["database"], "name")
    yield writes("database", body["database"], "policy", body["name"])
    if body.get("default"):
        yield writes("database", body["database"], "default policy")


def _rollup(body: Mapping[str, Any]) -> Iterator[Touch]:
    database = str(body["database"])
    yield reads("database", database, "name")
    yield writes("database", database, "rollup", body["name"])
    for side in ("from", "into"):
        place = body.get(side)
        tier = str(place.get("tier", "")) if isinstance(place, Mapping) else ""
        yield reads("database", database, "policy", tier) if tier else reads("database", database, "default policy")


def _dropped_policy(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield from _policy(body)
    # Dropping the default one leaves the database without.
    yield writes("database", body["database"], "default policy")


_RULES: touches.Rules = {
    "create_database": _database,
    "drop_database": _database,
    "create_retention_policy": _policy,
    "alter_retention_policy": _policy,
    "drop_retention_policy": _dropped_policy,
    "create_rollup": _rollup,
    "drop_rollup": lambda body: (
        reads("database", body["database"], "name"),
        writes("database", body["database"], "rollup", body["name"]),
    ),
}

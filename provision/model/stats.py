"""How much an environment holds and how fast it is: what `provision stats` keeps, and what a forecast is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class TableStats(NamedTuple):
    """A table, collection, stream or bucket. None is what the server does not tell."""

    rows: int | None = None
    bytes: int | None = None
    index_bytes: int | None = None
    writes_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class StoreStats:
    """One store. `fixed_ms` is how long its server takes for a computation that is the same everywhere."""

    tables: Mapping[str, TableStats] = field(default_factory=dict)
    fixed_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentStats:
    """An environment at a moment (ISO 8601). `applied`: revision → the milliseconds that its ledger says it took, None
    where nobody ran it; `not_told`: stores, and why nothing is known of them."""

    project: str
    environment: str
    at: str
    stores: Mapping[str, StoreStats] = field(default_factory=dict)
    applied: Mapping[str, int | None] = field(default_factory=dict)
    not_told: Mapping[str, str] = field(default_factory=dict)


class StatementCost(NamedTuple):
    """What a statement took on sample rows: `small_ms` on few, `large_ms` on many; `rows` and `bytes` are those of the
    many, per table that it read or wrote. `freed`: tables whose files go when it is committed, as they are dropped or
    written anew. `not_measured`: why it has none of these."""

    line: int
    small_ms: float = 0.0
    large_ms: float = 0.0
    rows: Mapping[str, int] = {}
    bytes: Mapping[str, int] = {}
    freed: tuple[str, ...] = ()
    not_measured: str = ""


class RevisionCost(NamedTuple):
    """The statements of a revision on sample rows; of the server that they ran on `fixed_ms`, and `freed_ms`, what it
    takes to give back the files of a table, in milliseconds a MiB."""

    statements: tuple[StatementCost, ...] = ()
    fixed_ms: float | None = None
    freed_ms: float = 0.0
    not_measured: str = ""

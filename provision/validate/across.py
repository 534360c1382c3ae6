"""Kinds of check that no store makes alone: they need another store, or what earlier runs counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from provision.errors import CapabilityMissing, ConfigError, ProvisionError, raise_all
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.model.comparable import DECIMAL, FLOAT, Comparable, ComparableColumn, ComparableTable
from provision.ports.validate import Checks, Keyed, Queries


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check across stores may ask: the open stores, and the totals of earlier runs, newest first."""

    checks: Mapping[str, Checks]
    totals: Callable[[Table, Check], Sequence[int]]
    figures: Callable[[Table, Check], Sequence[Mapping[str, float]]] = lambda _table, _check: ()

    def queries(self, store: str, kind: str) -> Queries:
        """Raises CapabilityMissing."""
        found = self.checks[store].queries
        if found is None:
            what = f"`{kind}` asks a question of its own in SQL, which this kind of store does not answer"
            raise CapabilityMissing(store, kind, what, "take the check out of the suite")
        return found

    def keyed(self, store: str) -> Keyed:
        """Raises CapabilityMissing."""
        keyed = self.checks[store].keyed
        if keyed is None:
            what = "its tables cannot be held against another store's"
            raise CapabilityMissing(store, "order of keys", what, "take the check out of the suite")
        return keyed


@dataclass(frozen=True, slots=True)
class AcrossResult:
    """What a check across stores counted, and a few bad rows."""

    tally: Tally
    samples: tuple[Row, ...] = ()


class Across(Protocol):
    """One kind of check."""

    schema: Mapping[str, Any]

    def stores(self, check: Check, table: Table) -> Sequence[str]:
        """The other stores it needs."""

    def unfit(self, check: Check, scope: Scope) -> str:
        """Why the check cannot be made of the rows of the scope alone; empty when it can."""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        """What is wrong with it, asked of the engines. Must read no rows."""

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, rows: int, limit: int
    ) -> AcrossResult:
        """Make the check; `rows` is how many the table has in the scope, `limit` how many samples are wanted."""


def seen(
    world: CheckContext, table: Table, check: Check, columns: Sequence[str], label: str = ""
) -> Sequence[ProvisionError]:
    """What is wrong with the names of a table and its columns, as its store says it."""
    probe = Check(label or check.name, "not_null", list(columns), place=check.place)
    return world.checks[table.store].refused(
        Table(table.store, table.name, (probe,), table.time, table.tenant, options=table.options, place=check.place)
    )


Sided = tuple[str, ComparableTable]
"""The name of a store, and what is compared of it."""
Pair = tuple[ComparableColumn, ComparableColumn]


def agreed(world: CheckContext, check: Check, ours: Sided, theirs: Sided) -> tuple[ComparableTable, ComparableTable]:
    """Both sheets with the forms in which each pair of columns is written alike, and what its keys are ordered by.

    Raises ConfigError (not-comparable), which `incomparable` tells before any row is read.
    """
    first, second = _described(world, ours, theirs)
    pairs = list(zip(first.columns, second.columns, strict=True))
    raise_all(list(_unlike(check, ours, theirs, pairs)))
    forms = tuple(_common(one.forms, other.forms) for one, other in pairs)
    orders = tuple(_common(one.orders, other.orders) for one, other in pairs[: ours[1].key])
    checksum = _common(first.checksums, second.checksums)
    left, right = (replace(each, forms=forms, orders=orders, checksum=checksum) for _, each in (ours, theirs))
    return left, right


def incomparable(world: CheckContext, check: Check, ours: Sided, theirs: Sided) -> Sequence[ProvisionError]:
    """An error for each pair of columns whose types have no form in common. Reads no rows."""
    first, second = _described(world, ours, theirs)
    return list(_unlike(check, ours, theirs, zip(first.columns, second.columns, strict=True)))


def same_length(check: Check, ours: Sequence[str], theirs: Sequence[str]) -> Sequence[ProvisionError]:
    if len(ours) == len(theirs):
        return []
    what = f"{check.name} compares {len(ours)} columns with {len(theirs)}"
    return [ConfigError("document-invalid", what, where=check.place, fix="name as many columns on both sides")]


def _described(world: CheckContext, ours: Sided, theirs: Sided) -> tuple[Comparable, Comparable]:
    first, second = (world.keyed(store).describe(sheet) for store, sheet in (ours, theirs))
    return first, second


def _common(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """The first that both have; empty where there is none."""
    return next((each for each in ours if each in theirs), "")


def _unlike(check: Check, ours: Sided, theirs: Sided, pairs: Iterable[Pair]) -> Iterator[ConfigError]:
    (here, left), (there, right) = ours, theirs
    for name, other, pair in zip(left.columns, right.columns, pairs, strict=True):
        if not _common(pair[0].forms, pair[1].forms):
            what = f"{check.name}: {name} is {pair[0].kind} in {here}, {other} is {pair[1].kind} in {there}"
            fix = _rounding(pair) if check.kind == "parity" else "refer to a column of such a type"
            yield ConfigError("not-comparable", f"{what}: they cannot be compared", where=check.place, fix=fix)


def _rounding(pair: Pair) -> str:
    leave = "leave the column out, or compare a view that casts it"
    kinds = [{form for form in each.forms if form in (FLOAT, DECIMAL)} for each in pair]
    numbers = all(kinds) and kinds[0] != kinds[1]
    return f"write how many decimals must agree, `places: 6`; or {leave}" if numbers else leave

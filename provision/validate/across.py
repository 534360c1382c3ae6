"""Kinds of check that no store makes alone: they need another store, or what earlier runs counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from provision.errors import CapabilityMissing, ConfigError, ProvisionError
from provision.model.checks import INTEGER, NUMBER, TEXT, Check, ComparableTable, Row, Scope, Table, Tally
from provision.ports.validate import Checks, Keyed


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check across stores may ask: the open stores, and the totals of earlier runs, newest first."""

    checks: Mapping[str, Checks]
    totals: Callable[[Table, Check], Sequence[int]]

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


def agreed(
    world: CheckContext, ours: tuple[str, ComparableTable], theirs: tuple[str, ComparableTable]
) -> tuple[ComparableTable, ComparableTable]:
    """Both sheets with the form in which each pair of columns is written alike."""
    (here, left), (there, right) = ours, theirs
    forms = [
        _common(first, second)
        for first, second in zip(world.keyed(here).forms(left), world.keyed(there).forms(right), strict=True)
    ]
    return _with(left, forms), _with(right, forms)


def same_length(check: Check, ours: Sequence[str], theirs: Sequence[str]) -> Sequence[ProvisionError]:
    if len(ours) == len(theirs):
        return []
    what = f"{check.name} compares {len(ours)} columns with {len(theirs)}"
    return [ConfigError("document-invalid", what, where=check.place, fix="name as many columns on both sides")]


def _common(first: str, second: str) -> str:
    if first == second:
        return first
    return NUMBER if {first, second} == {INTEGER, NUMBER} else TEXT


def _with(sheet: ComparableTable, forms: Sequence[str]) -> ComparableTable:
    return ComparableTable(
        sheet.table, sheet.columns, tuple(forms), sheet.key, sheet.places, sheet.time, sheet.tenant, sheet.options
    )

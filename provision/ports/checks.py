"""What data validation asks of a store: the optional part `checks`, and `history` in a home store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from provision.errors import ProvisionError
from provision.model.checks import Check, Result, Row, Scope, Table, Tally


class Checks(Protocol):
    """Looks at rows; reads only, in a read-only transaction where the store has one."""

    def kinds(self) -> frozenset[str]:
        """The kinds of check it can make."""

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        """What is wrong with the checks of a table, asked of the engine: unknown names, expressions, rights."""

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        """What each of the table's checks counts, in their order, rows being read once for all of them.

        Must never take more memory for more rows. Raises UnreachableError, FailedError (check-timeout, …).
        """

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        """A few of the rows that the check calls bad, with the check's columns as plain JSON values."""


class History(Protocol):
    """Results of earlier validations, kept in the home store."""

    def create(self) -> None:
        """Make what the results need if it is absent."""

    def add(self, run: str, results: Sequence[Result]) -> None:
        """Keep the results of one validation; `run` names it."""

    def read(self, suite: str | None, check: str | None, since: datetime | None, limit: int) -> Sequence[Result]:
        """Newest first; empty where nothing was kept. Must write nothing."""

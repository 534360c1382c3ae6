"""What data validation asks of a store: the optional part `checks`, and `history` in a home store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from provision.errors import ProvisionError
from provision.model.checks import (
    Check,
    ComparableTable,
    Digest,
    Key,
    Result,
    Row,
    Scope,
    StoredResult,
    Table,
    Tally,
    ValidationRun,
)


class Keyed(Protocol):
    """The part of `checks` that holds a table against one of another store; keys are ordered as text, by bytes."""

    def forms(self, sheet: ComparableTable) -> Sequence[str]:
        """How each column can be written as text: moment, integer, number, boolean or text."""

    def keys(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None
    ) -> Iterator[tuple[Key, int]]:
        """Every distinct key from `low` to `high`, both included, in order, with its rows; none that has a NULL.

        Must never hold all of them in memory.
        """

    def digests(self, sheet: ComparableTable, scope: Scope, bounds: Sequence[Key | None]) -> Sequence[Digest]:
        """What lies between each two neighbours in `bounds`: after the left, up to and with the right; None: open."""

    def split(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, parts: int
    ) -> Sequence[Key]:
        """At most `parts` - 1 keys that cut the range after `low` up to and with `high` into parts of like size."""

    def rows(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, limit: int
    ) -> Sequence[Key]:
        """The rows of that range, every column in its form (a NULL as ∅), in the order of the key."""


class Checks(Protocol):
    """Looks at rows; reads only, in a read-only transaction where the store has one.

    Its module has `KINDS`, the JSON Schema of the body of each kind of check it makes, and `TABLE`, the schemas of the
    keys that a table of this kind of store may have besides the common ones; both can be read without a server.
    """

    @property
    def keyed(self) -> Keyed | None: ...

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        """What is wrong with a table and its checks, asked of the engine: unknown names, expressions, rights.

        Must read no rows. Raises UnreachableError.
        """

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        """What each of the table's checks counts, in their order; every row check of a table in one scan.

        Begins with the tally of the table itself: no bad row, and how many there are. Must never take more memory for
        more rows. Raises UnreachableError, FailedError (check-timeout, check-failed).
        """

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        """A few of the rows that the check calls bad, with the check's columns as plain JSON values.

        Must not fetch the value of a masked column. Raises as `tally`.
        """


class History(Protocol):
    """Results of earlier validations, kept in the home store."""

    def create(self) -> None:
        """Make what the results need if it is absent."""

    def add(self, run: ValidationRun, results: Sequence[Result]) -> None:
        """Keep the results of one validation, without their samples."""

    def read(
        self, suite: str | None = None, check: str | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Sequence[StoredResult]:
        """Newest first; empty where nothing was kept. Must write nothing."""

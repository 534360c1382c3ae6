"""What data validation asks of a store: the optional part `checks`, and `history` in a home store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from provision.errors import ProvisionError
from provision.model.checks import (
    Check,
    Column,
    Result,
    Row,
    Scope,
    StoredResult,
    Table,
    Tally,
    ValidationRun,
)
from provision.model.comparable import Comparable, ComparableTable, ComparedRow, Digest, Key, Span


class Snapshot(Protocol):
    """One table, read in spans of its key; where the store can, every call sees the rows of one moment."""

    def cuts(self, span: Span, rows: int | None, parts: int) -> Sequence[Key]:
        """At most `parts` - 1 keys in order that cut the span into parts of about the same size.

        `rows` is how many it holds; None: not known, and a few that are found quickly will do.
        """

    def digests(self, span: Span, cuts: Sequence[Key]) -> Sequence[Digest]:
        """What lies in the parts of the span, from each cut to before the next, and, last, what is keyless."""

    def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
        """The rows of the span in the order of their checksums, as texts by bytes, at most `limit` of them."""

    def stop(self) -> None:
        """End what another thread asked for; safe while it waits."""


class Keyed(Protocol):
    """The part of `checks` that holds a table against one of another store."""

    # How many parts of a span one query tells apart cheaply.
    parts: int

    def describe(self, sheet: ComparableTable) -> Comparable:
        """How each column can be compared, without `forms` and `orders` in the sheet. Must read no rows."""

    def keys(self, sheet: ComparableTable, scope: Scope) -> Iterator[tuple[Key, int]]:
        """Every distinct key in its forms, ordered by their bytes, with its rows; none that has a NULL.

        Must never hold all of them in memory.
        """

    def snapshot(self, sheet: ComparableTable, scope: Scope) -> AbstractContextManager[Snapshot]:
        """Lend the table as it is now. Raises as `Checks.tally`."""


class Timed(Protocol):
    """The part of `checks` that `latency` asks; `timed` of a store that can."""

    def refused(self, query: str, table: Table, check: Check) -> Sequence[ProvisionError]:
        """What is wrong with a question, which may only read."""

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        """Milliseconds of each run, the whole answer read, on one connection; fewer where the time limit ends them.

        Raises as `Checks.tally`.
        """

    def plan(self, query: str, scope: Scope) -> Sequence[str]:
        """Lines in which the engine says how it answers; empty where it says nothing. Raises as `Checks.tally`."""


class Queries(Protocol):
    """The part of `checks` that is asked what no scan for bad rows says; `queries` of a store that can."""

    def columns(self, table: str) -> Sequence[Column]:
        """The columns of a table in their order; empty where it is not there."""

    def keys(self, table: str) -> Sequence[Sequence[str]]:
        """The columns of each key that the engine itself keeps unique, the primary key first."""

    def references(self, table: str) -> Sequence[tuple[Sequence[str], str, Sequence[str]]]:
        """Columns, and the table and columns that they refer to, of each foreign key."""

    def alike(self, wanted: str, found: str) -> bool:
        """Whether a type as somebody writes it is the type of a column."""

    def refused(self, query: str, table: Table, check: Check) -> Sequence[ProvisionError]:
        """What the engine says against a query that only reads. Must read no rows."""

    def count(self, query: str, scope: Scope) -> int:
        """How many rows it answers. Raises as `Checks.tally`."""

    def rows(self, query: str, mask: Sequence[str], scope: Scope, limit: int) -> Sequence[Row]:
        """The first of them; the values of the columns in `mask` are not fetched. Raises as `Checks.tally`."""

    def no_figures(self, table: Table, check: Check, *, numbers: bool) -> Sequence[ProvisionError]:
        """What is wrong with the column of a `distribution`, `numbers` where it must hold some."""

    def figures(self, table: Table, check: Check, scope: Scope) -> Mapping[str, float]:
        """What a `distribution` wants: `mean`, `p50`, `p99.9`, `share`; without those that nothing gives.

        Must never take more memory for more rows. Raises as `Checks.tally`.
        """


class Checks(Protocol):
    """Looks at rows; reads only, in a read-only transaction where the store has one.

    Its module has `KINDS`, the JSON Schema of the body of each kind of check it makes, and `TABLE`, the schemas of the
    keys that a table of this kind of store may have besides the common ones; both can be read without a server.
    """

    @property
    def keyed(self) -> Keyed | None: ...

    @property
    def queries(self) -> Queries | None: ...

    @property
    def timed(self) -> Timed | None: ...

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

"""What keeping windows asks of a store: the optional part `partitions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from provision.errors import ProvisionError
from provision.model.partitions import Bounds, KeptSet, PartitionSet, TableWindows, Window

Say = Callable[[str], None]
"""Told what takes long, in words."""


class Partitions(Protocol):
    """Looks at the windows of tables, and takes old ones out."""

    def look(self, sets: Sequence[PartitionSet], *, whole: bool = False) -> Mapping[str, TableWindows | ProvisionError]:
        """Set → its table's windows, or what is wrong with the table: absent, not partitioned, by another column.

        With `whole` also their sizes, and the windows that were retired and are still there. Must write nothing.
        Raises UnreachableError.
        """

    def retire(self, wanted: PartitionSet, window: Window, found: TableWindows, say: Say) -> None:
        """Take a window out of the table, and drop it, move it or let it be, as the set says.

        One that an earlier run began is finished. Raises FailedError (window-refused, window-in-the-way).
        """


@runtime_checkable
class Partitioned(Protocol):
    """A `Store` whose tables have windows."""

    @property
    def partitions(self) -> Partitions: ...


@runtime_checkable
class Makes(Partitions, Protocol):
    """Partitions whose windows are made by us; elsewhere the server makes one for every row."""

    def make(
        self, wanted: PartitionSet, wanting: Sequence[Bounds], found: TableWindows, say: Say
    ) -> Iterator[Sequence[str]]:
        """Make windows and attach them, with the rows that the default partition holds of them.

        Yields the names of what was made, as soon as it is: several of a window that has too many such rows for one
        transaction, or of as many windows as one transaction may make without anybody waiting for it.

        Readers and writers of the table wait no longer than the store's `lock_timeout`, and no row is ever out of
        sight. Killed at any point, there is all of a window or nothing.
        Raises FailedError (window-refused, window-in-the-way).
        """


@runtime_checkable
class Delegates(Makes, Protocol):
    """Partitions of which some are kept by somebody else, whom we tell (`engine` of a set)."""

    def register(self, wanted: PartitionSet, first: Bounds, found: TableWindows, say: Say) -> bool:
        """Hand the table over, with windows from `first` on, where that was not done; whether it was done now.

        Raises ConfigError (extension-missing, not-allowed), and as `make`.
        """

    def kept(self) -> Sequence[KeptSet]:
        """What the other keeps. Raises ConfigError (extension-missing, not-allowed)."""

    def maintain(self, wanted: PartitionSet, found: TableWindows, say: Say) -> None:
        """Let the other do what it does for this table alone. Drops nothing. Raises as `register`."""


@runtime_checkable
class Merges(Protocol):
    """Partitions whose windows can be merged into coarser ones."""

    def merge(
        self,
        wanted: PartitionSet,
        groups: Sequence[tuple[Bounds, Sequence[Window]]],
        found: TableWindows,
        say: Say,
    ) -> Iterator[Window]:
        """Make a coarser window of the ones that lie in it, for each group; each new window as it takes its place.

        `rows` and `bytes` are those of its parts. No reader misses or doubles a row at any moment, and nobody waits
        longer than the store's `lock_timeout`. Killed at any point, the windows are as they were, and the next call
        goes on, or takes away what it does not need any more. Raises as `make`.
        """


@runtime_checkable
class Converts(Protocol):
    """Partitions that an ordinary table can become."""

    def hindrances(self, wanted: PartitionSet) -> Sequence[str]:
        """Why the set's table cannot be converted, each in a sentence. Raises RefusedError (convert-refused)."""

    def convert(self, wanted: PartitionSet, now: datetime | None, until: datetime | None, say: Say) -> str:
        """Make the set's table partitioned, its rows its first window, without a copy; that window's name.

        Empty where it was partitioned already. `until`: up to when that window takes rows. Killed at any point, the
        next call goes on. Raises RefusedError (convert-refused), and as `make`.
        """

    def turn_back(self, wanted: PartitionSet, say: Say) -> str:
        """Make it an ordinary table again, while all its rows are in the first window. Raises as `convert`."""

"""The nouns of partitions: a table's windows of time, which there are, which there should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Unit(StrEnum):
    """What an interval counts."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Interval(NamedTuple):
    """So many units: the length of a window, or an age."""

    number: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"


class Bounds(NamedTuple):
    """From `start` up to, without, `end`, in UTC; None is open: before or after everything."""

    start: datetime | None
    end: datetime | None

    def overlaps(self, other: Bounds) -> bool:
        return _before(self.start, other.end) and _before(other.start, self.end)

    def within(self, other: Bounds) -> bool:
        """Whether it lies in the other one, which may be the same."""
        return not (
            (other.start is not None and (self.start is None or self.start < other.start))
            or (other.end is not None and (self.end is None or self.end > other.end))
        )


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


class WindowState(StrEnum):
    """Where a window stands."""

    ATTACHED = "attached"
    DETACHING = "detaching"  # begun by DETACH CONCURRENTLY, which did not end
    RETIRING = "retiring"  # taken out of the table by a run that did not end
    RETIRED = "retired"  # taken out of the table, and still there


class Window(NamedTuple):
    """A window as the server has it. `rows` is what the server estimates, None where it never looked.

    `bytes` counts its indexes too, which `index_bytes` are; both 0 where they were not asked for. `place` is its name
    as its server reads it in a statement. `parts` are the pieces that it lies in, where a server has such.
    """

    name: str
    bounds: Bounds
    place: str = ""
    rows: int | None = None
    bytes: int = 0
    index_bytes: int = 0
    state: WindowState = WindowState.ATTACHED
    parts: int | None = None


class OnRetire(StrEnum):
    """What becomes of a window whose time is over."""

    DROP = "drop"
    DETACH = "detach"
    MOVE = "move"
    EXPORT = "export"


class Engine(StrEnum):
    """Who makes the windows of a set."""

    NATIVE = "native"
    PARTMAN = "partman"  # the extension pg_partman, told by us


class Merge(NamedTuple):
    """Windows that ended so long ago become parts of one coarser window."""

    age: Interval
    into: Unit


REST = "rest"
"""The part of a window that is divided by list which takes the values of no list."""


class SubBy(StrEnum):
    """How windows are divided."""

    HASH = "hash"
    LIST = "list"


class Sub(NamedTuple):
    """Each window is divided by one more column: into so many parts, or by lists of its values, each with a name."""

    by: SubBy
    column: str
    parts: int = 0
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionSet:
    """A document of partitions/: the windows that a table should have.

    `ahead` and `behind` are windows beside the present one. `retain` is how long rows are kept after their window
    ended; None: for ever. `target` is the schema that retired windows are moved to, or the folder that they are
    exported to.
    """

    name: str
    store: str
    table: str
    column: str
    interval: Interval
    ahead: int
    behind: int
    description: str
    shown: str
    checksum: str
    retain: Interval | None = None
    merge: Merge | None = None
    on_retire: OnRetire = OnRetire.DROP
    target: str = ""
    engine: Engine = Engine.NATIVE
    sub: Sub | None = None
    places: Mapping[Any, Any] = field(default_factory=dict, compare=False, repr=False)


class KeptSet(NamedTuple):
    """A table whose windows something else keeps, as that says: the words are those of `PartitionSet`.

    `against`: why provision cannot keep it as it is, empty where it can; only then `interval` may be None.
    """

    table: str
    column: str
    interval: Interval | None
    ahead: int
    retain: Interval | None
    on_retire: OnRetire
    target: str
    against: str


class TableWindows(NamedTuple):
    """The windows of one set's table as they are: `now` is the server's clock.

    `place` is its name as its server reads it in a statement. `default` is that of the partition that takes the rows of
    no window, empty where there is none; `default_rows` are in it. `unbounded`: the server makes a window for any row.
    `leaves` says by what it removes windows itself, `trouble` what a person must see to; both empty where nothing.
    `merging` are the names of merges that did not end.
    """

    now: datetime
    windows: tuple[Window, ...] = ()
    place: str = ""
    default: str = ""
    default_rows: int = 0
    unbounded: bool = False
    leaves: str = ""
    trouble: str = ""
    merging: tuple[str, ...] = ()

    @property
    def attached(self) -> tuple[Window, ...]:
        """Those that rows can be written to."""
        return tuple(each for each in self.windows if each.state is WindowState.ATTACHED)

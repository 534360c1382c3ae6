"""Keeps the windows of tables: what is there, what is missing, what is over. One table's failure stops no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from provision.errors import ConfigError, ProvisionError, RefusedError
from provision.model.partitions import Bounds, Engine, PartitionSet, TableWindows, Window, WindowState
from provision.partitions.planner import Coverage, coverage, following, mergeable, missing, over, span
from provision.ports.partitions import Converts, Delegates, Makes, Merges, Partitions
from provision.text.counts import rows_of

NO_PARTITIONS = "windows are of PostgreSQL, ClickHouse and InfluxDB"
SKEW = 5.0  # seconds that the clocks of this machine and of a server may differ without a word

Said = Callable[[str, str], None]
"""Told a set's name and what takes long, in words."""


class SetStanding(NamedTuple):
    """How a set's table stands; `error` instead where it cannot be looked at."""

    wanted: PartitionSet
    found: TableWindows | None = None
    coverage: Coverage | None = None
    error: ProvisionError | None = None

    @property
    def absent(self) -> bool:
        """Whether its table was not made yet."""
        return self.error is not None and self.error.code == "unknown-table"

    @property
    def doubled(self) -> bool:
        """Whether another document is of the same table."""
        return self.error is not None and self.error.code == "bad-partitions"

    @property
    def needs(self) -> str:
        """What a person must see to, in words; empty where nothing is wrong."""
        if self.found is None or self.coverage is None:
            return self.error.what if self.error is not None else ""
        if self.coverage.short:
            return "takes no row now" if self.coverage.until == self.found.now else "runs out soon"
        if self.coverage.gaps:
            return "has gaps"
        if any(each.state in (WindowState.DETACHING, WindowState.RETIRING) for each in self.found.windows):
            return "has a window that is half retired"
        if self.found.trouble:
            return self.found.trouble
        if self.found.merging:
            return "has a merge that did not end"
        rows = self.found.default_rows
        return f"{rows_of(rows)} {'is' if rows == 1 else 'are'} in the default partition" if rows else ""


class SetChange(NamedTuple):
    """What was done, or with a dry run would be, to a set's table: names of windows. `error`: what stopped it."""

    wanted: PartitionSet
    windows: tuple[Window, ...] = ()
    names: tuple[str, ...] = ()
    error: ProvisionError | None = None


class AdoptedSet(NamedTuple):
    """A table that something else keeps: its new document, empty where one is `there` or none can be (`why`)."""

    store: str
    table: str
    shown: str
    why: str = ""
    there: bool = False


def standings(
    sets: Sequence[PartitionSet],
    parts: Mapping[str, Partitions],
    as_of: datetime | None = None,
    *,
    whole: bool = False,
) -> list[SetStanding]:
    """How each set stands, in their order; `as_of` stands in for the servers' clocks. Raises UnreachableError."""
    found: dict[str, TableWindows | ProvisionError] = {}
    for store, part in parts.items():
        mine = [each for each in sets if each.store == store]
        found.update(part.look(mine, whole=whole) if mine else {})
    known = [each for each in sets if each.name in found]
    found.update(_twice(known, found))
    return [_standing(each, found[each.name], as_of) for each in known]


def _twice(
    sets: Sequence[PartitionSet], found: Mapping[str, TableWindows | ProvisionError]
) -> Mapping[str, ConfigError]:
    """What is wrong with sets that are of one table: which of them is right nobody can say."""
    tables: dict[tuple[str, str], list[PartitionSet]] = {}
    for each in sets:
        if isinstance(seen := found[each.name], TableWindows):
            tables.setdefault((each.store, seen.place or each.table), []).append(each)
    return {
        each.name: _of_one_table(each, [other.shown for other in same if other is not each])
        for same in tables.values()
        if len(same) > 1
        for each in same
    }


def _of_one_table(wanted: PartitionSet, others: Sequence[str]) -> ConfigError:
    line, column = wanted.places.get(("table",), (1, 1))
    what = f"{wanted.table} is described by {', '.join(others)} too"
    where = f"{wanted.shown}:{line}:{column}"
    return ConfigError("bad-partitions", what, where=where, fix="keep one document of a table")


def _standing(wanted: PartitionSet, found: TableWindows | ProvisionError, as_of: datetime | None) -> SetStanding:
    if isinstance(found, ProvisionError):
        return SetStanding(wanted, error=found)
    seen = found if as_of is None else found._replace(now=as_of)
    return SetStanding(wanted, seen, coverage(wanted, seen))


def ensure(
    found: Sequence[SetStanding],
    parts: Mapping[str, Partitions],
    said: Said,
    *,
    since: datetime | None = None,
    dry_run: bool = False,
) -> list[SetChange]:
    """Make the windows that are missing; those of a table that cannot be had do not stop the others."""
    return [_ensured(each, parts[each.wanted.store], said, since, dry_run=dry_run) for each in found]


def _ensured(
    standing: SetStanding, part: Partitions, said: Said, since: datetime | None, *, dry_run: bool
) -> SetChange:
    wanted, found = standing.wanted, standing.found
    if found is None:
        return SetChange(wanted, error=standing.error)
    if not isinstance(part, Makes):
        return SetChange(wanted)
    if wanted.engine is not Engine.NATIVE and isinstance(part, Delegates):
        return _delegated(wanted, found, part, said, since, dry_run=dry_run)
    wanting = missing(wanted, _taken(found), found.now, since)
    if dry_run:
        return SetChange(wanted, tuple(Window("", each) for each in wanting))
    made: list[str] = []
    try:
        for names in part.make(wanted, wanting, found, lambda text: said(wanted.name, text)):
            made += names
    except ProvisionError as error:
        return SetChange(wanted, names=tuple(made), error=error)
    return SetChange(wanted, names=tuple(made))


def _delegated(
    wanted: PartitionSet, found: TableWindows, part: Delegates, said: Said, since: datetime | None, *, dry_run: bool
) -> SetChange:
    """The other makes the windows, and afterwards does what else it does."""
    wanting = following(wanted, _taken(found), found.now, since)
    if dry_run:
        return SetChange(wanted, tuple(Window("", each) for each in wanting))
    made: list[str] = []

    def say(text: str) -> None:
        said(wanted.name, text)

    try:
        first = span(wanted, found.now, since)
        if part.register(wanted, first, found, say):
            before, found = found, _again(wanted, found, part)
            made += [each.name for each in found.windows if each not in before.windows]
            wanting = following(wanted, _taken(found), found.now, since)
        for names in part.make(wanted, wanting, found, say):
            made += names
        part.maintain(wanted, found, say)
    except ProvisionError as error:
        return SetChange(wanted, names=tuple(made), error=error)
    return SetChange(wanted, names=tuple(made))


def _again(wanted: PartitionSet, found: TableWindows, part: Partitions) -> TableWindows:
    """How its windows are now, at the time of the first look. Raises what is wrong with the table."""
    seen = part.look([wanted])[wanted.name]
    if isinstance(seen, ProvisionError):
        raise seen
    return seen._replace(now=found.now)


def retire(
    found: Sequence[SetStanding], parts: Mapping[str, Partitions], said: Said, *, dry_run: bool = False
) -> list[SetChange]:
    """Take out the windows whose rows were kept long enough, and finish what an earlier run began."""
    return [_retired(each, parts[each.wanted.store], said, dry_run=dry_run) for each in found]


def _retired(standing: SetStanding, part: Partitions, said: Said, *, dry_run: bool) -> SetChange:
    wanted, found = standing.wanted, standing.found
    if found is None:
        return SetChange(wanted, error=standing.error)
    if found.leaves:
        said(wanted.name, f"the server removes windows itself: {found.leaves}")
        return SetChange(wanted)
    due = over(wanted, found.windows, found.now)
    last = _last(wanted, found, due)
    due = due[:-1] if last is not None else due
    if dry_run:
        return SetChange(wanted, tuple(due), error=last)
    done: list[Window] = []
    try:
        for window in due:
            part.retire(wanted, window, found, lambda text: said(wanted.name, text))
            done.append(window)
    except ProvisionError as error:
        return SetChange(wanted, tuple(done), error=error)
    return SetChange(wanted, tuple(done), error=last)


def _last(wanted: PartitionSet, found: TableWindows, due: Sequence[Window]) -> RefusedError | None:
    """Why the newest of the windows that are over stays: where rows make them, without it there would be no row.

    Elsewhere windows may be empty, and the store itself looks for newer rows.
    """
    if not found.unbounded or not due or not {*found.attached} <= {*due}:
        return None
    what = f"{due[-1].name} holds the last rows of {wanted.table}: without it the table would be empty"
    fix = "look why no newer rows came, and at retain; if it is meant, drop it by hand"
    return RefusedError("would-empty", what, where=found.place or wanted.shown, fix=fix)


def merge(
    found: Sequence[SetStanding], parts: Mapping[str, Partitions], said: Said, *, dry_run: bool = False
) -> list[SetChange]:
    """Make coarser windows of those that are old enough (`merge_after`), and finish what an earlier run began."""
    return [_merged(each, parts[each.wanted.store], said, dry_run=dry_run) for each in found]


def _merged(standing: SetStanding, part: Partitions, said: Said, *, dry_run: bool) -> SetChange:
    wanted, found = standing.wanted, standing.found
    if found is None:
        return SetChange(wanted, error=standing.error)
    if not isinstance(part, Merges):
        return SetChange(wanted)
    groups = mergeable(wanted, found.attached, found.now)
    if dry_run:
        return SetChange(wanted, tuple(_whole(bounds, windows) for bounds, windows in groups))
    done: list[Window] = []
    try:
        done.extend(part.merge(wanted, groups, found, lambda text: said(wanted.name, text)))
    except ProvisionError as error:
        return SetChange(wanted, tuple(done), error=error)
    return SetChange(wanted, tuple(done))


def _whole(bounds: Bounds, parts: Sequence[Window]) -> Window:
    """What a merge of the parts would make."""
    return Window("", bounds, rows=sum(each.rows or 0 for each in parts), bytes=sum(each.bytes for each in parts))


def convert(
    sets: Sequence[PartitionSet],
    parts: Mapping[str, Partitions],
    said: Said,
    *,
    as_of: datetime | None = None,
    until: datetime | None = None,
) -> list[SetChange]:
    """Make ordinary tables partitioned, and the windows after the first; a table's failure stops no other."""
    return [_converted(each, parts[each.store], said, as_of, until) for each in sets]


def _converted(
    wanted: PartitionSet, part: Partitions, said: Said, as_of: datetime | None, until: datetime | None
) -> SetChange:
    try:
        name = _converts(wanted, part).convert(wanted, as_of, until, lambda text: said(wanted.name, text))
    except ProvisionError as error:
        return SetChange(wanted, error=error)
    [made] = ensure(standings([wanted], {wanted.store: part}, as_of), {wanted.store: part}, said)
    return made._replace(names=(*([name] if name else []), *made.names))


def turn_back(sets: Sequence[PartitionSet], parts: Mapping[str, Partitions], said: Said) -> list[SetChange]:
    """Make converted tables ordinary ones again, while nothing is in a window but their first."""
    return [_turned_back(each, parts[each.store], said) for each in sets]


def _turned_back(wanted: PartitionSet, part: Partitions, said: Said) -> SetChange:
    try:
        name = _converts(wanted, part).turn_back(wanted, lambda text: said(wanted.name, text))
    except ProvisionError as error:
        return SetChange(wanted, error=error)
    return SetChange(wanted, names=(name,) if name else ())


def hindered(sets: Sequence[PartitionSet], parts: Mapping[str, Partitions]) -> list[tuple[PartitionSet, Sequence[str]]]:
    """Why each table cannot be converted. Raises RefusedError (convert-refused)."""
    return [(each, _converts(each, parts[each.store]).hindrances(each)) for each in sets]


def _converts(wanted: PartitionSet, part: Partitions) -> Converts:
    if not isinstance(part, Converts):
        what = f"tables of {wanted.store} are not converted"
        raise RefusedError("convert-refused", what, where=wanted.shown, fix="a migration makes them as they should be")
    return part


def skewed(found: Sequence[SetStanding]) -> list[str]:
    """A sentence for each store whose clock is not this machine's: windows go by the server's."""
    now, told = datetime.now(UTC), {}
    for each in found:
        if each.found is not None and abs(apart := (each.found.now - now).total_seconds()) > SKEW:
            ahead = "ahead of" if apart > 0 else "behind"
            told[each.wanted.store] = f"the clock of {each.wanted.store} is {abs(apart):.0f} s {ahead} this machine's"
    return list(told.values())


def _taken(found: TableWindows) -> list[Bounds]:
    return [each.bounds for each in found.windows if _takes_room(each)]


def _takes_room(window: Window) -> bool:
    """Whether another window over the same time would be refused."""
    return window.state in (WindowState.ATTACHED, WindowState.DETACHING)

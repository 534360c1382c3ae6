"""Windows of partitioned tables: how they stand, made, retired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from provision.errors import raise_all
from provision.project.opened import Opened

if TYPE_CHECKING:
    from provision.flows.partitions import AdoptedSet, SetChange, SetStanding


def _silent(_name: str, _text: str) -> None:
    """Tells nobody."""


class Partitioning(Opened):
    """Keeps the windows of partitions/. What that needs is imported when it is asked for."""

    def partitions(self, *names: str, as_of: datetime | None = None) -> tuple[SetStanding, ...]:
        """How the tables stand, all of them unless documents of partitions/ are named: windows, gaps, until when they
        take rows. Reads only; `as_of` stands in for the servers' clocks.

        A table that is absent, or partitioned otherwise, has its `error`. Raises ConfigError, UnreachableError.
        """
        from provision.flows.partitions import standings
        from provision.wiring import partitions

        sets = partitions.read(self._project, names)
        with partitions.placed(self._project, self._environment, sets) as parts:
            return tuple(standings(sets, parts, as_of, whole=True))

    def ensure_partitions(
        self,
        *names: str,
        since: datetime | None = None,
        as_of: datetime | None = None,
        dry_run: bool = False,
        on_note: Callable[[str, str], None] = _silent,
    ) -> tuple[SetChange, ...]:
        """Make the windows that are missing; `since` also asks for older ones, from that moment on.

        `on_note` is told a document's name and what takes long. Raises ConfigError, UnreachableError; FailedError
        (window-refused, window-in-the-way), or Several, once every table was tried.
        """
        from provision.flows.partitions import ensure, standings
        from provision.wiring import partitions

        sets = partitions.read(self._project, names)
        with partitions.placed(self._project, self._environment, sets) as parts:
            found = standings(sets, parts, as_of)
            return _whole(ensure(found, parts, self._hidden(on_note), since=since, dry_run=dry_run))

    def retire_partitions(
        self,
        *names: str,
        as_of: datetime | None = None,
        dry_run: bool = False,
        on_note: Callable[[str, str], None] = _silent,
    ) -> tuple[SetChange, ...]:
        """Take out the windows whose rows were kept long enough. The rest is as in `ensure_partitions`."""
        from provision.flows.partitions import retire

        return self._changed(retire, names, as_of, on_note, dry_run=dry_run)

    def merge_partitions(
        self,
        *names: str,
        as_of: datetime | None = None,
        dry_run: bool = False,
        on_note: Callable[[str, str], None] = _silent,
    ) -> tuple[SetChange, ...]:
        """Make coarser windows of those that are old enough. The rest is as in `ensure_partitions`."""
        from provision.flows.partitions import merge

        return self._changed(merge, names, as_of, on_note, dry_run=dry_run)

    def adopt_partitions(self, *stores: str, dry_run: bool = False) -> tuple[AdoptedSet, ...]:
        """Write a document of partitions/ for each table that pg_partman keeps in these stores, or in all.

        Raises ConfigError (unknown-store, extension-missing, not-allowed), UnreachableError.
        """
        from provision.wiring import partitions

        return tuple(partitions.adopt(self._project, self._environment, stores, dry_run=dry_run))

    def convert_partitions(
        self,
        name: str,
        *,
        until: datetime | None = None,
        as_of: datetime | None = None,
        on_note: Callable[[str, str], None] = _silent,
    ) -> SetChange:
        """Make the ordinary table of a document partitioned, its rows the first window, and the windows after it.

        `until`: up to when the first window takes rows; by default to the end of the window after the newest row's.
        Raises RefusedError (convert-refused), and as `ensure_partitions`.
        """
        from provision.flows.partitions import convert
        from provision.wiring import partitions

        sets = partitions.read(self._project, (name,))
        with partitions.placed(self._project, self._environment, sets) as parts:
            return _whole(convert(sets, parts, self._hidden(on_note), as_of=as_of, until=until))[0]

    def turn_back_partitions(self, name: str, *, on_note: Callable[[str, str], None] = _silent) -> SetChange:
        """Make a converted table an ordinary one again, while all its rows are in its first window.

        Raises as `convert_partitions`.
        """
        from provision.flows.partitions import turn_back
        from provision.wiring import partitions

        sets = partitions.read(self._project, (name,))
        with partitions.placed(self._project, self._environment, sets) as parts:
            return _whole(turn_back(sets, parts, self._hidden(on_note)))[0]

    def _changed(
        self,
        change: Callable[..., list[SetChange]],
        names: tuple[str, ...],
        as_of: datetime | None,
        on_note: Callable[[str, str], None],
        *,
        dry_run: bool,
    ) -> tuple[SetChange, ...]:
        from provision.flows.partitions import standings
        from provision.wiring import partitions

        sets = partitions.read(self._project, names)
        with partitions.placed(self._project, self._environment, sets) as parts:
            found = standings(sets, parts, as_of, whole=True)
            return _whole(change(found, parts, self._hidden(on_note), dry_run=dry_run))

    def _hidden(self, on_note: Callable[[str, str], None]) -> Callable[[str, str], None]:
        return lambda name, text: on_note(name, self._environment.mask(text))


def _whole(changes: list[SetChange]) -> tuple[SetChange, ...]:
    """Raises what stopped any of them."""
    raise_all([each.error for each in changes if each.error is not None])
    return tuple(changes)

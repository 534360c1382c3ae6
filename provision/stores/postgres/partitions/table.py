"""The windows of PostgreSQL's tables: its own declarative partitions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from provision import process
from provision.errors import FailedError, ProvisionError
from provision.model import StoreOptions
from provision.model.partitions import (
    Bounds,
    Engine,
    KeptSet,
    OnRetire,
    PartitionSet,
    TableWindows,
    Window,
    WindowState,
)
from provision.ports.partitions import Say
from provision.stores.postgres.partitions.look import look
from provision.stores.postgres.server import Connection

if TYPE_CHECKING:
    from provision.stores.postgres.migrate.patience import Limits
    from provision.stores.postgres.partitions.convert import TableConverter
    from provision.stores.postgres.partitions.log import RetiredLog
    from provision.stores.postgres.partitions.merge_log import MergeLog
    from provision.stores.postgres.partitions.partman import PartmanSet

_TURN = "select pg_try_advisory_lock(hashtext('provision partitions'), %s::regclass::oid::int)"
_OVER = "select pg_advisory_unlock(hashtext('provision partitions'), %s::regclass::oid::int)"


class PostgresPartitions:
    """`provision.ports.partitions.Partitions`: looks on the store's connection, and changes on one of its own.

    What changes is imported when something is to be changed: nearly every run only looks.
    """

    def __init__(self, connection: Connection, connect: Callable[[], Connection], options: StoreOptions) -> None:
        self._looking, self._connect, self._options = connection, connect, options
        self._connection: Connection | None = None
        self._patience: Limits | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def look(self, sets: Sequence[PartitionSet], *, whole: bool = False) -> Mapping[str, TableWindows | ProvisionError]:
        found = look(self._looking, sets, self._open, self._log if whole else None)
        return {name: self._with_merges(each) for name, each in found.items()} if whole else found

    def make(
        self, wanted: PartitionSet, wanting: Sequence[Bounds], found: TableWindows, say: Say
    ) -> Iterator[Sequence[str]]:
        if not wanting:
            return
        from provision.stores.postgres.partitions.make import WindowMaker

        with self._turn(found.place):
            if wanted.engine is Engine.PARTMAN:
                keeper = self._partman(wanted, found)
                for bounds in wanting:
                    yield [keeper.make(bounds, say)]
            else:
                maker = WindowMaker(self._open(), wanted.column, found, self._limits, wanted.sub)
                yield from maker.make(wanting, say)

    def register(self, wanted: PartitionSet, first: Bounds, found: TableWindows, say: Say) -> bool:
        with self._turn(found.place):
            return self._partman(wanted, found).register(first, say)

    def kept(self) -> Sequence[KeptSet]:
        from provision.stores.postgres.partitions.part_config import kept_sets

        return kept_sets(self._looking, self._options.name)

    def maintain(self, wanted: PartitionSet, found: TableWindows, say: Say) -> None:
        with self._turn(found.place):
            self._partman(wanted, found).maintain(say)

    def _partman(self, wanted: PartitionSet, found: TableWindows) -> PartmanSet:
        from provision.stores.postgres.partitions.partman import PartmanSet

        return PartmanSet(self._open(), wanted, found, self._limits)

    def retire(self, wanted: PartitionSet, window: Window, found: TableWindows, say: Say) -> None:
        from provision.stores.postgres.partitions.retire import WindowRetirer

        with self._turn(found.place):
            retirer = WindowRetirer(self._open(), found, self._limits)
            attached = window.state is WindowState.ATTACHED
            rows = retirer.filled(wanted.column, window) if attached else self._log.counted(found, window)
            self._exported(wanted, window, found, say)
            self._log.begin(wanted, window._replace(rows=rows), found, process.owner(os.environ).actor)
            retirer.detach(window, say)
            self._exported(wanted, window, found, say)  # again, where a writer was faster than we
            if rows is not None and wanted.on_retire is OnRetire.DROP:
                try:
                    retirer.refuse_filled(window, rows)
                except FailedError:
                    self._log.kept(found, window)
                    raise
            retirer.dispose(wanted, window, say)
            self._log.done(found, window)

    def merge(
        self,
        wanted: PartitionSet,
        groups: Sequence[tuple[Bounds, Sequence[Window]]],
        found: TableWindows,
        say: Say,
    ) -> Iterator[Window]:
        from provision.stores.postgres.partitions.make import WindowMaker
        from provision.stores.postgres.partitions.merge import WindowMerger

        log = self._merges()
        begun = log.open(found)
        if not groups and not begun:
            return
        with self._turn(found.place), self._session() as copying:
            maker = WindowMaker(self._open(), wanted.column, found, self._limits)
            merger = WindowMerger(self._open(), copying, maker, found, log)
            for each in begun:
                if each.bounds not in [bounds for bounds, _ in groups]:
                    merger.give_up(each, say)
            for bounds, parts in groups:
                name = merger.merge(bounds, parts, process.owner(os.environ).actor, say)
                yield Window(
                    name, bounds, rows=sum(each.rows or 0 for each in parts), bytes=sum(each.bytes for each in parts)
                )

    def _merges(self) -> MergeLog:
        from provision.stores.postgres.partitions.merge_log import MergeLog

        return MergeLog(self._open(), self._options.project, self._options.name)

    def _with_merges(self, found: TableWindows | ProvisionError) -> TableWindows | ProvisionError:
        if isinstance(found, ProvisionError):
            return found
        return found._replace(merging=tuple(each.name for each in self._merges().open(found)))

    def hindrances(self, wanted: PartitionSet) -> Sequence[str]:
        with self._converter(wanted) as converter:
            if converter.kind != "p":
                return converter.hindrances()
        seen = self.look([wanted])[wanted.name]  # partitioned already: as the set says, or otherwise
        return (seen.what,) if isinstance(seen, ProvisionError) else ()

    def convert(self, wanted: PartitionSet, now: datetime | None, until: datetime | None, say: Say) -> str:
        with self._converter(wanted) as converter, self._turn(converter.place):
            return converter.convert(now or self._now(), until, process.owner(os.environ).actor, say)

    def turn_back(self, wanted: PartitionSet, say: Say) -> str:
        with self._converter(wanted) as converter, self._turn(converter.place):
            return converter.turn_back(say)

    @contextmanager
    def _converter(self, wanted: PartitionSet) -> Iterator[TableConverter]:
        from provision.stores.postgres.partitions.convert import TableConverter

        with self._session() as connection:
            key = (self._options.project, self._options.name)
            yield TableConverter(connection, wanted, self._limits, key)

    def _now(self) -> datetime:
        [(now,)] = self._open().execute("select now()").fetchall()
        assert isinstance(now, datetime)
        return now

    def _exported(self, wanted: PartitionSet, window: Window, found: TableWindows, say: Say) -> None:
        if wanted.on_retire is OnRetire.EXPORT:
            from provision.stores.postgres.partitions.export import WindowExporter

            WindowExporter(self._open(), wanted, found, self._options.root).export(window, say)

    @property
    def _log(self) -> RetiredLog:
        from provision.stores.postgres.partitions.log import RetiredLog

        return RetiredLog(self._open(), self._options.project, self._options.name)

    @property
    def _limits(self) -> Limits:
        from provision.stores.postgres.migrate.patience import deadlock_timeout, limits

        if self._patience is None:
            self._patience = limits(self._options.extra, {}, deadlock_timeout(self._open()))
        return self._patience

    @contextmanager
    def _turn(self, place: str) -> Iterator[None]:
        """One run at a time changes the windows of a table. Raises FailedError (window-in-the-way)."""
        connection = self._open()
        if connection.execute(_TURN, (place,)).fetchone() != (True,):
            what = f"another run changes the windows of {place} now"
            raise FailedError(
                "window-in-the-way", what, where=connection.store, fix="run the same command again when it ended"
            )
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute(_OVER, (place,))

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._connected()
        return self._connection

    def _connected(self) -> Connection:
        """Bounds are read and written in UTC; where a policy would hide rows, the server refuses instead."""
        made = self._connect()
        made.execute("set timezone to 'UTC'; set row_security to off; set statement_timeout to 0")
        return made

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """One more, while the block runs."""
        made = self._connected()
        try:
            yield made
        finally:
            made.close()

"""Writes a window to a Parquet file, and proves that it can be had back before anything of it is dropped.

The file is read again, copied into a temporary table of the same types, and that is compared with the window by count
and checksum, on the server. Only then it gets its name, so that a file of that name is whole.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg

from provision.errors import ConfigError, FailedError
from provision.model.partitions import PartitionSet, TableWindows, Window
from provision.ports.partitions import Say
from provision.stores.postgres.partitions.parquet import Column, about, read_back, written
from provision.stores.postgres.server import Connection

_COLUMNS = """
select quote_ident(attname), attname, format_type(atttypid, null), atttypmod from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""
_OF = "select current_database() || '/' || %s::regclass::oid"


class Digest(NamedTuple):
    """What tells the rows of a window from others: how many, and the sum of their hashes."""

    rows: int
    checksum: str


class WindowExporter:
    """Exports windows of one set to its folder, relative to `root`, by statements of `connection`."""

    def __init__(self, connection: Connection, wanted: PartitionSet, found: TableWindows, root: Path) -> None:
        self._connection, self._wanted, self._found = connection, wanted, found
        self._folder = root / Path(wanted.target).expanduser()

    def export(self, window: Window, say: Say) -> None:
        """Write and verify the file of a window; where it is there already and holds the same rows, only look.

        Raises FailedError (export-failed), ConfigError (missing-extra, export-folder).
        """
        path = self._path(window)
        try:
            columns = [Column(*row) for row in self._connection.execute(_COLUMNS, (window.place,)).fetchall()]
            wanted = self._digest(window.place, columns)
            if path.exists() and self._same(path, window, columns, wanted):
                return
            say(f"writing {wanted.rows} rows of {window.name} to {path}")
            self._write(path, window, columns, say)
        except psycopg.Error as error:
            raise self._failed(window, error.diag.message_primary or str(error), "correct what it says") from None
        except OSError as error:
            said = os.strerror(error.errno) if error.errno else str(error)
            raise self._failed(window, f"{path}: {said}", "make room or give the right, in that folder") from None

    def _write(self, path: Path, window: Window, columns: Sequence[Column], say: Say) -> None:
        """Written beside, flushed, read back, and only then renamed."""
        part = path.with_name(f".{path.name}.part")
        [(of,)] = self._connection.execute(_OF, (window.place,)).fetchall()
        try:
            wanted = self._filled(part, window, columns, of, typed=True)
            if wanted is None:
                say(f"{window.name} holds values beyond the types of Parquet: its columns are written as text")
                wanted = self._filled(part, window, columns, of, typed=False)
            assert wanted is not None
            got = self._restored(part, window, columns)
            if got != wanted:
                what = f"the file holds {got.rows} rows and the window {wanted.rows}, or their values differ"
                raise self._failed(window, what, "report it with the types of the table's columns")
            os.replace(part, path)
            _flushed(path.parent)
        finally:
            part.unlink(missing_ok=True)

    def _filled(self, path: Path, window: Window, columns: Sequence[Column], of: str, *, typed: bool) -> Digest | None:
        """Write the rows; what they are, of the same snapshot. None where Parquet has no such values."""
        with self._connection.transaction(force_rollback=True):
            self._connection.execute("set transaction isolation level repeatable read")
            found = self._digest(window.place, columns)
            noted = {**self._about(window, of), "rows": str(found.rows), "checksum": found.checksum}
            whole = written(path, columns, self._rows(window, columns), noted, typed=typed)
        return found if whole else None

    def _rows(self, window: Window, columns: Sequence[Column]) -> Generator[bytes]:
        """As CSV: null is nothing, and an empty text is in quotes."""
        query = f"copy (select {_names(columns)} from {window.place}) to stdout (format csv)"
        with self._connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
            for each in copy:
                yield bytes(each)

    def _restored(self, path: Path, window: Window, columns: Sequence[Column]) -> Digest:
        """What a table holds into which the file was copied."""
        names = _names(columns)
        with self._connection.transaction(force_rollback=True):
            self._connection.execute("set local temp_buffers = '64MB'")
            made = f"create temp table provision_export on commit drop as select {names} from {window.place} limit 0"
            self._connection.execute(made.encode())
            into = f"copy pg_temp.provision_export ({names}) from stdin (format csv)"
            with self._connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
                for each in read_back(path):
                    copy.write(each)
            return self._digest("pg_temp.provision_export", columns)

    def _same(self, path: Path, window: Window, columns: Sequence[Column], wanted: Digest) -> bool:
        """Whether the file is of these rows; one of this window before it changed is written again.

        Raises FailedError (export-failed) for a file of something else.
        """
        [(of,)] = self._connection.execute(_OF, (window.place,)).fetchall()
        said, ours = about(path), self._about(window, of)
        if not ours.items() <= said.items():
            raise self._failed(window, f"{path} is there already, and is of other rows", "move that file away")
        return said.get("checksum") == wanted.checksum and self._restored(path, window, columns) == wanted

    def _about(self, window: Window, of: str) -> dict[str, str]:
        low, high = window.bounds
        return {"table": self._found.place, "window": window.name, "from": str(low), "to": str(high), "relation": of}

    def _digest(self, place: str, columns: Sequence[Column]) -> Digest:
        row = f"row({_names(columns)})::text"
        query = f"select count(*), coalesce(sum(hashtextextended({row}, 0)), 0)::text from {place}"
        [(rows, checksum)] = self._connection.execute(query.encode()).fetchall()
        return Digest(rows, checksum)

    def _path(self, window: Window) -> Path:
        """Of the window's file. Its folder is made inside the project; elsewhere it may be a disk that is missing."""
        folder = self._folder
        try:
            if not Path(self._wanted.target).expanduser().is_absolute():
                folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_dir() or not os.access(folder, os.W_OK):
                raise OSError("no folder that can be written to")
        except OSError as error:
            line, column = self._wanted.places.get(("on_retire",), (1, 1))
            what = f"{folder} cannot be exported to: {os.strerror(error.errno) if error.errno else error}"
            where = f"{self._wanted.shown}:{line}:{column}"
            fix = "make the folder, or mount its disk, for the user who runs this; nothing was taken out"
            raise ConfigError("export-folder", what, where=where, fix=fix) from None
        return folder / f"{window.name.replace(os.sep, '_').replace(chr(34), '')}.parquet"

    def _failed(self, window: Window, what: str, fix: str) -> FailedError:
        text = f"{window.name} was not exported, and nothing of it was dropped: {what}"
        return FailedError("export-failed", text, where=self._found.place, fix=f"{fix}, and run the same command again")


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(each.quoted for each in columns)


def _flushed(folder: Path) -> None:
    """The new name is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

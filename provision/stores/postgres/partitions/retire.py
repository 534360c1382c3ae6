"""Takes a window out of its table so that nobody waits, and then drops or moves it."""

from __future__ import annotations

import psycopg
from psycopg.sql import Identifier, Literal

from provision.errors import FailedError, RefusedError
from provision.model.partitions import OnRetire, PartitionSet, TableWindows, Window, WindowState
from provision.ports.partitions import Say
from provision.stores.postgres.migrate.patience import Limits, lost, milliseconds
from provision.stores.postgres.partitions.locks import gently
from provision.stores.postgres.partitions.make import refused
from provision.stores.postgres.server import Connection

CONCURRENTLY = 14  # PostgreSQL's version that detaches so


class WindowRetirer:
    """Takes windows out of one table, as `found` shows it."""

    def __init__(self, connection: Connection, found: TableWindows, limits: Limits) -> None:
        self._connection, self._found, self._limits = connection, found, limits

    def filled(self, column: str, window: Window) -> int:
        """How many rows an attached window holds.

        Raises RefusedError (would-empty) when it holds all that are left: what should be younger never came.
        """
        end = Literal(str(window.bounds.end)).as_string(self._connection)
        later = f"{Identifier(column).as_string(self._connection)} >= {end}"
        newer = f"select from {self._found.place} where {later} limit 1"
        try:
            rows = self._count(window)
            alone = rows and self._connection.execute(newer.encode()).fetchone() is None
        except psycopg.Error as error:
            raise refused(error, f"counting {window.name}", self._found.place) from None
        if alone:
            what = f"{window.name} holds the last rows of {self._found.place}: without it the table would be empty"
            fix = (
                "look why no newer rows came, and at retain; if it is meant:"
                f" ALTER TABLE {self._found.place} DETACH PARTITION {window.place}"
            )
            raise RefusedError("would-empty", what, where=self._found.place, fix=fix)
        return rows

    def refuse_filled(self, window: Window, before: int) -> None:
        """Raises FailedError (window-filled) when a detached window holds other rows than `before`."""
        if (rows := self._count(window)) != before:
            what = f"{window.name} was written to while it was retired: {before} rows were {rows} when it was detached"
            fix = f"look at {window.place}, which was kept: INSERT its new rows elsewhere, then DROP it"
            raise FailedError("window-filled", what, where=self._found.place, fix=fix)

    def detach(self, window: Window, say: Say) -> None:
        """Take it out of the table; where it is out already, nothing.

        Raises FailedError (window-refused, window-in-the-way).
        """
        what = f"detaching {window.name}"
        try:
            if window.state is WindowState.DETACHING:
                self._finalize(window, say)
            elif window.state is WindowState.ATTACHED:
                self._detach(window, say)
        except psycopg.Error as error:
            raise self._refused(error, window, what) from None

    def dispose(self, wanted: PartitionSet, window: Window, say: Say) -> None:
        """What the set says of a window that is out of the table. Raises as `detach`."""
        if wanted.on_retire in (OnRetire.DROP, OnRetire.EXPORT):
            statements, what = [f"drop table {window.place}"], f"dropping {window.name}"
        elif wanted.on_retire is OnRetire.MOVE:
            target = Identifier(wanted.target).as_string(self._connection)
            there = self._connection.execute("select to_regnamespace(%s)", (target,)).fetchone() != (None,)
            made = [] if there else [f"create schema {target}"]
            statements = [*made, *(f"alter table {each} set schema {target}" for each in self._tables(window))]
            what = f"moving {window.name} to {wanted.target}"
        else:
            return
        try:
            gently(self._connection, self._limits, statements, what, say)
        except psycopg.Error as error:
            raise self._refused(error, window, what) from None

    def _detach(self, window: Window, say: Say) -> None:
        statement = f"alter table {self._found.place} detach partition {window.place}"
        version = self._connection.info.server_version // 10000
        if self._found.default or version < CONCURRENTLY:
            why = "beside a default partition" if self._found.default else f"by PostgreSQL {version}"
            say(f"{window.name} is detached under a lock on the table, in short attempts: {why} there is no other way")
            gently(self._connection, self._limits, [statement], f"detaching {window.name}", say)
            return
        try:
            self._connection.execute(f"set lock_timeout = '{milliseconds(self._limits.lock)}'".encode())
            self._connection.execute(f"{statement} concurrently".encode())
        except psycopg.Error as error:
            if not lost(error, canceled=False):
                raise
            self._finalize_or_again(window, say)
        finally:
            if not self._connection.closed:
                self._connection.execute("reset lock_timeout")

    def _finalize_or_again(self, window: Window, say: Say) -> None:
        """Its first half is done, or it is not: the catalog says."""
        row = self._connection.execute(
            "select coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) from pg_inherits i"
            " where inhrelid = to_regclass(%s)",
            (window.place,),
        ).fetchone()
        if row == (True,):
            self._finalize(window, say)
        elif row is not None:
            statement = f"alter table {self._found.place} detach partition {window.place}"
            gently(self._connection, self._limits, [statement], f"detaching {window.name}", say)

    def _finalize(self, window: Window, say: Say) -> None:
        statement = f"alter table {self._found.place} detach partition {window.place} finalize"
        gently(self._connection, self._limits, [statement], f"detaching {window.name}", say)

    def _tables(self, window: Window) -> list[str]:
        """The window and its parts, where it is divided."""
        parts = "select relid::regclass::text from pg_partition_tree(to_regclass(%s)) where level > 0 order by level"
        return [window.place, *(row[0] for row in self._connection.execute(parts, (window.place,)).fetchall())]

    def _count(self, window: Window) -> int:
        [(rows,)] = self._connection.execute(f"select count(*) from {window.place}".encode()).fetchall()
        return int(rows)

    def _refused(self, error: psycopg.Error, window: Window, what: str) -> FailedError:
        """A foreign key that still points there, or what else the server says."""
        if isinstance(error, psycopg.errors.ForeignKeyViolation | psycopg.errors.DependentObjectsStillExist):
            said = error.diag.message_detail or error.diag.message_primary or str(error)
            text = f"{window.name} is still referenced, and stays: {said}"
            fix = "remove what references it first, or keep its rows longer (retain)"
            return FailedError("window-refused", text, where=self._found.place, fix=fix)
        return refused(error, what, self._found.place)

"""Sets that pg_partman keeps: its configuration, and its functions called so that one set stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import Identifier, Literal

from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model.partitions import Bounds, PartitionSet, TableWindows, Unit
from provision.ports.partitions import Say
from provision.stores.postgres.migrate.patience import Limits
from provision.stores.postgres.partitions.locks import gently
from provision.stores.postgres.partitions.look import bounds as bounds_of
from provision.stores.postgres.partitions.make import WindowMaker, refused
from provision.stores.postgres.server import Connection

_EXTENSION = """
select quote_ident(n.nspname), split_part(e.extversion, '.', 1)::int
from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman'
"""
# As pg_partman writes the name of a table: without quotes.
_PARENT = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = relnamespace
where c.oid = %s::regclass
"""
_ATTACHED = """
select pg_get_expr(c.relpartbound, 0) from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhrelid = to_regclass(%s) and i.inhparent = %s::regclass
"""


class Extension(NamedTuple):
    """Where pg_partman is installed, quoted, and which: 4 or 5."""

    schema: str
    version: int


def extension(connection: Connection) -> Extension | None:
    """None where the database has it not."""
    row = connection.execute(_EXTENSION).fetchone()
    return Extension(*row) if row is not None else None


class PartmanSet:
    """One table that pg_partman keeps, or is to keep. Raises ConfigError (extension-missing)."""

    def __init__(self, connection: Connection, wanted: PartitionSet, found: TableWindows, limits: Limits) -> None:
        self._connection, self._wanted, self._found, self._limits = connection, wanted, found, limits
        there = extension(connection)
        if there is None:
            line, column = wanted.places.get(("engine",), (1, 1))
            what = f"{wanted.table} is to be kept by pg_partman, which this database has not"
            fix = "CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman; or write engine: native"
            raise ConfigError("extension-missing", what, where=f"{wanted.shown}:{line}:{column}", fix=fix)
        self._schema, self._version = there
        [(self._parent,)] = connection.execute(_PARENT, (found.place,)).fetchall()

    def register(self, starts_at: Bounds, say: Say) -> bool:
        """Let pg_partman keep the table, with windows from there on, where it does not yet; whether it did so.

        Its `premake` is made that of the set. Raises FailedError (window-refused, window-in-the-way).
        """
        config = f"{self._schema}.part_config"
        row = self._asked(f"select premake, infinite_time_partitions from {config} where parent_table = %s")
        if row is None:
            self._send(self._create_parent(starts_at), f"handing {self._wanted.table} to pg_partman", say)
            say(f"{self._wanted.table} is kept by pg_partman now")
        if row is None or tuple(row) != (max(self._wanted.ahead, 1), True):
            change = (
                f"update {config} set premake = {max(self._wanted.ahead, 1)},"
                f" infinite_time_partitions = true where parent_table = {self._text(self._parent)}"
            )
            self._send([change], f"changing what pg_partman knows of {self._wanted.table}", say)
        return row is None

    def make(self, bounds: Bounds, say: Say) -> str:
        """Let pg_partman make a window, with the rows that the default partition holds of it. Raises as `register`."""
        maker = WindowMaker(self._connection, self._wanted.column, self._found, self._limits)
        name, place = self._name(bounds)
        given = f"{self._text(self._parent)}, array[{self._text(bounds.start)}::timestamptz]"
        create = f"select {self._schema}.create_partition_time({given})"
        self._send([*self._locks(maker), *self._drained(maker, bounds, create)], f"making {name}", say)
        made = self._connection.execute(_ATTACHED, (place, self._found.place)).fetchone()
        if made is None or bounds_of(made[0]) != bounds:
            what = f"pg_partman did not make {name} for {bounds.start:%Y-%m-%d %H:%M}: a table of that name is there"
            raise FailedError("window-refused", what, where=self._found.place, fix=f"rename {place}, or drop it")
        return name

    def maintain(self, say: Say) -> None:
        """pg_partman's `run_maintenance` of this set alone, which here drops nothing: that is `retire`'s.

        Raises as `register`; names of windows that it cannot read are in the error, with what renames them.
        """
        config, where = f"{self._schema}.part_config", f"where parent_table = {self._text(self._parent)}"
        row = self._asked(f"select retention from {config} where parent_table = %s")
        run = f"select {self._schema}.run_maintenance({self._text(self._parent)}, p_analyze := false)"
        kept = row[0] if row is not None else None
        if kept is not None:
            back = f"update {config} set retention = {self._text(kept)} {where}"
            statements = [f"update {config} set retention = null {where}", run, back]
        else:
            statements = [run]
        self._send(statements, f"pg_partman's run_maintenance of {self._wanted.table}", say)

    def _create_parent(self, starts_at: Bounds) -> list[str]:
        kind = "native" if self._version < 5 else "range"
        given = {
            "p_parent_table": self._parent,
            "p_control": self._wanted.column,
            "p_type": kind,
            "p_interval": self._length(),
            "p_premake": max(self._wanted.ahead, 1),
            "p_start_partition": str(starts_at.start),
        }
        arguments = ", ".join(f"{name} => {self._literal(value)}" for name, value in given.items())
        return [f"select {self._schema}.create_parent({arguments})"]

    def _length(self) -> str:
        number, unit = self._wanted.interval
        return f"{number * 3} months" if unit is Unit.QUARTER else str(self._wanted.interval)

    def _locks(self, maker: WindowMaker) -> list[str]:
        """What the window takes, asked for by us: pg_partman makes of a lost lock an error like any other."""
        default = [f"lock table {self._found.default} in access exclusive mode"] if self._found.default else []
        return [
            f"lock table only {self._found.place} in share update exclusive mode",
            *(f"lock table {each} in share row exclusive mode" for each in maker.referenced),
            *default,
        ]

    def _drained(self, maker: WindowMaker, bounds: Bounds, create: str) -> list[str]:
        """The rows wait in a temporary table of the same transaction."""
        if not self._found.default_rows:
            return [create]
        inside, columns = maker.within(bounds), maker.columns
        return [
            f"create temporary table provision_drained on commit drop as select {columns} from {self._found.default}"
            f" where {inside}",
            f"delete from {self._found.default} where {inside}",
            create,
            f"insert into {self._found.place} ({columns}) overriding system value"
            f" select {columns} from pg_temp.provision_drained",
        ]

    def _name(self, bounds: Bounds) -> tuple[str, str]:
        """The name that pg_partman gives the window, and the same as the server reads it."""
        row = self._connection.execute(
            f"select partition_schema, partition_table from {self._schema}.show_partition_name(%s, %s)".encode(),
            (self._parent, str(bounds.start)),
        ).fetchone()
        assert row is not None
        return row[1], ".".join(Identifier(part).as_string(self._connection) for part in row)

    def _send(self, statements: Sequence[str], what: str, say: Say) -> None:
        # pg_partman sets the search path of the session, and where it fails does not set it back.
        try:
            gently(self._connection, self._limits, statements, what, say)
        except psycopg.errors.RaiseException as error:
            raise self._told(error, what) from None
        except psycopg.Error as error:
            raise refused(error, what, self._found.place) from None

    def _told(self, error: psycopg.Error, what: str) -> ProvisionError:
        said = (error.diag.message_primary or str(error)).splitlines()[0]
        renames = self._renames()
        fix = "correct what it says, and run the same command again"
        if renames:
            what += f" (it reads the times of windows from their names, and cannot read {len(renames)} of them)"
            fix = "; ".join(renames)
        return FailedError("window-refused", f"{what} failed: {said}", where=self._found.place, fix=fix)

    def _renames(self) -> list[str]:
        """What gives windows that others named the names that pg_partman reads."""
        found = []
        for each in self._found.attached:
            if each.bounds.start is not None:
                name, place = self._name(each.bounds)
                if place != each.place and each.name != name:
                    new = Identifier(name).as_string(self._connection)
                    found.append(f"ALTER TABLE {each.place} RENAME TO {new}")
        return found

    def _asked(self, query: str) -> tuple[Any, ...] | None:
        try:
            return self._connection.execute(query.encode(), (self._parent,)).fetchone()
        except psycopg.errors.InsufficientPrivilege as error:
            user = self._connection.info.user
            fix = f"GRANT USAGE ON SCHEMA {self._schema}, and SELECT, UPDATE and INSERT on its tables, to {user}"
            what = f"what pg_partman knows of {self._wanted.table} cannot be read: {error.diag.message_primary}"
            raise ConfigError("not-allowed", what, where=self._wanted.shown, fix=fix) from None

    def _text(self, value: object) -> str:
        return Literal(str(value)).as_string(self._connection)

    def _literal(self, value: object) -> str:
        return Literal(value).as_string(self._connection)

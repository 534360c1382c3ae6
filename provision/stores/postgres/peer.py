"""Alembic's version table: it decides what is applied, for it and for us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import psycopg
from psycopg import sql

from provision.model import Direction, Revision, Step, StoreOptions
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.own_tables import permitted
from provision.stores.postgres.server import Connection

_CREATE = sql.SQL(
    "create table if not exists {} (version_num varchar(32) not null, constraint {} primary key (version_num))"
)


class AlembicPeer:
    """`provision.ports.Peer` over `alembic_version` (or the table that env.py or provision.toml names)."""

    def __init__(self, options: StoreOptions, connection: Connection, revisions: Sequence[Revision]) -> None:
        self._options, self._connection = options, connection
        self._revisions = {revision.number: revision for revision in revisions}

    @cached_property
    def _table(self) -> sql.Identifier:
        return identifier(self._options)

    @cached_property
    def table(self) -> str:
        return ".".join(_names(self._options))

    @property
    def where(self) -> str:
        return f"{self.table} of {self._connection.place}"

    def seen(self) -> str:
        return seen(self._connection, self._options)

    def applied(self) -> Mapping[str, bool]:
        heads = self.heads()
        parents = {each.number: stands_on(each) for each in self._revisions.values()}
        if any(head not in parents for head in heads):
            parents = {**self._remembered(), **parents}
        return {f"{self._options.name}/{number}": True for number in _below(heads, parents)}

    def heads(self) -> list[str]:
        """The rows of the version table; none when it is absent."""
        try:
            with permitted(self._connection, self.table, "SELECT"):
                rows = self._connection.execute(sql.SQL("select version_num from {}").format(self._table)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []
        return [row[0] for row in rows]

    def stamp(self, steps: Sequence[Step]) -> None:
        now = {each.split("/", 1)[1] for each in self.applied()}
        had = now | set(self.heads())
        for step in steps:
            if step.revision.repeatable:
                continue  # Alembic knows nothing of it
            (now.add if step.direction is Direction.UP else now.discard)(step.revision.number)
        unknown = (now | had) - self._revisions.keys()
        known = {each.number: stands_on(each) for each in self._revisions.values()}
        parents = {**self._remembered(), **known} if unknown else known
        below = {parent.split("/", 1)[1] for number in now for parent in parents.get(number, ())}
        self._write(sorted(now - below))

    def _write(self, heads: Sequence[str]) -> None:
        """Let the version table hold exactly `heads`; made as Alembic makes it where it is not there.

        Not through Alembic: that runs env.py, and refuses to move away from a revision without a file.
        """
        insert = sql.SQL("insert into {} (version_num) values (%s)").format(self._table)
        with permitted(self._connection, self.table, "SELECT, INSERT, DELETE"), self._connection.transaction():
            self._connection.execute(_CREATE.format(self._table, sql.Identifier(f"{_names(self._options)[-1]}_pkc")))
            self._connection.execute(sql.SQL("delete from {}").format(self._table))
            for head in heads:
                self._connection.execute(insert, (head,))

    def _remembered(self) -> dict[str, tuple[str, ...]]:
        """What revisions without a file stood on, as the ledger wrote it down when they were applied."""
        try:
            rows = self._connection.execute(
                "select revision, detail->'parents' from provision.ledger"
                " where project = %s and store = %s and kind = 'applied' and detail ? 'parents'",
                (self._options.project, self._options.name),
            ).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return {}
        return {name.split("/", 1)[1]: tuple(parents) for name, parents in rows}


def identifier(options: StoreOptions) -> sql.Identifier:
    """The version table, as env.py or provision.toml names it. Raises ConfigError (version-table-computed)."""
    return sql.Identifier(*_names(options))


def seen(connection: Connection, options: StoreOptions) -> str:
    """What the version table looks like to provision, in words."""
    names = _names(options)
    shown = ".".join(names)
    try:
        with permitted(connection, shown, "SELECT"):
            row = connection.execute(sql.SQL("select count(*) from {}").format(identifier(options))).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        elsewhere = connection.execute(
            "select string_agg(schemaname, ', ' order by 1) from pg_tables where tablename = %s", (names[-1],)
        ).fetchone()
        found = f", and one in schema {elsewhere[0]}, off the search_path" if elsewhere and elsewhere[0] else ""
        return f"there is no table {shown}{found}"
    count = row[0] if row else 0
    return f"table {shown} has {count} row{'' if count == 1 else 's'}"


def _names(options: StoreOptions) -> tuple[str, ...]:
    found = version_table(options)
    schema, name = found.get("version_table_schema"), found.get("version_table", "alembic_version")
    return (schema, name) if schema else (name,)


def stands_on(revision: Revision) -> tuple[str, ...]:
    """What Alembic takes for applied where the revision is: its parents, and what it depends on in the same store."""
    return (*revision.parents, *(need for need in revision.requires if need.startswith(f"{revision.store}/")))


def _below(heads: Iterable[str], parents: Mapping[str, Sequence[str]]) -> dict[str, None]:
    """The heads and everything below them, in no particular order."""
    seen: dict[str, None] = {}
    waiting = list(heads)
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen[number] = None
            waiting.extend(parent.split("/", 1)[1] for parent in parents.get(number, ()))
    return seen

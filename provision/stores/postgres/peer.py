"""Alembic's version table: it decides what is applied, for it and for us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import psycopg
from psycopg import sql

from provision.model import Direction, Revision, Step, StoreOptions
from provision.stores.postgres.connection import Connection
from provision.stores.postgres.version_table import version_table


class AlembicPeer:
    """`provision.ports.Peer` over `alembic_version` (or the table that env.py or provision.toml names)."""

    def __init__(self, options: StoreOptions, url: str, connection: Connection, revisions: Sequence[Revision]) -> None:
        self._options, self._url, self._connection = options, url, connection
        self._revisions = {revision.number: revision for revision in revisions}

    @cached_property
    def _table(self) -> sql.Identifier:
        found = version_table(self._options)
        schema, name = found.get("version_table_schema"), found.get("version_table", "alembic_version")
        return sql.Identifier(schema, name) if schema else sql.Identifier(name)

    def applied(self) -> Mapping[str, bool]:
        heads = self.heads()
        parents = {each.number: stands_on(each) for each in self._revisions.values()}
        if any(head not in parents for head in heads):
            parents = {**self._remembered(), **parents}
        return {f"{self._options.name}/{number}": True for number in _below(heads, parents)}

    def heads(self) -> list[str]:
        """The rows of the version table; none when it is absent."""
        try:
            rows = self._connection.execute(sql.SQL("select version_num from {}").format(self._table)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []
        return [row[0] for row in rows]

    def stamp(self, steps: Sequence[Step]) -> None:
        """Move the version table over the steps without running them. Raises ConfigError (alembic-refused)."""
        from provision.stores.postgres import engine

        now = {each.split("/", 1)[1] for each in self.applied()}
        had = now | set(self.heads())
        for step in steps:
            if step.revision.repeatable:
                continue  # Alembic knows nothing of it
            (now.add if step.direction is Direction.UP else now.discard)(step.revision.number)
        known = {each.number: stands_on(each) for each in self._revisions.values()}
        parents = {**self._remembered(), **known} if had - set(known) else known
        below = {parent.split("/", 1)[1] for number in now for parent in parents.get(number, ())}
        heads = sorted(now - below)
        if had - set(known):
            self._replace(heads)
            return

        def configured(_connection: object, _given: object) -> Mapping[str, object]:
            return {"transaction_per_migration": False}

        directory = engine.scripts(self._options)
        engine.run(self._options, directory, self._url, engine.stamp(directory, heads), configured)

    def _replace(self, heads: Sequence[str]) -> None:
        """Write the version table by ourselves: Alembic refuses to move away from a revision without a file."""
        with self._connection.transaction():
            self._connection.execute(sql.SQL("delete from {}").format(self._table))
            for head in heads:
                self._connection.execute(
                    sql.SQL("insert into {} (version_num) values (%s)").format(self._table), (head,)
                )

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

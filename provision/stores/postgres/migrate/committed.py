"""Looks, in a session of its own, whether what a step did is committed."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from provision.errors import FailedError
from provision.model import Direction, Event, Step, StoreOptions
from provision.stores.postgres.peer import identifier, seen
from provision.stores.postgres.server import Connection

_ENTRY = "exists(select from provision.ledger where project = $1 and store = $2 and token = $3::int8 and n = $4::int8)"


class Seen:
    """The ledger and the version table as everybody else sees them."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._connection, self._options = connection, options
        # One text for its versions: a project with several heads has several rows.
        versions = sql.SQL("(select string_agg(version_num::text, ' ') from {})").format(identifier(options))
        self._versions = versions.as_string(connection)
        self._both = f"select {_ENTRY}, {self._versions}".encode(connection.info.encoding)
        project, store = (sql.Literal(each).as_string(connection) for each in (options.project, options.name))
        # What `missing` asks, as two columns of a question that somebody else asks in a transaction of its own.
        self.columns = (
            f"exists(select from provision.ledger where project = {project} and store = {store}"
            f" and token = $3::int8 and n = $4::int8), {self._versions}"
        )

    def missing(self, step: Step, written: Event | None) -> str:
        """What of a revision that ran is not there, in words; empty when ledger and version table are as it left them.

        `written` is its ledger entry, None where it came to none.
        """
        if written is None:
            return "nothing was written down of it"
        try:
            found = self._query(self._both, written)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            found = [*self._query(f"select {_ENTRY}".encode(), written), ""]
        return self.judged(step, found)

    def judged(self, step: Step, found: Sequence[str]) -> str:
        """As `missing`, of what the two columns gave."""
        entry, versions = found
        if entry != "t":
            return "its version and its ledger entry are not in the database"
        if (step.revision.number in versions.split()) is (step.direction is Direction.UP):
            return ""
        return f"its version is not where provision looks for it: {seen(self._connection, self._options)}"

    def entry(self, step: Step, written: Event) -> None:
        """Raises FailedError (not-committed) when a repeatable's ledger entry is not there."""
        if self._query(f"select {_ENTRY}".encode(), written) != ["t"]:
            raise FailedError("not-committed", f"{step.id} ran, and is not in the ledger", where=step.revision.path)

    def _query(self, statement: bytes, written: Event) -> list[str]:
        return self._connection.ask(statement, self._key(written))

    def _key(self, written: Event) -> tuple[object, ...]:
        return (written.project, self._options.name, written.token, written.n)

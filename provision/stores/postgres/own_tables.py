"""Tables of provision itself, in its schema of the same name: made once, by a user who may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from provision.errors import ConfigError
from provision.stores.postgres.server import Connection, refuse_read_only


def make(connection: Connection, last: str, statements: str) -> None:
    """Send the statements in one transaction, unless `last`, the table that they make last, is there.

    So a user who only writes to them needs no right to create any. Raises ConfigError (not-allowed, read-only,
    read-only-replica).
    """
    refuse_read_only(connection)
    try:
        if connection.execute("select to_regclass(%s)", (f"provision.{last}",)).fetchone() != (None,):
            return
        # Two first runs at once collide inside `create … if not exists`; the lock makes them queue.
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('provision.ledger'))")
            connection.execute(statements)
    except psycopg.errors.InsufficientPrivilege as error:
        said, info = error.diag.message_primary or str(error), connection.info
        fix = f"GRANT CREATE ON DATABASE {info.dbname} TO {info.user}, or run it once as the database's owner"
        what = f"provision's own tables cannot be made: {said}"
        raise ConfigError("not-allowed", what, where=connection.store, fix=fix) from None


@contextmanager
def permitted(connection: Connection, table: str, rights: str) -> Iterator[None]:
    """What the user of the url may not do in the block is ConfigError (not-allowed), with what to grant."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        user, (schema, _, name) = connection.info.user, table.rpartition(".")
        usage = f"GRANT USAGE ON SCHEMA {schema} TO {user}; " if schema else ""
        every = f"ALL TABLES IN SCHEMA {schema}" if schema == "provision" else f"{schema}.{name}".lstrip(".")
        fix = f"as the owner: {usage}GRANT {rights} ON {every} TO {user}"
        raise ConfigError(
            "not-allowed", str(error.diag.message_primary or error), where=connection.store, fix=fix
        ) from None

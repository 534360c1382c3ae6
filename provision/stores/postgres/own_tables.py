"""Tables of provision itself, in its schema of the same name: made once, by a user who may."""

from __future__ import annotations

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

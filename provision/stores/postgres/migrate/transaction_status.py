"""What the server says of a transaction, asked in another session."""

from __future__ import annotations

import time

from provision.stores.postgres.migrate.wire import Transaction
from provision.stores.postgres.server import Connection

CLOSING = 1.0  # seconds that a server has to end the transaction of a connection that was closed
_BEGAN = "select (extract(epoch from xact_start) * 1000000)::int8::text from pg_stat_activity where pid = %s::int"


def fate(own: Connection, transaction: Transaction) -> str:
    """What became of it: committed, aborted, or in progress."""
    end = time.monotonic() + CLOSING
    while True:
        row = own.execute("select pg_xact_status(%s::xid8)", (transaction.xid,)).fetchone()
        if row != ("in progress",) or time.monotonic() >= end:
            return str(row[0]) if row else ""
        time.sleep(0.01)


def began(own: Connection, transaction: Transaction) -> str | None:
    """When the transaction that its session is in now began, as `since`.

    None where that session is gone, or of a user whose sessions may not be looked at.
    """
    row = own.execute(_BEGAN, (transaction.pid,)).fetchone()
    return row[0] if row else None

"""Whether a pooler stands before a PostgreSQL server, and for how long it gives a session a connection of it."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import closing

from provision.model import Finding, Severity, StoreOptions
from provision.stores.postgres.server import Connection, connect

SECONDS = 3.0  # until a second session is taken for one that has to wait for the first to end
_NO_TRANSACTION = 0  # in the place of the number of a process
_WHO = b"select pg_backend_pid()"
_WHERE = "select host(inet_server_addr()), inet_server_port()"


def poolers(connection: Connection, options: StoreOptions, url: str) -> Iterator[Finding]:
    """What a session that keeps nothing from one transaction to the next would take from a run."""
    told = connection.pgconn.backend_pid  # of the greeting, which a pooler answers itself
    first = _pid(connection)
    if first == told:
        return
    with closing(connect(url, options.name)) as second:
        second.pgconn.send_query(b"begin; " + _WHO)
        theirs = _answer(second)
        shared = theirs is not None and (theirs in (first, _NO_TRANSACTION) or _pid(connection) != first)
    if not shared:
        what = "a pooler stands before the server, and leaves each session its connection"
        yield Finding("pooler", Severity.FINE, options.name, what)
        return
    host, port = connection.execute(_WHERE).fetchone() or (None, None)
    direct = f"name the server itself in the url{f', {host}:{port}' if host else ''}"
    what = "a pooler before the server changes the connection with each transaction: settings of a run reach others"
    fix = f"{direct}; or set pool_mode = session for this database"
    yield Finding("pooler", Severity.ERROR, options.name, what, fix)


def _pid(connection: Connection) -> int:
    return int(connection.ask(_WHO, ())[0])


def _answer(connection: Connection) -> int | None:
    """The number of the server's process; None where no connection of the server was to be had for the session."""
    pgconn, last = connection.pgconn, None
    while True:
        while pgconn.is_busy():
            if not select.select([pgconn.socket], [], [], SECONDS)[0]:
                return None
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return last
        if b"statement pooling" in result.error_message:
            return _NO_TRANSACTION
        if result.ntuples:
            last = int(result.get_value(0, 0) or 0)

"""Tells how far a long statement is, and whom it waits for, from another connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from provision.errors import ProvisionError
from provision.ports.maintain import Say
from provision.stores.postgres.server import Connection

EVERY = 5.0  # seconds
# Not for us: a statement that is made concurrently waits for every look at the database, this one too.
_ASK = """
select (
    select format('waits for %%s (pid %%s, %%s)', coalesce(nullif(application_name, ''), usename), pid, state)
    from pg_stat_activity where pid = any(pg_blocking_pids(%(pid)s)) and pid <> pg_backend_pid()
    order by xact_start limit 1
), (
    select phase || case when blocks_total > 0 then format(', %%s %%%%', blocks_done * 100 / blocks_total) else '' end
    from pg_stat_progress_create_index where pid = %(pid)s
), (
    select phase || case when sample_blks_total > 0
        then format(', %%s %%%%', sample_blks_scanned * 100 / sample_blks_total) else '' end
    from pg_stat_progress_analyze where pid = %(pid)s
)
"""


@contextmanager
def told(connect: Callable[[], Connection], pid: int, say: Say, every: float = EVERY) -> Iterator[None]:
    """While the block runs, say every few seconds what the server session `pid` does, where that changed."""
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(connect, pid, say, every, over), daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join(every)


def _look(connect: Callable[[], Connection], pid: int, say: Say, every: float, over: threading.Event) -> None:
    if over.wait(every):
        return  # most statements are short: no connection is made for them
    # What goes wrong here is no matter of the statement, which says itself what is wrong.
    with suppress(ProvisionError, psycopg.Error), connect() as connection:
        before = ""
        while not over.is_set():
            row = connection.execute(_ASK.encode(), {"pid": pid}).fetchone() or ()
            now = next((str(each) for each in row if each), "")
            if now and now != before and not over.is_set():
                say(now)
            before = now
            over.wait(every)

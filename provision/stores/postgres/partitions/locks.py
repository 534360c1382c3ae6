"""Sends what changes a table in use so that nobody waits long: short attempts, again and again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import psycopg

from provision.errors import FailedError
from provision.ports.partitions import Say
from provision.stores.postgres.migrate.blockers import oldest
from provision.stores.postgres.migrate.patience import Limits, lost, milliseconds
from provision.stores.postgres.server import Connection

FIRST, LAST = 0.05, 2.0  # seconds of a pause between two attempts
# Behind who waits for a table, everybody queues, so that many short attempts cost the others less than a few long ones:
# so many are made before the attempts that count, each of which waits longer than the one before.
SHORT, BRIEF, LONGER = 20, 0.005, 1.3
# A table is tried again and again without queueing for it: whoever comes meanwhile passes.
_ALONE = """
declare until timestamptz := clock_timestamp() + interval '{polite} ms'; begin
    while clock_timestamp() < until loop
        begin
            lock table only {place} in access exclusive mode nowait;
            return;
        exception when lock_not_available then perform pg_sleep(0.0001);
        end;
    end loop;
    lock table only {place} in access exclusive mode;
end"""
POLITE = 100  # milliseconds


def alone(place: str) -> str:
    """A statement that takes a table for its transaction alone: queues, up to `lock_timeout`, as a last resort."""
    body = _ALONE.format(place=place, polite=POLITE).replace("'", "''")
    return f"do '{body}'"


def gently(connection: Connection, limits: Limits, statements: Sequence[str], what: str, say: Say) -> None:
    """Send statements as one transaction, in one round trip, giving way where a lock cannot be had at once.

    Raises as `patiently`; what else the server refuses is psycopg's.
    """

    def once(wait: float) -> str:
        send(connection, wait, statements)
        return ""

    patiently(connection, limits, once, what, say)


def patiently(connection: Connection, limits: Limits, once: Callable[[float], str], what: str, say: Say) -> None:
    """Call `once` with the seconds that it may wait until it succeeds: it returns who is in the way, empty for nobody.

    What it sent must be rolled back by then; a lost race for a lock is in the way too. After short attempts, the time
    that one waits grows, up to the store's `lock_timeout`, as often as its `retries` say; where they are 0, there is
    one attempt. Raises FailedError (window-in-the-way) when every attempt failed.
    """
    short = SHORT if limits.retries else 0
    wait, pause = min(BRIEF, limits.lock), FIRST
    for attempt in range(-short, limits.retries + 1):
        try:
            who = once(wait)
        except psycopg.Error as error:
            if not lost(error, canceled=False):
                raise
            who = oldest(connection)
        if not who:
            return
        if attempt == limits.retries:
            break
        if attempt in (0, 5, 10, 20):
            say(f"{what} waits for {who}")
        time.sleep(random.uniform(pause / 2, pause))
        if attempt >= 0:
            wait, pause = min(wait * LONGER, limits.lock), min(pause * 1.5, LAST)
    text = f"{what} found no moment without others in {short + limits.retries + 1} attempts: {who}"
    raise FailedError(
        "window-in-the-way", text, where=connection.store, fix="run the same command again when it is free"
    )


def send(connection: Connection, wait: float, statements: Sequence[str]) -> None:
    """As one transaction, whose locks may each take so many seconds; rolled back when anything of it fails."""
    text = "; ".join([f"begin; set local lock_timeout = '{milliseconds(wait)}'", *statements, "commit"])
    try:
        connection.execute(text.encode())
    except psycopg.Error:
        if not connection.closed:
            connection.execute("rollback")
        raise

"""Measures the statements of a revision on tables with few and with many rows, and takes everything back.

What many rows take longer than few is what rows cost; the rest is the same however large a table is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import psycopg

from provision.model import StoreOptions
from provision.model.lint import Script, Unit
from provision.model.stats import RevisionCost, StatementCost
from provision.stores.postgres.lint.seeding import emptied, seeded
from provision.stores.postgres.lint.trial import State, Tried, states, tables_named
from provision.stores.postgres.server import Connection, connect
from provision.stores.postgres.setup.stats import fixed_ms

LARGE = 5_000
"""Rows below which a table costs nothing that is worth measuring."""
MANY = 200_000
"""Rows of the larger sample, or as many as there are: what fits the caches of the processor is too fast."""
FEWER = 40
_TIMES = 2
_PATIENCE = "set lock_timeout = '2s'; set statement_timeout = '60s'"
# Within a transaction it is built in one pass, in the place of two that wait for others between them.
_CONCURRENTLY = re.compile(r"\s+CONCURRENTLY\b", re.IGNORECASE)
_PASSES = 2
_MEMORY = {"work_mem": 64, "maintenance_work_mem": 1024}
"""Setting → the least of it in kB that every release takes."""
_DROPPED_MIB = 64
# As large a table as takes long enough to drop; its rows lie in it as they are given.
_TO_DROP = f"""
create schema provision_cost;
create table provision_cost.dropped (body text);
alter table provision_cost.dropped alter body set storage plain;
insert into provision_cost.dropped select repeat('x', 1000) from generate_series(1, {_DROPPED_MIB * 1024}) made(i)
"""
_SIZES = "select oid, pg_table_size(oid) from pg_class where oid = any(%s)"


class _Run(NamedTuple):
    """A statement's milliseconds, or why there are none; the tables that it read whole or wrote anew, and those whose
    files it leaves to the commit to be given back."""

    ms: float
    read: frozenset[int] = frozenset()
    freed: frozenset[int] = frozenset()
    refused: str = ""
    by_rows: bool = False  # refused for what the sample's rows hold


def cost(options: StoreOptions, url: str, script: Script, rows: Mapping[str, int]) -> RevisionCost | None:
    """What the statements of a file cost; None where no table that they name is large.

    `rows`: table → how many there are where the file is to run. Raises UnreachableError.
    """
    units = [each for each in script.units if each.body.node is not None]
    if script.not_rendered:
        return RevisionCost(not_measured=script.not_rendered)
    with connect(url, options.name) as connection:
        connection.execute(_PATIENCE.encode())
        named = tables_named(connection, units)
        if all(rows.get(each.name, 0) < LARGE for each in named.values()):
            return None
        try:
            most = max(rows.get(each.name, 0) for each in named.values())
            statements, by_rows = _both(connection, units, named, most)
            if by_rows:  # of a rule to come the rows know nothing: most rules allow small numbers
                again, still = _both(connection, units, named, most, modest=True)
                statements = again if still < by_rows else statements
            freed_ms = _freed_ms(connection) if any(each.freed for each in statements) else 0.0
            return RevisionCost(statements, fixed_ms(connection), freed_ms)
        except psycopg.Error as error:  # no right to seed, or a time limit
            return RevisionCost(not_measured=str(error).partition("\n")[0])


def _both(
    connection: Connection, units: Sequence[Unit], named: Mapping[int, Tried], most: int, *, modest: bool = False
) -> tuple[tuple[StatementCost, ...], int]:
    """The statements on few rows and on many, and how many of them were refused for what the rows hold."""
    count = min(MANY, most)
    few, _ = _measured(connection, units, named, count // FEWER, most, modest)
    many, sizes = _measured(connection, units, named, count, most, modest)
    found = (_cost(named, *each, sizes, count) for each in zip(units, few, many, strict=True))
    return tuple(found), sum(each.by_rows for each in many)


def _cost(
    named: Mapping[int, Tried], unit: Unit, few: _Run, many: _Run, sizes: Mapping[int, int], count: int
) -> StatementCost:
    line = unit.place.line
    if few.refused or many.refused:
        return StatementCost(line, not_measured=few.refused or many.refused)
    passes = _PASSES if _CONCURRENTLY.search(unit.text) else 1
    # Tables that are read part by part, as partitions are, are not seen to be read.
    read = many.read or frozenset(sizes)
    return StatementCost(
        line,
        round(few.ms * passes, 2),
        round(many.ms * passes, 2),
        {named[oid].name: count - count // FEWER for oid in sorted(read) if oid in sizes},
        {named[oid].name: sizes[oid] // count for oid in sorted(read) if oid in sizes},
        tuple(named[oid].name for oid in sorted(many.freed)),
    )


def _freed_ms(connection: Connection) -> float:
    """Milliseconds a MiB that giving back a table's files takes: that is done by the commit, which no trial reaches."""
    try:
        connection.execute(_TO_DROP.encode())
        connection.execute("checkpoint")  # files that hold what is not yet written go in another time
        began = time.monotonic()
        connection.execute("drop table provision_cost.dropped")
        return round((time.monotonic() - began) * 1000 / _DROPPED_MIB, 4)
    finally:
        connection.execute("drop schema if exists provision_cost cascade")


def _measured(
    connection: Connection, units: Sequence[Unit], named: Mapping[int, Tried], count: int, most: int, modest: bool
) -> tuple[list[_Run], Mapping[int, int]]:
    """Each statement on tables of so many rows, and the bytes of the tables that took them.

    Memory is as scarce as it is where there are `most` rows, so that what sorts on disk there does so here.
    """
    for setting, least in _MEMORY.items():
        share = "greatest(%s, (select setting::bigint from pg_settings where name = %s) * %s / %s)::text || 'kB'"
        connection.execute(f"reset {setting}".encode())
        connection.execute(f"select set_config(%s, {share}, false)", (setting, least, setting, count, max(most, count)))
    rows = seeded(connection, list(named), empty=False, modest=modest, count=count)
    try:
        for oid in rows:
            connection.execute(f"vacuum analyze {named[oid].name}".encode())
        sizes = dict(connection.execute(_SIZES, (list(rows),)).fetchall())
        connection.execute("checkpoint")  # a page that is changed after one is written whole into the log
        runs = [_run(connection, units, list(named), rows) for _ in range(_TIMES)]
    finally:
        emptied(connection, rows)
        for oid in rows:
            connection.execute(f"vacuum {named[oid].name}".encode())
    # The longer one: where it is applied it runs once, and nothing is warm.
    return [max(pair, key=lambda each: each.ms) for pair in zip(*runs, strict=True)], sizes


def _by_rows(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.IntegrityError)


def _filenode(found: Mapping[int, State], oid: int) -> int | None:
    return found[oid].filenode if oid in found else None


def _run(connection: Connection, units: Sequence[Unit], wanted: Sequence[int], rows: Mapping[int, int]) -> list[_Run]:
    found = []
    connection.execute("begin")
    try:
        before = states(connection, wanted)
        for unit in units:
            connection.execute("savepoint statement")
            began = time.monotonic()
            try:
                connection.execute(_CONCURRENTLY.sub("", unit.text).encode())
            except psycopg.Error as error:
                connection.execute("rollback to savepoint statement")
                found.append(_Run(0.0, refused=str(error).partition("\n")[0], by_rows=_by_rows(error)))
                continue
            ms = (time.monotonic() - began) * 1000
            after = states(connection, wanted)
            read = {
                oid
                for oid, now in after.items()
                if oid in before
                and (now.filenode != before[oid].filenode or now.scanned - before[oid].scanned >= rows.get(oid, LARGE))
            }
            freed = {oid for oid, was in before.items() if was.filenode and _filenode(after, oid) != was.filenode}
            found.append(_Run(ms, frozenset(read), frozenset(freed)))
            before = after
    finally:
        connection.execute("rollback")
    return found

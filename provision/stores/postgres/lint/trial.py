"""Tries the statements of a revision on tables that hold rows, and takes everything back.

Each statement runs alone in one transaction, which is rolled back: the locks that it takes are all still held when it
has ended, so that none is missed. What needs to stand outside a transaction is not tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import psycopg

from provision.model import StoreOptions
from provision.model.lint import Script, Unit
from provision.model.trial import LOCKS, RevisionSeen, StatementSeen, TableSeen
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.seeding import emptied, seeded
from provision.stores.postgres.server import Connection, connect

PATIENCE = "set lock_timeout = '2s'; set statement_timeout = '5s'; set enable_seqscan = off"
OUTSIDE = "it stands outside of a transaction"
_TABLES = """
select c.oid, format('%I.%I', n.nspname, c.relname), pg_relation_filenode(c.oid),
    c.relname || array(select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'provision')
"""
_SEEN = """
select c.oid, pg_relation_filenode(c.oid), coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0),
    (select array_agg(l.mode) from pg_locks l
        where l.locktype = 'relation' and l.relation = c.oid and l.pid = pg_backend_pid()
            and l.database = (select oid from pg_database where datname = current_database()))
from pg_class c where c.oid = any(%s)
"""


class Tried(NamedTuple):
    """A table that statements name; `called` are its own name and those of its indexes."""

    name: str
    filenode: int | None
    called: Sequence[str]


class State(NamedTuple):
    """A table in the middle of a transaction."""

    filenode: int | None
    scanned: int
    lock: int  # its place in LOCKS; -1 for none


class _Failed(NamedTuple):
    unit: Unit
    what: str


class PostgresTrials:
    """`provision.ports.lint.TrialSession`. One session for all files: a new one would read the whole catalog anew."""

    def __init__(self, options: StoreOptions, url: str) -> None:
        self._connection = connect(url, options.name)

    def close(self) -> None:
        self._connection.close()

    def tried(self, script: Script) -> RevisionSeen:
        """As `TrialSession.tried`.

        Tables that are there, that the statements name and that are empty get rows first: values in every column, then,
        where a statement does not go through, values only where there must be some, then none.
        """
        if script.not_rendered:
            return RevisionSeen(not_seen=((1, script.not_rendered),))
        units = [each for each in script.units if each.in_transaction and each.body.node is not None]
        outside = tuple((each.place.line, OUTSIDE) for each in script.units if not each.in_transaction)
        if not units:
            return RevisionSeen(not_seen=outside)
        try:
            self._connection.execute(f"reset all; {PATIENCE}".encode())
            return _tried(self._connection, units, outside)
        except psycopg.Error as error:  # no right to seed, or a time limit
            return RevisionSeen(not_seen=(*outside, (1, str(error).partition("\n")[0])))


session = PostgresTrials


def _tried(connection: Connection, units: Sequence[Unit], outside: tuple[tuple[int, str], ...]) -> RevisionSeen:
    tables = tables_named(connection, units)
    if not tables:
        return RevisionSeen(not_seen=outside)  # nobody waits for what is only made
    wanted = list(tables)
    first = ""
    for empty in (False, True, None):
        rows = seeded(connection, wanted, empty=empty) if empty is not None else {}
        try:
            found = _run(connection, units, tables, rows)
        finally:
            emptied(connection, rows)
        if not isinstance(found, _Failed):
            return RevisionSeen(tuple(found), outside, first)
        first = first or f"{found.unit.place.line}: {found.what}"
        failed = found
    return RevisionSeen(not_seen=(*outside, (failed.unit.place.line, failed.what)), failed=first)


def tables_named(connection: Connection, units: Sequence[Unit]) -> Mapping[int, Tried]:
    """The tables that are there and that the statements name, by their oids."""
    named = {name for each in units for name in _names(each)}
    there = {oid: Tried(*rest) for oid, *rest in connection.execute(_TABLES).fetchall()}
    return {oid: each for oid, each in there.items() if named & {name.rpartition(".")[2] for name in each.called}}


def fill(options: StoreOptions, url: str) -> int:
    """Give every empty table some rows, where that can be; how many tables. Raises UnreachableError."""
    with connect(url, options.name) as connection:
        oids = [oid for oid, *_ in connection.execute(_TABLES).fetchall()]
        return len(seeded(connection, oids, empty=False))


def _run(
    connection: Connection, units: Sequence[Unit], tables: Mapping[int, Tried], rows: Mapping[int, int]
) -> list[StatementSeen] | _Failed:
    wanted = list(tables)
    told: list[tuple[Unit, float, float, tuple[TableSeen, ...]]] = []
    counts = {oid: _count(connection, each.name) if oid not in rows else rows[oid] for oid, each in tables.items()}
    connection.execute("begin")
    try:
        before = states(connection, wanted)
        for unit in units:
            began = time.monotonic()
            try:
                connection.execute(unit.text.encode())
            except psycopg.errors.QueryCanceled:
                raise  # with other rows it would take as long
            except psycopg.Error as error:
                return _Failed(unit, str(error).partition("\n")[0])
            ended = time.monotonic()
            after = states(connection, wanted)
            told.append((unit, began, ended, tuple(_changes(tables, counts, before, after, unit))))
            before = after
    finally:
        end = time.monotonic()
        connection.execute("rollback")
    return [
        StatementSeen(
            unit.file,
            unit.place.line,
            max(unit.last, unit.place.line),
            round((ended - began) * 1000, 1),
            round((end - began) * 1000, 1),
            seen,
        )
        for unit, began, ended, seen in told
    ]


def states(connection: Connection, wanted: Sequence[int]) -> Mapping[int, State]:
    """Each of the tables as it is now, in the middle of a transaction."""
    found = connection.execute(_SEEN, (list(wanted),)).fetchall()
    return {
        oid: State(filenode, scanned, max((LOCKS.index(each) for each in modes or ()), default=-1))
        for oid, filenode, scanned, modes in found
    }


def _changes(
    tables: Mapping[int, Tried],
    counts: Mapping[int, int],
    before: Mapping[int, State],
    after: Mapping[int, State],
    unit: Unit,
) -> Iterator[TableSeen]:
    for oid, table in tables.items():
        was, now = before.get(oid), after.get(oid)
        if was is None or now is None:  # dropped: no lock of it can be seen any more
            if was is not None:
                yield TableSeen(table.name, LOCKS[-1], False, 0, counts[oid])
            continue
        lock = LOCKS[now.lock] if now.lock > was.lock else ""
        rewritten = now.filenode != was.filenode and not isinstance(unit.body.node, ast.TruncateStmt)
        scanned = now.scanned - was.scanned
        if lock or rewritten or scanned:
            yield TableSeen(table.name, lock, rewritten, scanned, counts[oid])


def _count(connection: Connection, name: str) -> int:
    found = connection.execute(f"select count(*) from (select 1 from {name} limit 100000) rows".encode()).fetchone()
    return int(found[0]) if found else 0


def _names(unit: Unit) -> set[str]:
    """The tables that a statement names, and that of an index which it drops."""
    node = unit.body.node
    found = tree.tables_in(node)
    if isinstance(node, ast.DropStmt):
        found |= {tree.last(each) for each in node.objects or () if isinstance(each, tuple)}
    return found

"""Reads from the catalog which windows a table has."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg

from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model.partitions import Bounds, PartitionSet, TableWindows, Unit, Window, WindowState
from provision.stores.postgres.reading import patience
from provision.stores.postgres.server import Connection

if TYPE_CHECKING:
    from provision.stores.postgres.partitions.log import RetiredLog

TYPES = ("timestamp with time zone", "timestamp without time zone", "date")
_TABLES = """
select given.name, c.oid, case when c.oid is not null then format('%%I.%%I', n.nspname, c.relname) end, c.relkind::text,
    p.partstrat::text, p.partnatts, a.attname, format_type(a.atttypid, null),
    exists (select from pg_constraint where conrelid = c.oid and conname = 'provision_convert'), now()
from json_array_elements_text(%s::json) as given(name)
left join pg_class c on c.oid = to_regclass(given.name)
left join pg_namespace n on n.oid = c.relnamespace
left join pg_partitioned_table p on p.partrelid = c.oid
left join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
"""
# Without the table's number: what a bound is written of names no column, and to look the columns up would open every
# partition, which costs three times all the rest. A subquery for each window would look so dear to the server that it
# compiles the statement first.
_LEAVES = """
select i.inhparent, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname,
    c.relnamespace = p.relnamespace, pg_get_expr(c.relpartbound, 0), {rows}, {detaching},
    case c.relkind when 'p' then coalesce(d.parts, 0) end, {sizes}
from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
join pg_namespace n on n.oid = c.relnamespace
left join (select inhparent, count(*) from pg_inherits group by 1) d (whole, parts) on d.whole = c.oid
where i.inhparent = any(string_to_array(%s, ',')::oid[])
"""
_QUOTED = """write schema.table, and put a name with spaces, dots or capitals in quotes: table: '"My table"'"""
_DETACHES = 140000  # PostgreSQL's version that marks what is detached concurrently
# Of a window that is divided its parts are counted.
_ROWS = """
    case c.relkind when 'p' then (select sum(greatest(reltuples, 0)) from pg_partition_tree(c.oid) join pg_class l
        on l.oid = relid where isleaf) else c.reltuples end
"""
_SIZES = """
    (select sum(pg_total_relation_size(relid)) from pg_partition_tree(c.oid) where isleaf),
    (select sum(pg_indexes_size(relid)) from pg_partition_tree(c.oid) where isleaf)
"""


def look(
    connection: Connection, sets: Sequence[PartitionSet], other: Callable[[], Connection], log: RetiredLog | None
) -> dict[str, TableWindows | ProvisionError]:
    """As `Partitions.look`, the whole where there is a `log`; from a session of `other` no policy hides rows."""
    try:
        with patience(connection):
            return _looked(connection, sets, other, log)
    except FailedError as error:  # one table is locked: the others are looked at alone
        if len(sets) == 1 or error.code != "table-locked":
            return {each.name: error for each in sets}
        return {name: each for one in sets for name, each in look(connection, [one], other, log).items()}


def _looked(
    connection: Connection, sets: Sequence[PartitionSet], other: Callable[[], Connection], log: RetiredLog | None
) -> dict[str, TableWindows | ProvisionError]:
    found: dict[str, TableWindows | ProvisionError] = {}
    try:
        rows = connection.execute(_TABLES, (json.dumps([each.table for each in sets]),)).fetchall()
    except (psycopg.errors.InvalidName, psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported):
        if len(sets) > 1:
            return {name: each for one in sets for name, each in look(connection, [one], other, log).items()}
        return {sets[0].name: _wrong(sets[0], "table", f"{sets[0].table} is no name of a table", _QUOTED)}
    tables = {row[0]: row for row in rows}
    good: list[tuple[PartitionSet, int, str, datetime]] = []
    for each in sets:
        wrong = _refused(each, tables[each.table]) or _undivided(connection, each, tables[each.table][1])
        if wrong is not None:
            found[each.name] = wrong
        else:
            good.append((each, *tables[each.table][1:3], tables[each.table][-1]))
    if good:
        found.update(_windows(connection, good, other, log))
    return found


def _refused(wanted: PartitionSet, row: Sequence[Any]) -> ConfigError | None:
    """What is wrong with the table; None where it is partitioned as the set says."""
    _, oid, _, kind, strategy, columns, column, type_, converting, _ = row
    if oid is None:
        what, fix = f"there is no table {wanted.table}", "write its migration first, or correct the name"
        return ConfigError("unknown-table", what, where=_where(wanted, "table"), fix=fix)
    if kind != "p" and converting:
        fix = f"`provision partitions convert {wanted.name}` goes on, and with --back undoes it"
        return _wrong(wanted, "table", f"{wanted.table} is half converted: a run of convert did not end", fix)
    if kind != "p":
        fix = f"let a migration make it PARTITION BY RANGE ({wanted.column})"
        return _wrong(wanted, "table", f"{wanted.table} is not partitioned", fix)
    if strategy != "r" or columns != 1 or column is None:
        how = {"l": "by list", "h": "by hash"}.get(strategy, "by more than one column, or by an expression")
        return _wrong(wanted, "table", f"{wanted.table} is partitioned {how}", "windows need a range of one column")
    if column != wanted.column:
        what = f"{wanted.table} is partitioned by {column}, not by {wanted.column}"
        return _wrong(wanted, "column", what, f"write column: {column}")
    if type_ not in TYPES:
        what = f"{wanted.table} is partitioned by {column} of type {type_}"
        return _wrong(wanted, "column", what, "windows need a column of type timestamptz, timestamp or date")
    if type_ == "date" and wanted.interval.unit is Unit.HOUR and wanted.interval.number % 24:
        what = f"{wanted.table} is partitioned by {column} of type date, and a window holds {wanted.interval}"
        return _wrong(wanted, "interval", what, "windows of a date hold whole days")
    return None


def _undivided(connection: Connection, wanted: PartitionSet, table: int) -> ConfigError | None:
    if wanted.sub is None:
        return None
    from provision.stores.postgres.partitions.parts import refused

    return refused(connection, wanted, table)


def _wrong(wanted: PartitionSet, key: str, what: str, fix: str) -> ConfigError:
    return ConfigError("wrong-table", what, where=_where(wanted, key), fix=fix)


def _where(wanted: PartitionSet, key: str) -> str:
    line, column = wanted.places.get((key,), (1, 1))
    return f"{wanted.shown}:{line}:{column}"


def _windows(
    connection: Connection,
    tables: Sequence[tuple[PartitionSet, int, str, datetime]],
    other: Callable[[], Connection],
    log: RetiredLog | None,
) -> dict[str, TableWindows | ProvisionError]:
    detaching = "i.inhdetachpending" if connection.info.server_version >= _DETACHES else "false"
    rows, sizes = (_ROWS, _SIZES) if log else ("c.reltuples", "0, 0")
    query = _LEAVES.format(rows=rows, sizes=sizes, detaching=detaching)
    leaves = connection.execute(query.encode(), (",".join(str(oid) for _, oid, _, _ in tables),)).fetchall()
    children: dict[int, list[Sequence[Any]]] = {}
    for row in leaves:
        children.setdefault(row[0], []).append(row[1:])
    divided = [parent for parent, each in children.items() if any(row[6] is not None for row in each)]
    troubles = _lacking(connection, divided) if divided else {}
    found: dict[str, TableWindows | ProvisionError] = {}
    for wanted, oid, place, now in tables:
        trouble = troubles.get(oid, "")
        mine = children.get(oid, ())
        default = next((row[0] for row in mine if row[3] == "DEFAULT"), "")
        windows = sorted((_window(row) for row in mine if row[3] != "DEFAULT"), key=_by_start)
        retired = log.left(place) if log else []
        try:
            loose = _count(other(), default) if default else 0
        except psycopg.errors.InsufficientPrivilege as error:
            found[wanted.name] = _unreadable(connection, wanted, default, error)
            continue
        seen = (*windows, *retired)
        found[wanted.name] = TableWindows(now.astimezone(UTC), seen, place, default, loose, trouble=trouble)
    return found


def _lacking(connection: Connection, tables: Sequence[int]) -> dict[int, str]:
    from provision.stores.postgres.partitions.parts import lacking  # few tables have windows that are divided

    return lacking(connection, tables)


def _unreadable(
    connection: Connection, wanted: PartitionSet, default: str, error: psycopg.errors.InsufficientPrivilege
) -> ConfigError:
    what = f"the rows of {default}, which takes those of no window, cannot be counted: {error.diag.message_primary}"
    fix = f"run it as the owner of {wanted.table}, or GRANT SELECT ON {default} TO {connection.info.user}"
    return ConfigError("not-allowed", what, where=_where(wanted, "table"), fix=fix)


def _window(row: Sequence[Any]) -> Window:
    place, name, near, bound, tuples, detaching, parts, total, indexes = row
    rows = int(tuples) if tuples is not None and tuples >= 0 else None
    state = WindowState.DETACHING if detaching else WindowState.ATTACHED
    shown = name if near else place
    return Window(shown, bounds(bound), place, rows, int(total or 0), int(indexes or 0), state, parts)


def _by_start(window: Window) -> datetime:
    return window.bounds.start or datetime.min.replace(tzinfo=UTC)


def _count(connection: Connection, place: str) -> int:
    with patience(connection):
        row = connection.execute(f"select count(*) from {place}".encode()).fetchone()
    return int(row[0]) if row else 0


@lru_cache(maxsize=4096)  # tables of one interval have the same bounds
def bounds(text: str) -> Bounds:
    """Of the server's `FOR VALUES FROM ('2026-01-01 01:00:00+01') TO (MAXVALUE)`, in whatever zone it writes them."""
    start, _, end = text.removeprefix("FOR VALUES FROM (").removesuffix(")").partition(") TO (")
    return Bounds(_moment(start), _moment(end))


def _moment(text: str) -> datetime | None:
    """None for MINVALUE and MAXVALUE, and for what no calendar of ours reaches: infinity, years B.C. or above 9999."""
    try:
        read = datetime.fromisoformat(text.strip("'"))
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)

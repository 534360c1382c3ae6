"""Looks at the windows of tables: the partitions that their parts lie in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from provision.errors import ConfigError, ProvisionError
from provision.model.partitions import Bounds, Interval, PartitionSet, TableWindows, Window
from provision.stores.clickhouse.partitions.bounds import FUNCTIONS, Key, bounds, elements, key_of, zone_of
from provision.stores.clickhouse.server import Client

_AMONG = "has(splitByChar(':', {names:String}), concat(database, '.', %s))"
_TABLES = f"""
SELECT concat(database, '.', name) AS place, partition_key, engine_full FROM system.tables
WHERE {_AMONG % "name"}
"""
_COLUMNS = f"""
SELECT concat(database, '.', table) AS place, name, type FROM system.columns WHERE {_AMONG % "table"}
"""
_PARTS = f"""
SELECT concat(database, '.', table) AS place, partition_id AS id, any(partition) AS value, toInt64(count()) AS parts,
    toInt64(sum(rows)) AS total, toInt64(sum(bytes_on_disk)) AS bytes,
    toInt64(sum(secondary_indices_compressed_bytes) + sum(primary_key_bytes_in_memory)) AS index_bytes
FROM system.parts WHERE active AND {_AMONG % "table"} GROUP BY place, id ORDER BY id
"""
_LIMITS = """
SELECT toUnixTimestamp(now()) AS now, timezone() AS zone,
    ifNull((SELECT value FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert'), '') AS slow,
    ifNull((SELECT value FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert'), '') AS refused
"""
_TTL = re.compile(r" TTL (.+?)(?: SETTINGS .*)?$", re.DOTALL)
_KEPT = re.compile(r"\b(?:TO (?:DISK|VOLUME)|RECOMPRESS|GROUP BY)\b")  # what such an entry does not delete


class _Seen(NamedTuple):
    """What the server says of all the tables of one look."""

    now: datetime
    zone: str
    slow: int
    refused: int
    tables: Mapping[str, tuple[str, str]]
    columns: Mapping[tuple[str, str], str]
    parts: Mapping[str, Sequence[Mapping[str, object]]]


def look(client: Client, sets: Sequence[PartitionSet]) -> Mapping[str, TableWindows | ProvisionError]:
    """Set → its table's windows, or what is wrong with the table. Reads only."""
    places = {each.name: _place(client, each) for each in sets}
    seen = _seen(client, list(places.values()))
    return {each.name: _windows(each, places[each.name], seen) for each in sets}


def _seen(client: Client, places: Sequence[str]) -> _Seen:
    names = {"names": ":".join(places)}  # a comma is left to the driver, which takes long to load
    [limits] = client.records(_LIMITS)
    parts: dict[str, list[Mapping[str, object]]] = {}
    for row in client.records(_PARTS, names):
        parts.setdefault(str(row["place"]), []).append(row)
    tables = client.records(_TABLES, names)
    columns = client.records(_COLUMNS, names)
    return _Seen(
        datetime.fromtimestamp(int(limits["now"]), UTC),
        str(limits["zone"]),
        int(limits["slow"] or 0),
        int(limits["refused"] or 0),
        {row["place"]: (row["partition_key"], row["engine_full"]) for row in tables},
        {(row["place"], row["name"]): row["type"] for row in columns},
        parts,
    )


def _place(client: Client, wanted: PartitionSet) -> str:
    return wanted.table if "." in wanted.table else f"{client.database}.{wanted.table}"


def _windows(wanted: PartitionSet, place: str, seen: _Seen) -> TableWindows | ProvisionError:
    if place not in seen.tables:
        what, fix = f"{wanted.store} has no table {wanted.table}", "correct the name, or `provision up` first"
        return ConfigError("unknown-table", what, where=_where(wanted, "table"), fix=fix)
    key, engine = seen.tables[place]
    found = key_of(key)
    zone = zone_of(seen.columns.get((place, wanted.column), ""), seen.zone)
    error = _wrong(wanted, key, found, zone)
    if error is not None or found is None or zone is None:
        return error or _error(wanted, "column", "its zone is not known", "write a column of UTC")
    pieces = [each for row in seen.parts.get(place, ()) if (each := _window(row, found, zone)) is not None]
    trouble = _crowded(pieces, _limit(engine, "delay", seen.slow), _limit(engine, "throw", seen.refused))
    return TableWindows(seen.now, _whole(pieces), place, unbounded=True, leaves=_ttl(engine), trouble=trouble)


def _whole(pieces: Sequence[Window]) -> tuple[Window, ...]:
    """The partitions of one time, which a tuple divides further, as one window."""
    found: dict[Bounds, Window] = {}
    for each in pieces:
        one = found.get(each.bounds)
        found[each.bounds] = (
            each
            if one is None
            else one._replace(
                place=f"{one.place} {each.place}",
                rows=(one.rows or 0) + (each.rows or 0),
                bytes=one.bytes + each.bytes,
                index_bytes=one.index_bytes + each.index_bytes,
                parts=(one.parts or 0) + (each.parts or 0),
            )
        )
    return tuple(sorted(found.values(), key=lambda each: each.name))


def _wrong(wanted: PartitionSet, key: str, found: Key | None, zone: tzinfo | None) -> ConfigError | None:
    if not key:
        fix = f"let a migration make it PARTITION BY toYYYYMM({wanted.column})"
        return _error(wanted, "table", f"{wanted.table} is not partitioned", fix)
    if found is None:
        fix = f"windows need one function of time, alone or in a tuple: {', '.join(FUNCTIONS)}"
        return _error(wanted, "table", f"{wanted.table} is partitioned by {key}", fix)
    function, column, _ = found
    if column != wanted.column:
        what = f"{wanted.table} is partitioned by {column}, not by {wanted.column}"
        return _error(wanted, "column", what, f"write column: {column}")
    length = Interval(1, FUNCTIONS[function][1])
    if wanted.interval != length:
        what = f"{wanted.table} has a window each {length.unit}, and interval says {wanted.interval}"
        return _error(wanted, "interval", what, f"write interval: {length}")
    if zone is None:
        what = f"this machine does not know the zone that the days of {column} are of"
        return _error(wanted, "column", what, "install the package tzdata")
    return None


def _error(wanted: PartitionSet, key: str, what: str, fix: str) -> ConfigError:
    return ConfigError("wrong-table", what, where=_where(wanted, key), fix=fix)


def _where(wanted: PartitionSet, key: str) -> str:
    line, column = wanted.places.get((key,), (1, 1))
    return f"{wanted.shown}:{line}:{column}"


def _window(row: Mapping[str, object], key: Key, zone: tzinfo) -> Window | None:
    try:
        value = elements(str(row["value"]))[key.place]
        span = bounds(key.function, value, zone)
    except (ValueError, OverflowError, IndexError):
        return None  # the year 0 of a column that was never filled
    return Window(
        name=value.strip("'"),
        bounds=span,
        place=str(row["id"]),
        rows=int(str(row["total"])),
        bytes=int(str(row["bytes"])),
        index_bytes=int(str(row["index_bytes"])),
        parts=int(str(row["parts"])),
    )


def _limit(engine: str, which: str, otherwise: int) -> int:
    """How many parts a partition may have: as the table says, else the server."""
    own = re.search(rf"parts_to_{which}_insert = (\d+)", engine)
    return int(own[1]) if own is not None else otherwise


def _crowded(windows: Sequence[Window], slow: int, refused: int) -> str:
    most = max(windows, key=lambda each: each.parts or 0, default=None)
    if most is None or not slow or (most.parts or 0) < slow:
        return ""
    return (
        f"window {most.name} has {most.parts:,} parts: inserts are slowed from {slow:,} on and refused from {refused:,}"
    )


def _ttl(engine: str) -> str:
    """The TTL that deletes rows, where the table declares one."""
    match = _TTL.search(engine)
    entries = re.split(r",\s*(?![^(]*\))", match[1]) if match is not None else []
    deleting = [each for each in entries if not _KEPT.search(each)]
    return f"TTL {', '.join(deleting)}" if deleting else ""

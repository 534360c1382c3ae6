"""The windows of InfluxDB's tiers: `provision.ports.partitions.Partitions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model.partitions import Bounds, PartitionSet, TableWindows, Unit, Window
from provision.ports.partitions import Say
from provision.stores.influx.server import Rows, Server

COLUMN = "time"
_SECONDS = {Unit.HOUR: 3600, Unit.DAY: 86400, Unit.WEEK: 7 * 86400}


class InfluxPartitions:
    """Shard groups come with their points. InfluxDB 2 tells nobody which there are: only what removes them is known."""

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server

    def look(self, sets: Sequence[PartitionSet], *, whole: bool = False) -> Mapping[str, TableWindows | ProvisionError]:
        del whole  # the server tells no sizes
        server = self._server()
        groups = server.rows("SHOW SHARD GROUPS") if server.language == "influxql" else []
        return {each.name: _windows(each, server, groups) for each in sets}

    def retire(self, wanted: PartitionSet, window: Window, found: TableWindows, say: Say) -> None:
        del wanted, say
        server = self._server()
        try:
            for id_, _, _, group, *_ in server.rows("SHOW SHARDS"):
                if str(group) == window.place:
                    server.run(f"DROP SHARD {int(id_)}")
        except Refused as refused:
            what, fix = f"{window.name} was not dropped: {refused}", "see the message of the server"
            raise FailedError("window-refused", what, where=found.place, fix=fix) from None


def _windows(wanted: PartitionSet, server: Server, groups: Rows) -> TableWindows | ProvisionError:
    database, _, name = wanted.table.partition(".")
    tier = (server.tiers(database) or {}).get(name)
    if tier is None:
        what = f"{wanted.store} has no tier {wanted.table}"
        fix = "write DATABASE.TIER as it is there, or `provision up` first"
        return ConfigError("unknown-table", what, where=_where(wanted, "table"), fix=fix)
    if wanted.column != COLUMN:
        what = f"points are by {COLUMN}, not by {wanted.column}"
        return ConfigError("wrong-table", what, where=_where(wanted, "column"), fix=f"write column: {COLUMN}")
    length = _SECONDS.get(wanted.interval.unit, 0) * wanted.interval.number
    if length != tier.shard:
        what = f"{wanted.table} has a window each {_length(tier.shard)}, and interval says {wanted.interval}"
        fix = f"write interval: {_length(tier.shard)}"
        return ConfigError("wrong-table", what, where=_where(wanted, "interval"), fix=fix)
    mine = [_window(row) for row in groups if row[1:3] == [database, name]]
    leaves = f"points are kept for {_length(tier.duration)}" if tier.duration else ""
    now = datetime.now(UTC)  # of this machine: the server tells none
    return TableWindows(now, tuple(mine), wanted.table, unbounded=True, leaves=leaves)


def _window(row: Sequence[object]) -> Window:
    id_, _, _, start, end, *_ = row
    span = Bounds(*(datetime.fromisoformat(str(each).replace("Z", "+00:00")) for each in (start, end)))
    assert span.start is not None
    return Window(f"{span.start:%Y-%m-%dT%H:%M}", span, place=str(id_))


def _length(seconds: int) -> str:
    """`7 days`, as a document says it."""
    unit = next(unit for unit in (Unit.DAY, Unit.HOUR) if unit is Unit.HOUR or seconds % _SECONDS[unit] == 0)
    number = seconds // _SECONDS[unit]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _where(wanted: PartitionSet, key: str) -> str:
    line, column = wanted.places.get((key,), (1, 1))
    return f"{wanted.shown}:{line}:{column}"

"""What backfills ask of InfluxDB 1.x: the SELECT of a continuous query over other times, with and without INTO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from provision.stores.influx.backfill.place import Series, Stretch, Window, read_by
from provision.stores.influx.migrate import influxql
from provision.stores.influx.migrate.influxql import quoted, text
from provision.stores.influx.migrate.model import Rollup, TierPlace, shown
from provision.stores.influx.validate.influxql import CheckInfluxql as Checked
from provision.stores.influx.validate.place import Ask, Span
from provision.stores.influx.validate.windows import BILLION

_GROUP = " GROUP BY time("  # no name of a tag holds a parenthesis, so that the last one is the query's own


class BackfillInfluxql:
    """`provision.stores.influx.backfill.place.Words`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def oldest(self, rollup: Rollup) -> int | None:
        # The time of an aggregate is that of its point only where it is asked for alone.
        place = _place(rollup.database, rollup.source)
        asked = (f"SELECT first({quoted(each)}) FROM {place}" for each in read_by(rollup))
        return min((int(row["time"]) // BILLION for each in asked for row in self._ask(each)), default=None)

    def tags(self, rollup: Rollup, _start: int, _stop: int) -> Series:
        if rollup.group_by is not None:
            return rollup.group_by
        return tuple(Checked(self._ask).tags(Span(rollup.database, rollup.source.tier, rollup.source.measurement)))

    def expected(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        # Called by their numbers, no output has the name of a tag.
        outputs = tuple(replace(each, name=_name(n)) for n, each in enumerate(rollup.outputs))
        select, group = _select(replace(rollup, outputs=outputs))
        source = f" FROM {_place(rollup.database, rollup.source)}"
        into = f" INTO {_place(rollup.database, rollup.target)}"
        asked = f"{select.removesuffix(source).removesuffix(into)}{source} WHERE {_when(start, stop)}{group}"
        return self._windows(asked, tags, len(outputs))

    def there(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        counts = ", ".join(f"count({quoted(each.name)}) AS {quoted(_name(n))}" for n, each in enumerate(rollup.outputs))
        groups = ", ".join((f"time({shown(rollup.every)})", *(quoted(each) for each in tags)))
        place = _place(rollup.database, rollup.target)
        asked = f"SELECT {counts} FROM {place} WHERE {_when(start, stop)} GROUP BY {groups} fill(none)"
        return self._windows(asked, tags, len(rollup.outputs))

    def fill(self, rollup: Rollup, tags: Series, stretch: Stretch) -> str:
        select, group = _select(rollup)
        named = stretch.series if tags else None
        only = "" if named is None else f"({' OR '.join(_one(tags, each) for each in named)}) AND "
        return f"{select} WHERE {only}{_when(stretch.start, stretch.stop)}{group}"

    def _windows(self, asked: str, tags: Series, outputs: int) -> Iterator[Window]:
        names = [_name(n) for n in range(outputs)]
        for row in self._ask(asked):
            if any(row.get(each) is not None for each in names):
                yield tuple(str(row.get(each) or "") for each in tags), int(row["time"]) // BILLION


def _select(rollup: Rollup) -> tuple[str, str]:
    """The SELECT of the continuous query, in its very words: up to where its WHERE belongs, and from there on."""
    query = influxql.create_rollup(rollup)
    head = f"CREATE CONTINUOUS QUERY {quoted(rollup.name)} ON {quoted(rollup.database)}"
    statement = query.removeprefix(head).partition(" BEGIN ")[2].removesuffix(" END")
    select, group, rest = statement.rpartition(_GROUP)
    return select, group + rest


def _name(number: int) -> str:
    return f"output {number}"


def _one(tags: Series, series: Series) -> str:
    """A series by its tags; a tag that it has not is an empty one."""
    pairs = zip(tags, series, strict=True)
    return f"({' AND '.join(f'{quoted(name)} = {text(value)}' for name, value in pairs)})"


def _when(start: int, stop: int) -> str:
    return f"time >= {start}s AND time < {stop}s"


def _place(database: str, place: TierPlace) -> str:
    return f"{quoted(database)}.{quoted(place.tier)}.{quoted(place.measurement)}"

"""What backfills ask of InfluxDB 2.x: the script of a task over other times, as it is and up to what it would write."""

from __future__ import annotations

from collections.abc import Iterator

from provision.stores.influx import annotated
from provision.stores.influx.backfill.place import Series, Stretch, Window, read_by
from provision.stores.influx.migrate import flux
from provision.stores.influx.migrate.model import Rollup, TierPlace, shown
from provision.stores.influx.validate.flux import CheckFlux as Checked
from provision.stores.influx.validate.place import Ask, Span
from provision.stores.influx.validate.windows import BILLION

_PIPE = "\n    |> "
_WRITES = f'{_PIPE}set(key: "_measurement"'  # where a pipeline begins to write; no name holds a line break
_FIRST = "1678-01-01T00:00:00Z"


class BackfillFlux:
    """`provision.stores.influx.backfill.place.Words`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def oldest(self, rollup: Rollup) -> int | None:
        fields = " or ".join(f"r._field == {flux.text(each)}" for each in read_by(rollup))
        asked = (
            f"from(bucket: {_bucket(rollup, rollup.source)}) |> range(start: {_FIRST})"
            f" |> filter(fn: (r) => r._measurement == {flux.text(rollup.source.measurement)} and ({fields}))"
            ' |> first() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"]) |> limit(n: 1)'
        )
        found = next(self._ask(asked), None)
        return None if found is None else int(found["time"]) // BILLION

    def tags(self, rollup: Rollup, start: int, stop: int) -> Series:
        if rollup.group_by is not None:
            return rollup.group_by
        source, bounds = rollup.source, (start * BILLION, stop * BILLION)
        return tuple(Checked(self._ask).tags(Span(rollup.database, source.tier, source.measurement, *bounds)))

    def expected(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        source, *made = _script(rollup, Stretch(start, stop, None), tags)
        kept = f"{_PIPE}keep(columns: {_list((*tags, '_time'))})"
        outputs = 0
        for place, each in enumerate(made):
            head, writes, _ = each.partition(_WRITES)
            made[place] = head + (f'{kept}{_PIPE}yield(name: "{outputs}")' if writes else "")
            outputs += bool(writes)
        return self._windows("\n\n".join([source, *made]), tags)

    def there(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        fields = " or ".join(f"r._field == {flux.text(each.name)}" for each in rollup.outputs)
        # No table may hold values of two fields, since their types may differ.
        asked = (
            f"from(bucket: {_bucket(rollup, rollup.target)}) |> {_range(start, stop)}"
            f" |> filter(fn: (r) => r._measurement == {flux.text(rollup.target.measurement)} and ({fields}))"
            f" |> group(columns: {_list(('_field', *tags))})"
            f' |> aggregateWindow(every: {shown(rollup.every)}, fn: count, createEmpty: false, timeSrc: "_start")'
        )
        return self._windows(asked, tags)

    def fill(self, rollup: Rollup, tags: Series, stretch: Stretch) -> str:
        return "\n\n".join(_script(rollup, stretch, tags))

    def _windows(self, asked: str, tags: Series) -> Iterator[Window]:
        for row in self._ask(asked):
            yield tuple(str(row.get(each) or "") for each in tags), int(row["time"]) // BILLION


def _script(rollup: Rollup, stretch: Stretch, tags: Series) -> list[str]:
    """The parts of the task's script in its very words, but for the times and series of its source."""
    _, _, *pipelines = flux.create_rollup(rollup).rstrip("\n").split("\n\n")
    source = (
        f"source = from(bucket: {_bucket(rollup, rollup.source)})"
        f"{_PIPE}{_range(stretch.start, stretch.stop)}"
        f"{_PIPE}filter(fn: (r) => r._measurement == {flux.text(rollup.source.measurement)})"
    )
    if stretch.series is not None and tags:
        source += f"{_PIPE}filter(fn: (r) => {' or '.join(_one(tags, each) for each in stretch.series)})"
    return [source, *pipelines]


def _one(tags: Series, series: Series) -> str:
    """A series by its tags; a tag that it has not is no column."""
    tests = (
        f"r[{flux.text(name)}] == {flux.text(value)}" if value else f"not exists r[{flux.text(name)}]"
        for name, value in zip(tags, series, strict=True)
    )
    return f"({' and '.join(tests)})"


def _range(start: int, stop: int) -> str:
    return f"range(start: {annotated.time(start * BILLION)}, stop: {annotated.time(stop * BILLION)})"


def _bucket(rollup: Rollup, place: TierPlace) -> str:
    return flux.text(flux.bucket(rollup.database, place.tier))


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(flux.text(each) for each in names)}]"

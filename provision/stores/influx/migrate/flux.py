"""What is sent to 2.x for tiers and rollups: calls of its API as people read them, and the Flux of tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from provision.stores.influx.migrate.model import FIRST_TIER, Call, Output, Rollup, Tier, shown

_INDENT = "\n    |> "
_SORTS = {"float": "toFloat()", "integer": "toInt()"}


def bucket(database: str, tier: str) -> str:
    """The name of a tier's bucket, which 2.x itself reads as database and retention policy."""
    return f"{database}/{tier}"


def task(database: str, name: str) -> str:
    """The name of a rollup's task."""
    return f"{database}/{name}"


def retention(duration: int, shard: int) -> list[dict[str, Any]]:
    """The retention rules of a bucket; durations in seconds."""
    return [{"type": "expire", "everySeconds": duration, "shardGroupDurationSeconds": shard}]


def text(value: str) -> str:
    """A value as a string of Flux."""
    return json.dumps(value, ensure_ascii=False).replace("${", "\\${")


def create_database(name: str) -> str:
    return create_tier(Tier.of({"database": name, "name": FIRST_TIER, "duration": "inf", "default": True}))


def drop_database(name: str) -> str:
    return f"DELETE every task, mapping and bucket whose name begins with {name}/"


def create_tier(tier: Tier) -> str:
    made = {"name": bucket(tier.database, tier.name), "retentionRules": retention(tier.duration, tier.shard)}
    mapped = {"database": tier.database, "retention_policy": tier.name, "default": tier.default}
    return f"{_call('POST', 'buckets', made)}\n{_call('POST', 'dbrps', mapped)}"


def alter_tier(database: str, name: str, duration: int | None, shard: int | None, *, default: bool) -> str:
    calls = []
    if duration is not None or shard is not None:
        rule = {"everySeconds": duration, "shardGroupDurationSeconds": shard}
        stated = {key: value for key, value in rule.items() if value is not None}
        calls.append(_call("PATCH", f"buckets/{bucket(database, name)}", {"retentionRules": [stated]}))
    if default:
        calls.append(_call("PATCH", f"dbrps/{bucket(database, name)}", {"default": True}))
    return "\n".join(calls)


def drop_tier(database: str, name: str) -> str:
    return f"DELETE /api/v2/dbrps/{bucket(database, name)}\nDELETE /api/v2/buckets/{bucket(database, name)}"


def drop_rollup(database: str, name: str) -> str:
    return f"DELETE /api/v2/tasks/{task(database, name)}"


def create_rollup(rollup: Rollup) -> str:
    """The script of the task: one pipeline a field, stamped with the start of its window as InfluxQL does."""
    delay = f", offset: {shown(rollup.delay)}" if rollup.delay else ""
    name = text(task(rollup.database, rollup.name))
    source = (
        f"source = from(bucket: {text(bucket(rollup.database, rollup.source.tier))})"
        f"{_INDENT}range(start: -{shown(rollup.span)})"
        f"{_INDENT}filter(fn: (r) => r._measurement == {text(rollup.source.measurement)})"
    )
    head = f"option task = {{name: {name}, every: {shown(rollup.interval)}{delay}}}"
    return "\n\n".join([head, source, *(_pipeline(rollup, each) for each in rollup.outputs)]) + "\n"


def _call(method: str, path: str, body: Mapping[str, Any]) -> str:
    return f"{method} /api/v2/{path} {json.dumps(body, ensure_ascii=False)}"


def _pipeline(rollup: Rollup, output: Output) -> str:
    if output.by is None:
        return _INDENT.join(["source", *_aggregate(rollup, output.call), *_write(rollup, output)])
    sides = (("numerator", output.call), ("denominator", output.by))
    tables = ", ".join(f"{output_name(output, side)}" for side, _ in sides)
    made = [
        _INDENT.join(
            [
                f"{output_name(output, side)} = source",
                *_aggregate(rollup, call),
                "toFloat()",
                f'set(key: "_field", value: "{side}")',
            ]
        )
        for side, call in sides
    ]
    divided = [
        f"union(tables: [{tables}])",
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        "filter(fn: (r) => exists r.numerator and exists r.denominator and r.denominator != 0.0)",
        f"map(fn: (r) => ({{r with _value: {_fraction(output)}}}))",
        'drop(columns: ["numerator", "denominator"])',
    ]
    return "\n\n".join([*made, _INDENT.join([*divided, *_write(rollup, output)])])


def _fraction(output: Output) -> str:
    return "(r.numerator / r.denominator) ^ 0.5" if output.root else "r.numerator / r.denominator"


def output_name(output: Output, side: str) -> str:
    """A name for a side of a division that Flux takes and that no other field has."""
    return (
        "f_"
        + "".join(each if each.isascii() and each.isalnum() else f"_{ord(each):x}_" for each in output.name)
        + (f"_{side}")
    )


def _aggregate(rollup: Rollup, call: Call) -> Iterator[str]:
    yield f"filter(fn: (r) => r._field == {text(call.field)})"
    if call.sort:
        # Before series meet in one table, which holds values of one type only.
        yield _SORTS[call.sort]
    if rollup.group_by is not None:
        # Series that are merged lie one after another: first and last need them in order.
        yield f"group(columns: {_list(rollup.group_by)})"
        yield 'sort(columns: ["_time"])'
    yield (f'aggregateWindow(every: {shown(rollup.every)}, fn: {call.function}, createEmpty: false, timeSrc: "_start")')
    if rollup.group_by is None:
        yield 'drop(columns: ["_start", "_stop"])'
    else:
        # What selects a row keeps its other tags too, and `to` would write them.
        yield f"keep(columns: {_list((*rollup.group_by, '_time', '_value'))})"


def _write(rollup: Rollup, output: Output) -> Iterator[str]:
    yield f'set(key: "_measurement", value: {text(rollup.target.measurement)})'
    yield f'set(key: "_field", value: {text(output.name)})'
    yield f"to(bucket: {text(bucket(rollup.database, rollup.target.tier))})"


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(text(each) for each in names)}]"

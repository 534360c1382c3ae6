"""The InfluxQL of 1.x for tiers and rollups: every name quoted and qualified, every statement by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provision.stores.influx.migrate.model import Call, Output, Rollup, Tier, TierPlace


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text(value: str) -> str:
    """A value as a string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def create_database(name: str) -> str:
    return f"CREATE DATABASE {quoted(name)}"


def drop_database(name: str) -> str:
    return f"DROP DATABASE {quoted(name)}"


def create_tier(tier: Tier) -> str:
    return (
        f"CREATE RETENTION POLICY {_on(tier.database, tier.name)} DURATION {_duration(tier.duration)}"
        f" REPLICATION 1 SHARD DURATION {_shown(tier.shard)}{' DEFAULT' if tier.default else ''}"
    )


def alter_tier(database: str, name: str, duration: int | None, shard: int | None, *, default: bool) -> str:
    """One statement, so that no moment is between a new duration and the shard duration that fits it. In seconds."""
    parts = [f"ALTER RETENTION POLICY {_on(database, name)}"]
    if duration is not None:
        parts.append(f"DURATION {_duration(duration)}")
    if shard is not None:
        parts.append(f"SHARD DURATION {_shown(shard)}")
    return " ".join([*parts, *(["DEFAULT"] if default else [])])


def drop_tier(database: str, name: str) -> str:
    return f"DROP RETENTION POLICY {_on(database, name)}"


def create_rollup(rollup: Rollup) -> str:
    """The continuous query; windows without a point are left out, else every count would write zeros into them."""
    often = f" EVERY {_shown(rollup.runs)}" if rollup.runs else ""
    again = f" RESAMPLE{often} FOR {_shown(rollup.span)}" if rollup.span > rollup.every else ""
    listed = ", ".join(f"{_output(each)} AS {quoted(each.name)}" for each in rollup.outputs)
    tags = "*" if rollup.group_by is None else ", ".join(quoted(each) for each in rollup.group_by)
    return (
        f"CREATE CONTINUOUS QUERY {_on(rollup.database, rollup.name)}{again} BEGIN SELECT {listed}"
        f" INTO {_place(rollup.database, rollup.target)} FROM {_place(rollup.database, rollup.source)}"
        f" GROUP BY time({_shown(rollup.every)}){f', {tags}' if tags else ''} fill(none) END"
    )


def drop_rollup(database: str, name: str) -> str:
    return f"DROP CONTINUOUS QUERY {_on(database, name)}"


def _on(database: str, name: str) -> str:
    return f"{quoted(name)} ON {quoted(database)}"


def _duration(duration: int) -> str:
    return _shown(duration) if duration else "INF"


def _place(database: str, place: TierPlace) -> str:
    return f"{quoted(database)}.{quoted(place.tier)}.{quoted(place.measurement)}"


def _output(output: Output) -> str:
    fraction = _call(output.call) + (f" / {_call(output.by)}" if output.by else "")
    return f"sqrt({fraction})" if output.root else fraction


def _call(call: Call) -> str:
    return f"{call.function}({quoted(call.field)}{f'::{call.sort}' if call.sort else ''})"


def _shown(duration: int) -> str:
    from provision.stores.influx.migrate.model import shown  # those who only ask have no tiers

    return shown(duration)

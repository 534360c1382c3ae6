"""What pg_partman's own table says of the sets that it keeps: the same columns in 4.7 and in 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from provision.errors import ConfigError
from provision.model.partitions import Interval, KeptSet, OnRetire, Unit
from provision.stores.postgres.partitions.partman import extension
from provision.stores.postgres.server import Connection

# An interval in its three parts, which do not add up: months, days, seconds.
_PARTS = """
(extract(year from {0}) * 12 + extract(month from {0}))::int, extract(day from {0})::int,
(extract(hour from {0}) * 3600 + extract(minute from {0}) * 60 + extract(second from {0}))::int
"""
_SETS = """
select p.parent_table, p.control, p.partition_type, p.epoch, p.premake, p.retention_keep_table, p.retention_schema,
    exists (select from {schema}.part_config_sub s where s.sub_parent = p.parent_table), p.retention is not null,
    c.oid is not null and c.relkind = 'p', c.oid is not null and pg_table_is_visible(c.oid),
    array[{interval}], array[{retention}]
from {schema}.part_config p
left join pg_namespace n on n.nspname = split_part(p.parent_table, '.', 1)
left join pg_class c on c.relnamespace = n.oid and c.relname = split_part(p.parent_table, '.', 2)
cross join lateral (select case when p.partition_interval ~ '^[0-9]+$' then interval '0'
    else p.partition_interval::interval end as i,
    case when p.retention !~ '^[0-9]+$' then p.retention::interval end as r) l
order by p.parent_table
"""


def kept_sets(connection: Connection, store: str) -> Sequence[KeptSet]:
    """Raises ConfigError (extension-missing, not-allowed)."""
    there = extension(connection)
    if there is None:
        fix = "name another store, or write partitions/*.yaml by hand (`provision docs partitions`)"
        raise ConfigError("extension-missing", f"{store} has no pg_partman", where=store, fix=fix)
    query = _SETS.format(schema=there.schema, interval=_PARTS.format("l.i"), retention=_PARTS.format("l.r"))
    try:
        return [_kept(*row) for row in connection.execute(query.encode()).fetchall()]
    except psycopg.errors.InsufficientPrivilege as error:
        what = f"pg_partman's configuration cannot be read: {error.diag.message_primary}"
        fix = f"GRANT USAGE ON SCHEMA {there.schema}, and SELECT on its tables, to {connection.info.user}"
        raise ConfigError("not-allowed", what, where=store, fix=fix) from None


def _kept(
    parent: str, column: str, kind: str, epoch: str, premake: int, keeps: bool, schema: str | None, parted: bool,
    retained: bool, partitioned: bool, visible: bool, parts: Any, retention: Any,
) -> KeptSet:  # fmt: skip
    length, retain = _length(*parts), _length(*retention) if retained else None
    against = ""
    if not partitioned:
        against = "there is no partitioned table of that name"
    elif kind not in ("native", "range"):
        against = f"it is partitioned by {kind}"
    elif epoch != "none" or length is None:
        against = "it is not partitioned by hours, days, weeks, months, quarters or years"
    elif parted:
        against = "its windows are partitioned themselves"
    elif retained and retain is None:
        against = "its retention is no whole number of one unit"
    target = schema or ""
    on_retire = OnRetire.MOVE if target else OnRetire.DETACH if keeps else OnRetire.DROP
    table = parent.split(".", 1)[1] if visible else parent
    return KeptSet(table, column, length, premake, retain, on_retire, target, against)


def _length(months: int | None, days: int | None, seconds: int | None) -> Interval | None:
    """In the largest unit that there is a whole number of."""
    given = [each or 0 for each in (months, days, seconds)]
    if len([each for each in given if each]) != 1:
        return None
    for amount, units in zip(given, _UNITS, strict=True):
        for size, unit in units:
            if amount > 0 and amount % size == 0:
                return Interval(amount // size, unit)
    return None


_UNITS = (
    ((12, Unit.YEAR), (3, Unit.QUARTER), (1, Unit.MONTH)),
    ((7, Unit.WEEK), (1, Unit.DAY)),
    ((3600, Unit.HOUR),),
)

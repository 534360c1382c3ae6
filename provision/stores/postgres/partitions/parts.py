"""Windows that are divided themselves, by hash or list of one more column (`sub`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg.sql import Identifier, Literal

from provision.errors import ConfigError
from provision.model.partitions import REST, PartitionSet, Sub, SubBy
from provision.partitions.calendar import part_name
from provision.stores.postgres.server import Connection

_UNIQUE = """
select i.indexrelid::regclass::text from pg_index i
where i.indrelid = %(table)s and i.indisunique and not exists (
    select from unnest(i.indkey::int2[]) with ordinality k(number, place) join pg_attribute a
        on a.attrelid = i.indrelid and a.attnum = k.number
    where a.attname = %(column)s and k.place <= i.indnkeyatts)
order by 1
"""
_COLUMN = "select from pg_attribute where attrelid = %s and attname = %s and attnum > 0 and not attisdropped"
# Of those by hash: whose parts together do not take every remainder.
_LACKING = """
select i.inhparent, c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
join pg_partitioned_table p on p.partrelid = c.oid
where i.inhparent = any(string_to_array(%s, ',')::oid[]) and coalesce((
    select case p.partstrat when 'h'
        then sum(1.0 / substring(pg_get_expr(b.relpartbound, 0) from 'modulus ([0-9]+)')::int) else count(*) end
    from pg_inherits k join pg_class b on b.oid = k.inhrelid where k.inhparent = c.oid), 0) < 0.999
order by 1, 2
"""


# PostgreSQL's version from which an attached window gets the identity columns of its table, and its parts do not: it
# could never be detached again. Parts that are made once it is attached have them.
_IDENTITY = 170000
_HAS_IDENTITY = "select from pg_attribute where attrelid = %s::regclass and attidentity <> '' and not attisdropped"


class Divider:
    """Makes the parts of new windows of the table at `place`, which is called `table`."""

    def __init__(self, connection: Connection, sub: Sub, place: str, table: str, schema: str) -> None:
        self._connection, self._sub, self._table, self._schema = connection, sub, table, schema
        asked = connection.info.server_version >= _IDENTITY
        self.late = asked and connection.execute(_HAS_IDENTITY, (place,)).fetchone() is not None
        """Whether the parts must be made once the window is attached."""

    @property
    def clause(self) -> str:
        """What follows the columns of a new window."""
        return f" partition by {self._sub.by} ({Identifier(self._sub.column).as_string(self._connection)})"

    @property
    def count(self) -> int:
        return self._sub.parts or len(self._sub.values) + 1

    def statements(self, window: str, place: str) -> Iterator[str]:
        """Those that make the parts of a window."""
        for part, taken in self._parts():
            name = Identifier(part_name(self._table, window, part)).as_string(self._connection)
            yield f"create table {self._schema}.{name} partition of {place} {taken}"

    def _parts(self) -> Iterator[tuple[str, str]]:
        if self._sub.by is SubBy.HASH:
            for number in range(self._sub.parts):
                yield (
                    f"{number:0{len(str(self._sub.parts - 1))}}",
                    (f"for values with (modulus {self._sub.parts}, remainder {number})"),
                )
            return
        for name, values in self._sub.values:
            listed = ", ".join(Literal(each).as_string(self._connection) for each in values)
            yield name, f"for values in ({listed})"
        yield REST, "default"


def refused(connection: Connection, wanted: PartitionSet, table: int) -> ConfigError | None:
    """Why windows of the table cannot be divided as its set says."""
    if wanted.sub is None:
        return None
    column = wanted.sub.column
    if connection.execute(_COLUMN, (table, column)).fetchone() is None:
        what, fix = f"{wanted.table} has no column {column}", "correct the name"
    elif without := [row[0] for row in connection.execute(_UNIQUE, {"table": table, "column": column}).fetchall()]:
        what = f"{', '.join(without)} is unique without {column}, by which windows of {wanted.table} are divided"
        fix = f"let a migration make it with {column}, or name a column that it has"
    else:
        return None
    line, place = wanted.places.get(("sub",), (1, 1))
    return ConfigError("wrong-table", what, where=f"{wanted.shown}:{line}:{place}", fix=fix)


def lacking(connection: Connection, tables: Sequence[int]) -> dict[int, str]:
    """Of tables: what is wrong with windows that are divided and do not take every row of their time."""
    found: dict[int, list[str]] = {}
    for table, name in connection.execute(_LACKING, (",".join(map(str, tables)),)).fetchall():
        found.setdefault(table, []).append(name)
    return {table: f"has a window that lacks parts: {', '.join(names)}" for table, names in found.items()}

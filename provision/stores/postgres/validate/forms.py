"""How columns of PostgreSQL are written and ordered so that another store can compare them; knows no connection.

The texts hold under the settings of `SETTINGS`, whatever those of the server, the database or the role are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from provision.model.comparable import (
    ARRAY,
    BOOLEAN,
    BY_BYTES,
    BY_FORM,
    BY_MOMENT,
    BY_NUMBER,
    BY_UUID,
    BYTES,
    DATE,
    DECIMAL,
    FLOAT,
    INTEGER,
    JSON,
    MOMENT,
    NOTHING,
    ROUNDED,
    TEXT,
    UUID,
    ComparableColumn,
    ComparableTable,
    Key,
)
from provision.stores.postgres.validate.sql import literal, name

# What a value looks like as text, and that a transaction which waits for another store is not ended.
SETTINGS = (
    "client_encoding = 'UTF8'",  # statements are sent in it
    "datestyle = 'ISO, YMD'",
    "timezone = 'UTC'",
    "intervalstyle = 'postgres'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
    "idle_in_transaction_session_timeout = 0",
)
OWN = "postgres:"
# Quicker than MD5; of the bytes of a text, so only where these are UTF-8.
CHECKSUM = "postgres"
COLUMNS = """
with recursive based as (
    select attname, attnum, attnotnull, attcollation, atttypid as type, format_type(atttypid, atttypmod) as declared
    from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
    union all
    select attname, attnum, attnotnull, attcollation, typbasetype, declared from based
    join pg_type on pg_type.oid = type where typtype = 'd'
)
select attname, declared, format_type(type, null), typtype, attnotnull, typelem <> 0 and typlen = -1,
    (select typtype from pg_type each where each.oid = kept.typelem),
    case when collname = 'default'
    then coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', datcollate)
    else coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', collcollate) end,
    case when collname = 'default' then coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') else collprovider::text end,
    coalesce(collisdeterministic, true), attcollation::regcollation::text
from based join pg_type kept on kept.oid = type and typtype <> 'd'
left join pg_collation c on c.oid = attcollation
left join pg_database d on d.datname = current_database()
order by attnum
"""
_INTEGERS = frozenset({"smallint", "integer", "bigint", "oid"})
_FLOATS = frozenset({"real", "double precision"})
_DECIMALS = frozenset({"numeric", "money"})
_TEXTS = frozenset({"text", "character varying", "character", "name", '"char"', "citext"})
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_JSON = frozenset({"json", "jsonb"})
_NUMERAL = re.compile(r"-?\d+(\.\d+)?")
_BYTE_ORDER = frozenset({"C", "POSIX", "C.UTF-8"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column as pg_attribute has it; `base` is its type below any domain, `locale` what its texts are ordered by."""

    name: str
    declared: str
    base: str
    enum: bool
    not_null: bool
    array: bool
    locale: str = ""
    deterministic: bool = True
    collation: str = ""

    @classmethod
    def of(cls, row: Sequence[object]) -> Column:
        name_, declared, base, kind, not_null, array, element, locale, provider, deterministic, collation = row
        enum = (element if array else kind) == "e"
        where = f"{provider}:{locale}" if locale else ""
        flags = bool(not_null), bool(array), where, bool(deterministic)
        return cls(str(name_), str(declared), str(base), enum, *flags, str(collation))

    @property
    def bytewise(self) -> bool:
        """Whether its own order is that of the bytes."""
        provider, _, locale = self.locale.partition(":")
        return provider in ("b", "c") and locale in _BYTE_ORDER and (provider == "b" or locale != "C.UTF-8")


def described(column: Column, sheet: ComparableTable) -> ComparableColumn:
    """The forms and orders of a column, the best first."""
    return ComparableColumn(column.declared, tuple(_forms(column, sheet)), tuple(_orders(column)))


def _forms(column: Column, sheet: ComparableTable) -> list[str]:
    if not column.array:
        return _of_type(column.base, column.enum, sheet)
    element = _of_type(column.base.removesuffix("[]"), column.enum, sheet)
    own = [] if column.base.removesuffix("[]") in _DECIMALS else [f"{OWN}{column.base}"]
    rounded = sheet.places is not None or sheet.time_places is not None
    own = [] if rounded and any(each in (ROUNDED, MOMENT) for each in element) else own
    return [*own, *(ARRAY + each for each in element if not each.startswith(OWN) and each != JSON)]


def _of_type(base: str, enum: bool, sheet: ComparableTable) -> list[str]:
    rounded = [] if sheet.places is None else [ROUNDED]
    if base in _INTEGERS:
        return [INTEGER, DECIMAL, *rounded]
    if base in _DECIMALS:
        return rounded or [DECIMAL]
    if base in _FLOATS:
        return rounded or [f"{OWN}double precision", FLOAT]
    if base in _MOMENTS:
        return [f"{OWN}{base}", MOMENT] if sheet.time_places is None else [MOMENT]
    if enum or base.rpartition(".")[2] in _TEXTS:
        return [TEXT]
    named = {"boolean": [BOOLEAN, INTEGER], "uuid": [UUID, TEXT], "date": [DATE, MOMENT], "bytea": [BYTES]}
    return named.get(base) or ([JSON] if base in _JSON else [f"{OWN}{base}"])


def _orders(column: Column) -> list[str]:
    if column.array or column.enum:
        return [BY_FORM]
    if column.base in _INTEGERS or column.base == "numeric":
        return [BY_NUMBER, BY_FORM]
    if column.base in _MOMENTS or column.base == "date":
        return [BY_MOMENT, BY_FORM]
    if column.base == "uuid":
        return [BY_UUID, BY_FORM]
    if column.base in ("text", "character varying"):
        own = [] if column.bytewise or not column.deterministic else [f"{OWN}{column.locale}"]
        return [*own, BY_BYTES, BY_FORM]
    return [BY_FORM]


def _float(value: str, sheet: ComparableTable) -> str:
    special = f"{value}::float8 in ('NaN', 'Infinity', '-Infinity')"
    text = f"{value}::float8::text"
    return f"case when {special} then {text} else trim_scale(round({text}::numeric, {sheet.places}))::text end"


def _moment(value: str, column: Column, sheet: ComparableTable) -> str:
    at = f"{value}::timestamp" if column.base.startswith("date") else value
    micros = f"round(extract(epoch from {at}) * 1000000)::bigint"
    if sheet.time_places is not None and sheet.time_places < 6:
        micros = f"floor({micros} / {10 ** (6 - sheet.time_places)}::numeric)"
    return f"case when isfinite({value}) then {micros}::text else {value}::text end"


def _rounded(value: str, column: Column, sheet: ComparableTable) -> str:
    base = column.base.removesuffix("[]")
    if base in _FLOATS:
        return _float(value, sheet)
    return f"{value}::text" if base in _INTEGERS else f"trim_scale(round({value}::numeric, {sheet.places}))::text"


_Write = Callable[[str, Column, ComparableTable], str]
_WRITTEN: Mapping[str, _Write] = {
    INTEGER: lambda value, column, _: f"{value}::int::text" if column.base == "boolean" else f"{value}::text",
    DECIMAL: lambda value, column, _: (
        f"{value}::text" if column.base.removesuffix("[]") in _INTEGERS else f"trim_scale({value}::numeric)::text"
    ),
    ROUNDED: _rounded,
    FLOAT: lambda value, *_: (
        f"case when {value} = 'NaN' then 'NaN' else upper(encode(float8send({value}::float8), 'hex')) end"
    ),
    BOOLEAN: lambda value, *_: f"{value}::int::text",
    BYTES: lambda value, *_: f"upper(encode({value}, 'hex'))",
    MOMENT: _moment,
    JSON: lambda value, *_: f"{value}::jsonb::text",
    f"{OWN}double precision": lambda value, *_: f"{value}::float8::text",
    f"{OWN}real[]": lambda value, *_: f"{value}::float8[]::text",
}


def written(column: Column, form: str, sheet: ComparableTable) -> str:
    """The value as text in that form; NULL for a NULL."""
    value = name(column.name)
    if form.startswith(ARRAY):
        return _elements(value, column, form.removeprefix(ARRAY), sheet)
    return _in(form, value, column, sheet)


def _in(form: str, value: str, column: Column, sheet: ComparableTable) -> str:
    return _WRITTEN[form](value, column, sheet) if form in _WRITTEN else f"{value}::text"


def _elements(value: str, column: Column, form: str, sheet: ComparableTable) -> str:
    """An array of one dimension that begins at 1 as others write theirs; any other begins with its bounds."""
    element = _in(form, "each", column, sheet)
    return (
        f"case when array_ndims({value}) > 1 or array_lower({value}, 1) <> 1 then array_dims({value}) else '' end"
        f" || cardinality({value}) || '[' || coalesce((select string_agg({prefixed(element, sheet)}, ',' order by n)"
        f" from unnest({value}) with ordinality as listed(each, n)), '') || ']'"
    )


def prefixed(text: str, sheet: ComparableTable) -> str:
    """A text with its length in bytes before it, so that no two lists of texts are strung together alike."""
    encoded = text if sheet.checksum == CHECKSUM else f"convert_to({text}, 'UTF8')"
    return f"coalesce(octet_length({encoded}) || ':' || {text}, {literal(NOTHING)})"


def checksum(columns: Iterable[tuple[Column, str]], sheet: ComparableTable) -> str:
    """The checksum of a row as a bigint."""
    text = _line(columns, sheet)
    if sheet.checksum == CHECKSUM:
        return f"hashtextextended({text}, 0)"
    return f"('x' || right(md5(convert_to({text}, 'UTF8')), 15))::bit(60)::bigint"


def _line(columns: Iterable[tuple[Column, str]], sheet: ComparableTable) -> str:
    """The columns as one text that no other values give."""
    parts = [_part(column, form, sheet) for column, form in columns]
    return f'({" || chr(31) || ".join(parts) or literal("")}) collate "C"'


def _part(column: Column, form: str, sheet: ComparableTable) -> str:
    text = written(column, form, sheet)
    if form in (TEXT, JSON) or (form.startswith(OWN) and column.base not in _MOMENTS | _FLOATS):
        return prefixed(text, sheet)
    return text if column.not_null else f"coalesce({text}, {literal(NOTHING)})"


def ordered(column: Column, form: str, order: str, sheet: ComparableTable) -> str:
    """What a key column is ordered by; bare where its index has that order."""
    if order == BY_FORM:
        return f'({written(column, form, sheet)}) collate "C"'
    return name(column.name) + (' collate "C"' if order == BY_BYTES and not column.bytewise else "")


def sorted_among(column: Column, form: str, order: str, sheet: ComparableTable, cuts: Sequence[str]) -> list[str]:
    """A key column, and after it cuts of its values, all of one type and collation, as an array of rows needs them."""
    value = f"({written(column, form, sheet)})" if order == BY_FORM else name(column.name)
    kind = _kind(column, order, cuts)
    collation = column.collation if order.startswith(OWN) else '"C"'
    cast = f"::{kind} collate {collation}" if kind == "text" else f"::{kind}"
    return [f"{each}{cast}" for each in (value, *map(literal, cuts))]


def spelled(column: Column, form: str, order: str, sheet: ComparableTable) -> str:
    """A key column as the text that `bound` reads, here and in another store."""
    return written(column, form, sheet) if order == BY_FORM else f"{name(column.name)}::text"


def _kind(column: Column, order: str, cuts: Sequence[str]) -> str:
    """The type that keys are compared in when they are held against an array of cuts."""
    if order == BY_NUMBER:
        whole = column.base in _INTEGERS and all(re.fullmatch(r"-?\d{1,18}", each) for each in cuts)
        return "bigint" if whole else "numeric"
    return column.base if order in (BY_MOMENT, BY_UUID) else "text"


def bound(text: str, column: Column, order: str) -> str:
    """A key as the server reads it; numbers so that an index of any integer type serves."""
    if order == BY_NUMBER:
        return text if _NUMERAL.fullmatch(text) else f"{literal(text)}::numeric"
    return f"{literal(text)}::{column.base if order in (BY_MOMENT, BY_UUID) else 'text'}"


def tuple_of(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def bounds(key: Key, columns: Sequence[Column], orders: Sequence[str]) -> str:
    return tuple_of([bound(*each) for each in zip(key, columns, orders, strict=True)])

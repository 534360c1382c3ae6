"""How columns of ClickHouse are written and ordered so that another store can compare them; knows no connection."""

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
from provision.stores.clickhouse.validate.sql import literal, name, plain_type

OWN = "clickhouse:"
CHECKSUM = "clickhouse"  # quicker than MD5
# The last 15 hexadecimal digits of an MD5: what PostgreSQL can turn into a number too.
_MD5 = "bitAnd(reinterpretAsUInt64(reverse(substring(MD5({0}), 9, 8))), 0x0FFFFFFFFFFFFFFF)"
_LIST = re.compile(r"Array\((.*)\)")
_INTEGER = re.compile(r"U?Int\d+")
_FLOAT = re.compile(r"B?Float\d+")
_DECIMAL = re.compile(r"Decimal.*")
_MOMENT = re.compile(r"DateTime.*")
_FIXED = re.compile(r"FixedString\(\d+\)")
_ENUM = re.compile(r"Enum.*", re.DOTALL)
# What has no text of its own, or the same one for different values.
_NEVER = re.compile(r"(Simple)?AggregateFunction.*|Variant.*|Dynamic.*|Nothing", re.DOTALL)
_AT = re.compile(r"(\d{4,})-(\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d{1,6})?))?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as DESCRIBE has it; `base` is its type without Nullable and LowCardinality."""

    name: str
    declared: str

    @property
    def base(self) -> str:
        return plain_type(self.declared)

    @property
    def nullable(self) -> bool:
        return "Nullable(" in self.declared.partition("Array(")[0]


def described(column: Column, sheet: ComparableTable) -> ComparableColumn:
    """The forms and orders of a column, the best first."""
    return ComparableColumn(column.declared, tuple(_forms(column.base, sheet)), tuple(_orders(column.base)))


def _forms(base: str, sheet: ComparableTable) -> list[str]:
    if found := _LIST.fullmatch(base):
        return [ARRAY + each for each in _forms(plain_type(found[1]), sheet) if each != JSON]
    rounded = [] if sheet.places is None else [ROUNDED]
    for pattern, forms in (
        (_INTEGER, [INTEGER, DECIMAL, *rounded]),
        (_DECIMAL, rounded or [DECIMAL]),
        (_FLOAT, rounded or [FLOAT]),
        (_MOMENT, [MOMENT]),
        (_FIXED, [f"{OWN}{base}", TEXT, BYTES]),
        (_ENUM, [TEXT]),
        (_NEVER, []),
    ):
        if pattern.fullmatch(base):
            return forms
    named = {
        "Bool": [BOOLEAN, INTEGER],
        "String": [TEXT, BYTES, JSON],
        "UUID": [UUID, TEXT],
        "Date": [DATE, MOMENT],
        "Date32": [DATE, MOMENT],
    }
    return named.get(base) or [f"{OWN}{base}", *([JSON] if base.startswith("JSON") else [])]


def _orders(base: str) -> list[str]:
    if _INTEGER.fullmatch(base) or _DECIMAL.fullmatch(base):
        return [BY_NUMBER, BY_FORM]
    if _MOMENT.fullmatch(base) or base in ("Date", "Date32"):
        return [BY_MOMENT, BY_FORM]
    # A server orders UUIDs by their second half first: that is no other store's order.
    named = {"UUID": [f"{OWN}UUID", BY_UUID, BY_FORM], "String": [BY_BYTES, BY_FORM]}
    return named.get(base, [BY_FORM])


def _float(value: str, sheet: ComparableTable) -> str:
    """A float as decimal digits, however large: its shortest text, which from 1e21 on has an exponent, written out."""
    parts = f"splitByChar('e', toString({value}))"
    digits = f"replaceOne({parts}[1], '.', '')"
    zeros = f"toInt64OrZero({parts}[2]) + 1 - length(replaceOne({digits}, '-', ''))"
    small = f"toDecimal256OrZero(if(abs({value}) < 1e16, toString({value}), '0'), 40)"
    return (
        f"multiIf(isNaN({value}), 'NaN', isInfinite({value}), if({value} > 0, 'Infinity', '-Infinity'),"
        f" abs({value}) < 1e16, toString(round({small}, {sheet.places})),"
        f" abs({value}) < 1e21, toString({value}),"
        f" concat({digits}, repeat('0', toUInt64(greatest({zeros}, 0)))))"
    )


def _rounded(value: str, base: str, sheet: ComparableTable) -> str:
    if _FLOAT.fullmatch(base):
        return _float(f"toFloat64({value})", sheet)
    return f"toString({value})" if _INTEGER.fullmatch(base) else f"toString(round({value}, {sheet.places}))"


def _moment(value: str, base: str, sheet: ComparableTable) -> str:
    found = re.match(r"DateTime64\((\d)", base)
    if sheet.time_places is None and found and int(found[1]) > 6:
        nanos = f"toUnixTimestamp64Nano(toDateTime64({value}, 9, 'UTC'))"
        rest = f"positiveModulo({nanos}, 1000)"
        whole = f"toString(intDiv({nanos} - {rest}, 1000))"
        return f"concat({whole}, if({rest} = 0, '', concat('.', leftPad(toString({rest}), 3, '0'))))"
    micros = f"toUnixTimestamp64Micro(toDateTime64({value}, 6, 'UTC'))"
    if sheet.time_places is None or sheet.time_places >= 6:
        return f"toString({micros})"
    unit = 10 ** (6 - sheet.time_places)
    return f"toString(intDiv({micros} - positiveModulo({micros}, {unit}), {unit}))"


_Write = Callable[[str, str, ComparableTable], str]
_WRITTEN: Mapping[str, _Write] = {
    INTEGER: lambda value, base, _: f"toString(toUInt8({value}))" if base == "Bool" else f"toString({value})",
    ROUNDED: _rounded,
    FLOAT: lambda value, *_: (
        f"if(isNaN({value}), 'NaN', leftPad(hex(reinterpretAsUInt64(toFloat64({value}))), 16, '0'))"
    ),
    BOOLEAN: lambda value, *_: f"toString(toUInt8({value}))",
    BYTES: lambda value, *_: f"hex({value})",
    MOMENT: _moment,
}


def written(column: Column, form: str, sheet: ComparableTable) -> str:
    """The value as text in that form; NULL for a NULL."""
    value = name(column.name)
    if not form.startswith(ARRAY):
        return _in(form, value, column.base, sheet)
    element = _in(form.removeprefix(ARRAY), "each", plain_type(column.base[len("Array(") : -1]), sheet)
    listed = f"arrayStringConcat(arrayMap(each -> {prefixed(element)}, {value}), ',')"
    return f"concat(toString(length({value})), '[', {listed}, ']')"


def _in(form: str, value: str, base: str, sheet: ComparableTable) -> str:
    if form == f"{OWN}{base}" and _FIXED.fullmatch(base):
        return f"hex({value})"
    return _WRITTEN[form](value, base, sheet) if form in _WRITTEN else f"toString({value})"


def prefixed(text: str) -> str:
    """A text with its length in bytes before it, so that no two lists of texts are strung together alike."""
    return f"ifNull(concat(toString(length({text})), ':', {text}), {literal(NOTHING)})"


def shown(column: Column, form: str, sheet: ComparableTable) -> str:
    """As `written`, for a driver that reads texts: bytes that are none are shown as � and hexadecimal digits."""
    text = written(column, form, sheet)
    return f"if(isValidUTF8({text}), {text}, concat('\ufffd', hex({text})))" if form in (TEXT, JSON) else text


def checksum(columns: Iterable[tuple[Column, str]], sheet: ComparableTable) -> str:
    """The checksum of a row as an UInt64."""
    parts = [_part(column, form, sheet) for column, form in columns]
    text = f"concat({', char(31), '.join(parts)}, '')" if parts else literal("")
    return f"sipHash64({text})" if sheet.checksum == CHECKSUM else _MD5.format(text)


def _part(column: Column, form: str, sheet: ComparableTable) -> str:
    text = written(column, form, sheet)
    if form in (TEXT, JSON) or form.startswith(OWN):
        return prefixed(text)
    return f"ifNull({text}, {literal(NOTHING)})" if column.nullable else text


def ordered(column: Column, form: str, order: str, sheet: ComparableTable) -> str:
    """What a key column is ordered by; bare where the sorting key of the table may serve."""
    if order == BY_FORM:
        return written(column, form, sheet)
    return f"UUIDToNum({name(column.name)})" if order == BY_UUID else name(column.name)


def spelled(column: Column, form: str, order: str, sheet: ComparableTable) -> str:
    """A key column as the text that `bound` reads, here and in another store."""
    if order == BY_FORM:
        return written(column, form, sheet)
    value = name(column.name)
    return f"toString(toDateTime64({value}, 6, 'UTC'))" if order == BY_MOMENT else f"toString({value})"


def bound(text: str, order: str) -> str:
    """A key as the server reads it. Raises nothing: a number or moment that it does not have is cut to one it has."""
    if order == BY_NUMBER:
        return _number(text)
    if order == BY_MOMENT:
        return _at(text)
    if order in (BY_UUID, f"{OWN}UUID"):
        return f"UUIDToNum(toUUID({literal(text)}))" if order == BY_UUID else f"toUUID({literal(text)})"
    return literal(text)


def _number(text: str) -> str:
    whole, _, decimals = text.partition(".")
    if re.fullmatch(r"-?\d{1,18}", text):
        return text
    if re.fullmatch(r"-?\d{1,75}", text):
        return f"toInt256({literal(text)})"
    if re.fullmatch(r"-?\d{1,40}", whole):
        return f"toDecimal256({literal(f'{whole}.{decimals[:35]}')}, 35)"
    return f"toInt256('{'-' if text.startswith('-') else ''}{10**75}')"


def _at(text: str) -> str:
    found = _AT.match(text)
    year = 0 if found is None or text.endswith("BC") else int(found[1])
    at = f"{year}-{found[2]} {found[3] or '00:00:00'}" if found else ""
    # Infinity too: beyond what the type has, all keys lie at one of its ends.
    if year > 2299 or text == "infinity":
        at = "2299-12-31 23:59:59.999999"
    elif year < 1900:
        at = "1900-01-01 00:00:00"
    return f"toDateTime64('{at}', 6, 'UTC')"


def tuple_of(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def bounds(key: Key, orders: Sequence[str]) -> str:
    return tuple_of([bound(*each) for each in zip(key, orders, strict=True)])

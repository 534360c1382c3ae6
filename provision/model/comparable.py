"""The nouns of comparing tables of two stores: how a column is written, by what a key is ordered, what a span holds.

A *form* is a way to write a value as text so that equal values, and only those, have equal texts, in every store that
offers it. A form that only one kind of store has begins with its name and `:`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

INTEGER = "integer"  # 42
DECIMAL = "decimal"  # no zeros at the end: 1.5
ROUNDED = "rounded"  # as DECIMAL, to the `places` of the table, halves away from zero
FLOAT = "float"  # the 64 bits as hexadecimal digits; NaN
BOOLEAN = "boolean"  # 0, 1
TEXT = "text"
BYTES = "bytes"  # hexadecimal digits
UUID = "uuid"  # in lower case
DATE = "date"  # 2026-01-02
MOMENT = "moment"  # microseconds since 1970 in UTC, with decimals where there are finer ones; or whole `time_places`
JSON = "json"  # as the store writes it; `provision.validate.written.canonical` makes equal documents equal texts
ARRAY = "array of "  # before the form of its elements: 2[1:a,~], each element with its length in bytes
NOTHING = "~"  # a NULL where texts are strung together: every encoding has it, and no form begins with it

# Orders of keys: both stores sort equal keys alike. Numbers and moments as such, texts and UUIDs by their bytes.
BY_NUMBER, BY_MOMENT, BY_UUID, BY_BYTES = "number", "moment", "uuid", "bytes"
BY_FORM = "form"  # by the bytes of the form, which every column has, and no index

MD5 = "md5"  # the checksum that every store has


@dataclass(frozen=True, slots=True)
class ComparableColumn:
    """What a column can be compared as: `forms` and `orders`, best first; `kind` is its type in the store's words."""

    kind: str
    forms: tuple[str, ...]
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparable:
    """The columns of a table in the order that was asked for, and the checksums that the store can make, best first."""

    columns: tuple[ComparableColumn, ...]
    checksums: tuple[str, ...] = (MD5,)


@dataclass(frozen=True, slots=True)
class ComparableTable:
    """Columns of a table as another store can compare them: `forms` says how each is written.

    The first `key` columns name a row; `orders` says by what each of them is ordered. `places` are the decimals of
    numbers, `time_places` those of a second that count; None: all of them.
    """

    table: str
    columns: tuple[str, ...]
    forms: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    key: int = 1
    checksum: str = MD5
    places: int | None = None
    time_places: int | None = None
    time: str | None = None
    tenant: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)


Key = tuple[str, ...]
Values = tuple[str | None, ...]


class ComparedRow(NamedTuple):
    """A row: the checksum of its columns but those of JSON, and every column in its form."""

    checksum: str
    values: Values


@dataclass(frozen=True, slots=True)
class Span:
    """The rows from the key `low` to before the key `high`; None: open. `keyless`: those with a NULL in their key."""

    low: Key | None = None
    high: Key | None = None
    keyless: bool = False

    @property
    def whole(self) -> bool:
        return self.low is None and self.high is None and not self.keyless


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows a span holds, and the sum of their checksums."""

    rows: int = 0
    checksum: int = 0

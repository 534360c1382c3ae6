"""The statements of a backfill in PostgreSQL; knows no connection. A user's own SQL stays on lines of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provision.model.backfills import Backfill
from provision.stores.postgres.validate.sql import literal, name, table_name

PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a backfill's statements are made of; `types` are those of the key's columns."""

    table: str
    key: tuple[str, ...]
    types: tuple[str, ...]
    where: str
    assigned: Mapping[str, str]
    columns: tuple[str, ...] = ()

    @property
    def keys(self) -> str:
        return ", ".join(name(each) for each in self.key)

    @property
    def texts(self) -> str:
        """The key's columns as text, by names of their own: `order by` means a result's column before a table's."""
        return ", ".join(f"{name(each)}::text as provision_key_{n}" for n, each in enumerate(self.key))

    def row(self, values: Sequence[str]) -> str:
        """A key's values as a row of the key's own types."""
        return ", ".join(f"{literal(text)}::{kind}" for text, kind in zip(values, self.types, strict=True))

    def window(self, after: Sequence[str] | None, to: Sequence[str] | None) -> list[str]:
        low = [f"({self.keys}) > ({self.row(after)})"] if after is not None else []
        return low + ([f"({self.keys}) <= ({self.row(to)})"] if to is not None else [])

    def boundary(self, after: Sequence[str] | None, to: Sequence[str] | None, rows: int) -> str:
        """The query of the key that so many rows end with; no row where there are fewer."""
        window = _where(self.window(after, to))
        return f"select {self.texts} from {self.table}{window} order by {self.keys} offset {rows - 1} limit 1"

    def among(self, keys: Sequence[Sequence[str]]) -> str:
        listed = ", ".join(f"({self.row(each)})" for each in keys)
        return f"({self.keys}) in ({listed})"

    def update(self, conditions: Sequence[str], look: bool = False) -> str:
        """Answers of each row whether it is `settled`: with `look`, whether it wants filling no more."""
        assigned = ", ".join(f"{name(column)} = (\n{text}\n)" for column, text in self.assigned.items())
        settled = f"{self.wanted} is not true" if look else "true"
        those = _where([*conditions, self.wanted])
        return f"update {self.table} set {assigned}{those} returning {settled} as settled"

    def unlocked(self, conditions: Sequence[str]) -> str:
        """The condition of rows that nobody else has locked; ours are from here on."""
        those = _where([*conditions, self.wanted])
        return f"({self.keys}) in (select {self.keys} from {self.table}{those} for no key update skip locked)"

    def select(self, conditions: Sequence[str], what: str, tail: str = "") -> str:
        return f"select {what} from {self.table}{_where([*conditions, self.wanted])}{tail}"

    @property
    def wanted(self) -> str:
        return f"(\n{self.where}\n)"

    def count(self, without: str = "") -> str:
        return f"select count(*) from {self.table}{_where([self.wanted, *([without] if without else [])])}"

    def key_as_json(self) -> str:
        return f"jsonb_build_array({', '.join(f'{name(each)}::text' for each in self.key)})"


def shape(backfill: Backfill, key: Sequence[str], types: Sequence[str]) -> Shape:
    body = backfill.body
    assigned = body.get("set", {})
    columns = body.get("columns", ())
    assert isinstance(assigned, Mapping)
    assert isinstance(columns, Sequence)
    return Shape(
        table_name(str(body["table"])),
        tuple(key),
        tuple(types),
        str(body.get("where", "true")),
        {str(column): _expression(value) for column, value in assigned.items()},
        tuple(str(each) for each in columns),
    )


def _expression(value: object) -> str:
    """A text is SQL; any other value of YAML is a constant."""
    if isinstance(value, str):
        return value
    return "null" if value is None else literal(value)


def _where(conditions: Sequence[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""

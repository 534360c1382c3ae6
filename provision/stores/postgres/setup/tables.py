"""The definition of a table in a snapshot, read again, and the statements that make one of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_COLUMN = re.compile(
    r'^  (?P<name>"(?:[^"]|"")+"|[\w$]+) (?P<type>.+?)(?: collate (?P<collation>\S+))?(?P<required> not null)?'
    r"(?: (?P<identity>identity(?: always)?))?(?: (?P<how>default|generated) (?P<value>.*?))?(?: -- (?P<comment>.*))?$",
    re.DOTALL,
)
# Below the columns, in capitals: the name of a column that begins so is quoted.
_TAIL = ("PARTITION BY ", "UNLOGGED", "ROW SECURITY", "FORCED ROW SECURITY", "WITH ", "GRANTED ", "COMMENT ")


class Column(NamedTuple):
    """A column; `how` is `default` or `generated`, empty for neither."""

    name: str
    type: str
    collation: str
    required: bool
    identity: str
    how: str
    value: str
    comment: str

    def sql(self) -> str:
        """As CREATE TABLE and ADD COLUMN take it."""
        parts = [self.name, self.type]
        parts += [f"COLLATE {self.collation}"] if self.collation else []
        if self.identity:
            parts.append(f"GENERATED {'ALWAYS' if 'always' in self.identity else 'BY DEFAULT'} AS IDENTITY")
        if self.how:
            parts.append(
                f"DEFAULT {self.value}" if self.how == "default" else f"GENERATED ALWAYS AS ({self.value}) STORED"
            )
        return " ".join([*parts, *(["NOT NULL"] if self.required else [])])


class Table(NamedTuple):
    """What a definition says: its columns, and of each line below them the word that it begins with → the rest."""

    columns: dict[str, Column]
    rest: dict[str, str]


def read(text: str) -> Table:
    """A definition of a table, read."""
    columns: dict[str, Column] = {}
    rest: dict[str, str] = {}
    for line in text.split("\n")[1:]:
        if "COMMENT" in rest:  # the last, of several lines
            rest["COMMENT"] += f"\n{line}"
            continue
        word = next((each for each in _TAIL if line[2:].startswith(each)), "")
        found = None if word else _COLUMN.match(line)
        if found is None:
            rest[word.strip()] = line[2:].removeprefix(word)
            continue
        given = found.groupdict("")
        column = Column(**{**given, "required": bool(given["required"])})  # type: ignore[arg-type]
        columns[column.name] = column
    return Table(columns, rest)


def made(name: str, table: Table) -> Iterator[str]:
    """The statements that make a table that is not there."""
    kind = "UNLOGGED TABLE" if "UNLOGGED" in table.rest else "TABLE"
    end = f" PARTITION BY {table.rest['PARTITION BY']}" if "PARTITION BY" in table.rest else ""
    end += f" WITH ({table.rest['WITH']})" if "WITH" in table.rest else ""
    inner = ", ".join(each.sql() for each in table.columns.values())
    yield f"CREATE {kind} IF NOT EXISTS {name} ({inner}){end}"
    for each in table.columns.values():
        if each.comment:
            yield _column_comment(name, each)
    yield from secured(name, Table({}, {}), table)


def altered(name: str, before: Table, after: Table) -> Iterator[str]:
    """The statements that make one of the other; what cannot be altered begins with `--`."""
    for column in after.columns.values():
        was = before.columns.get(column.name)
        if was is None:
            yield f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {column.sql()}"
        elif was != column:
            yield from _column(name, was, column)
        if column.comment != (was.comment if was else ""):
            yield _column_comment(name, column)
    for gone in before.columns:
        if gone not in after.columns:
            yield f"ALTER TABLE {name} DROP COLUMN IF EXISTS {gone}"
    if before.rest.get("PARTITION BY") != after.rest.get("PARTITION BY"):
        yield f"-- {name} has another partition key: make it anew"
    if ("UNLOGGED" in before.rest) != ("UNLOGGED" in after.rest):
        yield f"ALTER TABLE {name} SET {'UNLOGGED' if 'UNLOGGED' in after.rest else 'LOGGED'}"
    yield from _options(name, before.rest.get("WITH", ""), after.rest.get("WITH", ""))
    yield from secured(name, before, after)


def secured(name: str, before: Table, after: Table) -> Iterator[str]:
    """Row security."""
    for word, on, off in (
        ("ROW SECURITY", "ENABLE", "DISABLE"),
        ("FORCED ROW SECURITY", "FORCE", "NO FORCE"),
    ):
        if (word in before.rest) != (word in after.rest):
            yield f"ALTER TABLE {name} {on if word in after.rest else off} ROW LEVEL SECURITY"


def _options(name: str, before: str, after: str) -> Iterator[str]:
    was, now = (dict(each.split("=", 1) for each in text.split(", ") if "=" in each) for text in (before, after))
    new = [f"{key} = {value}" for key, value in now.items() if was.get(key) != value]
    gone = [key for key in was if key not in now]
    if new:
        yield f"ALTER TABLE {name} SET ({', '.join(new)})"
    if gone:
        yield f"ALTER TABLE {name} RESET ({', '.join(gone)})"


def _column(name: str, was: Column, now: Column) -> Iterator[str]:
    alter = f"ALTER TABLE {name} ALTER COLUMN {now.name}"
    if "generated" in (was.how, now.how) and (was.how, was.value) != (now.how, now.value):
        yield f"-- {name}.{now.name} is computed otherwise: make the column anew"
        return
    if (was.how, was.value) != (now.how, now.value) and was.how and was.type != now.type:
        yield f"{alter} DROP DEFAULT"
    if (was.type, was.collation) != (now.type, now.collation):
        collate = f" COLLATE {now.collation}" if now.collation else ""
        yield f"{alter} TYPE {now.type}{collate} USING {now.name}::{now.type}"
    if (was.how, was.value) != (now.how, now.value):
        yield f"{alter} SET DEFAULT {now.value}" if now.how else f"{alter} DROP DEFAULT"
    if was.required != now.required:
        yield f"{alter} {'SET' if now.required else 'DROP'} NOT NULL"
    if was.identity != now.identity:
        yield f"{alter} DROP IDENTITY IF EXISTS"
        if now.identity:
            yield f"{alter} ADD GENERATED {'ALWAYS' if 'always' in now.identity else 'BY DEFAULT'} AS IDENTITY"


def _column_comment(name: str, column: Column) -> str:
    text = "'" + column.comment.replace("'", "''") + "'" if column.comment else "NULL"
    return f"COMMENT ON COLUMN {name}.{column.name} IS {text}"


def composite(name: str, columns: Sequence[Column]) -> str:
    """A type of several parts."""
    return f"CREATE TYPE {name} AS ({', '.join(f'{each.name} {each.type}' for each in columns)})"

"""The definition of a table in a snapshot, read again, and the statements that make one of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_COLUMN = re.compile(
    r'^  (?P<name>"(?:[^"]|"")+"|[\w$]+) (?P<type>.+?)(?: collate (?P<collation>\S+))?(?P<required> not null)?'
    r"(?: (?P<identity>identity(?: always)?))?(?: (?P<how>default|generated|virtual) (?P<value>.*?))?"
    r"(?: -- (?P<comment>.*))?$",
    re.DOTALL,
)
# Below the columns, in capitals: the name of a column that begins so is quoted.
_TAIL = (
    "PARTITION BY ",
    "UNLOGGED",
    "ROW SECURITY",
    "FORCED ROW SECURITY",
    "WITH ",
    "STORAGE ",
    "COMPRESSION ",
    "REPLICA IDENTITY ",
    "INHERITS ",
    "COLUMNS GRANTED ",
    "GRANTED ",
    "COMMENT ",
)


class Column(NamedTuple):
    """A column; `how` is `default`, `generated` (stored) or `virtual`, empty for none of them."""

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
                f"DEFAULT {self.value}"
                if self.how == "default"
                else f"GENERATED ALWAYS AS ({self.value}) {'STORED' if self.how == 'generated' else 'VIRTUAL'}"
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
        given["comment"] = _several_lines(given["comment"])
        column = Column(**{**given, "required": bool(given["required"])})  # type: ignore[arg-type]
        columns[column.name] = column
    return Table(columns, rest)


def made(name: str, table: Table) -> Iterator[str]:
    """The statements that make a table that is not there."""
    kind = "UNLOGGED TABLE" if "UNLOGGED" in table.rest else "TABLE"
    end = f" PARTITION BY {table.rest['PARTITION BY']}" if "PARTITION BY" in table.rest else ""
    end += f" INHERITS ({table.rest['INHERITS']})" if "INHERITS" in table.rest else ""
    end += f" WITH ({table.rest['WITH']})" if "WITH" in table.rest else ""
    inner = ", ".join(each.sql() for each in table.columns.values())
    yield f"CREATE {kind} IF NOT EXISTS {name} ({inner}){end}"
    for each in table.columns.values():
        if each.comment:
            yield _column_comment(name, each)
    yield from stored(name, Table({}, {}), table)
    yield from secured(name, Table({}, {}), table)


def _several_lines(text: str) -> str:
    """A comment as it was, of the one line that a snapshot has of it."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


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
    if before.rest.get("INHERITS") != after.rest.get("INHERITS"):
        yield f"-- {name} inherits from others: ALTER TABLE … INHERIT or NO INHERIT"
    yield from options(f"TABLE {name}", before.rest.get("WITH", ""), after.rest.get("WITH", ""))
    yield from stored(name, before, after)
    yield from secured(name, before, after)


def secured(name: str, before: Table, after: Table) -> Iterator[str]:
    """Row security."""
    for word, on, off in (
        ("ROW SECURITY", "ENABLE", "DISABLE"),
        ("FORCED ROW SECURITY", "FORCE", "NO FORCE"),
    ):
        if (word in before.rest) != (word in after.rest):
            yield f"ALTER TABLE {name} {on if word in after.rest else off} ROW LEVEL SECURITY"


def stored(name: str, before: Table, after: Table) -> Iterator[str]:
    """Storage, compression and rights of columns, and what tells a row apart in replication."""
    for word in ("STORAGE", "COMPRESSION"):
        was, now = (
            dict(each.rsplit(" ", 1) for each in table.rest.get(word, "").split(", ") if each)
            for table in (before, after)
        )
        for column in dict.fromkeys((*was, *now)):
            if was.get(column) != now.get(column) and (column in after.columns or not after.columns):
                yield f"ALTER TABLE {name} ALTER COLUMN {column} SET {word} {now.get(column, 'DEFAULT')}"
    identity = [table.rest.get("REPLICA IDENTITY", "DEFAULT") for table in (before, after)]
    if identity[0] != identity[1]:
        yield f"ALTER TABLE {name} REPLICA IDENTITY {identity[1]}"
    had, has = (_column_grants(table.rest.get("COLUMNS GRANTED", "")) for table in (before, after))
    yield from (f"GRANT {right} ({column}) ON TABLE {name} TO {who}" for column, who, right in sorted(has - had))
    gone = (each for each in sorted(had - has) if each[0] in after.columns)
    yield from (f"REVOKE {right} ({column}) ON TABLE {name} FROM {who}" for column, who, right in gone)


def _column_grants(line: str) -> set[tuple[str, str, str]]:
    """Column, whom, and what may be done with it."""
    found = set()
    for each in line.split(", ") if line else ():
        words = re.match(r'("(?:[^"]|"")+"|\S+) ("(?:[^"]|"")+"|\S+) (.*)', each)
        found |= {(words[1], words[2], right) for right in words[3].split()} if words else set()
    return found


def options(of: str, before: str, after: str) -> Iterator[str]:
    """Storage parameters; `of` is kind and name."""
    was, now = (dict(each.split("=", 1) for each in text.split(", ") if "=" in each) for text in (before, after))
    new = [f"{key} = {value}" for key, value in now.items() if was.get(key) != value]
    gone = [key for key in was if key not in now]
    if new:
        yield f"ALTER {of} SET ({', '.join(new)})"
    if gone:
        yield f"ALTER {of} RESET ({', '.join(gone)})"


def _column(name: str, was: Column, now: Column) -> Iterator[str]:
    alter = f"ALTER TABLE {name} ALTER COLUMN {now.name}"
    if {"generated", "virtual"} & {was.how, now.how} and (was.how, was.value) != (now.how, now.value):
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

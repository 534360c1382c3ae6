"""A statement is tried on empty copies of what it touches, in scratch databases, and the result is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from provision.errors import FailedError
from provision.stores.clickhouse.migrate.parse.tokens import Name, literal, quote, read_name, tokens
from provision.stores.clickhouse.migrate.parse.touched import MUTATING, ParsedStatement, mentions
from provision.stores.clickhouse.migrate.probe.picture import (
    Picture,
    PictureLook,
    PictureReader,
    looks,
    normal,
    read_names,
)
from provision.stores.clickhouse.migrate.probe.rows import mutations_after
from provision.stores.clickhouse.migrate.probe.scratch import Scratch, scratch_for
from provision.stores.clickhouse.migrate.probe.text import engine_outside, retargeted

_SYSTEM = ("system", "information_schema", "INFORMATION_SCHEMA")


class NotTried(Exception):
    """Raised when a statement cannot be tried without touching something outside the scratch databases."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a statement leaves: the looks of what it touches, and the commands of the mutations it issues."""

    looks: dict[str, PictureLook]
    mutations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialSubject:
    """What is tried: a statement in a database, on the objects as they were; `by_uuid` as in `looks`."""

    database: str
    statement: ParsedStatement
    before: Picture
    by_uuid: bool

    @property
    def names(self) -> dict[str, Name]:
        """What the statement touches, each under its key in a picture."""
        names = [read_name(text) for text in self.statement.touches]
        if self.statement.objects == "table":
            names = [name.within(self.database) for name in names]
        return {str(name): name for name in names}


def trial(connection: PictureReader, subject: TrialSubject, token: int) -> Trial:
    """Run the statement on empty copies of the objects it touches.

    Raises NotTried when that cannot be done, FailedError when the server refuses.
    """
    objects = subject.statement.objects
    for text in (subject.statement.text, *(entry.definition for entry in subject.before.values())):
        if engine := engine_outside(text, objects):
            raise NotTried(f"the engine {engine} reaches outside the server")
    with scratch_for(connection, token, objects) as scratch:
        if objects != "table":
            places = {key: Name("", scratch.name(name.name)) for key, name in subject.names.items()}
            return _run(connection, subject, scratch, places)
        scratch.name(subject.database)
        places = {key: Name(scratch.name(name.database), name.name) for key, name in subject.names.items()}
        stand_ins = _stand_ins(connection, subject, scratch)
        for made in scratch.names.values():
            connection.command(f"CREATE DATABASE {made} ENGINE = Atomic", database="system")
        _make(connection, scratch.home, stand_ins)
        return _run(connection, subject, scratch, places)


def _run(connection: PictureReader, subject: TrialSubject, scratch: Scratch, places: dict[str, Name]) -> Trial:
    statement, objects = subject.statement, subject.statement.objects
    home = scratch.home if objects == "table" else "system"
    if refused := _make(connection, home, _copies(subject, scratch)):
        raise refused[0]
    first = _picture(connection, statement, scratch, places)
    _same(subject.before, first)
    touched = [name.name for name in subject.names.values()]
    connection.command(retargeted(statement.text, scratch.names, objects, touched), database=home)
    after = _picture(connection, statement, scratch, places)
    issued = tuple(_mutations(connection, scratch, first, places)) if statement.verb in MUTATING else ()
    return Trial(looks(first, after, subject.by_uuid), issued)


def _copies(subject: TrialSubject, scratch: Scratch) -> list[str]:
    objects, before = subject.statement.objects, subject.before
    if objects == "database":
        return [_database(scratch.names[read_name(key).name], entry.definition) for key, entry in before.items()]
    touched = [read_name(key).name for key in before]
    return [retargeted(entry.definition, scratch.names, objects, touched) for entry in before.values()]


def _database(name: str, definition: str) -> str:
    """A database made from its picture, where the comment stands as a JSON string."""
    engine, comment, text = definition.partition(' COMMENT "')
    return f"CREATE DATABASE {name} {engine}" + (f" COMMENT {literal(json.loads(chr(34) + text))}" if comment else "")


def _stand_ins(connection: PictureReader, subject: TrialSubject, scratch: Scratch) -> list[str]:
    """Statements that make whatever else the statement or the definitions mention."""
    texts = {*subject.statement.mentions}.union(*(mentions(tokens(e.definition)) for e in subject.before.values()))
    names = {read_name(text).within(subject.database) for text in texts} - {*subject.names.values()}
    pairs = ", ".join(f"({literal(n.database)}, {literal(n.name)})" for n in sorted(names) if n.database not in _SYSTEM)
    if not pairs:
        return []
    rows = connection.rows(
        f"SELECT database, name, engine, create_table_query FROM system.tables WHERE (database, name) IN ({pairs})"
    )
    found = [tuple(str(value) for value in row) for row in rows]
    for database, *_ in found:
        scratch.name(database)
    return [_stand_in(scratch, Name(database, name), engine, text) for database, name, engine, text in found]


def _stand_in(scratch: Scratch, name: Name, engine: str, definition: str) -> str:
    """A faithful copy of a table or dictionary; for anything that reads or writes elsewhere, an empty table."""
    if engine.endswith("MergeTree") or engine in ("Dictionary", "Memory"):
        return retargeted(definition, scratch.names, "table", ())
    return f"CREATE TABLE {scratch.names[name.database]}.{quote(name.name)} AS {name} ENGINE = Null"


def _make(connection: PictureReader, home: str, statements: list[str]) -> list[FailedError]:
    """Run CREATE statements in whatever order works; the errors of those that never work."""
    waiting, refused = statements, list[FailedError]()
    while waiting:
        again, refused = [], []
        for sql in waiting:
            try:
                connection.command(sql, database=home)
            except FailedError as error:
                again.append(sql)
                refused.append(error)
        if len(again) == len(waiting):
            break
        waiting = again
    return refused


def _picture(
    connection: PictureReader, statement: ParsedStatement, scratch: Scratch, places: dict[str, Name]
) -> Picture:
    found = read_names(connection, statement, places)
    return {key: entry._replace(definition=scratch.real(entry.definition)) for key, entry in found.items()}


def _same(before: Picture, copy: Picture) -> None:
    """Raises NotTried unless the server gives the copies the definitions they were made from."""
    for key, entry in before.items():
        if key not in copy or normal(copy[key].definition) != normal(entry.definition):
            raise NotTried(f"an empty copy of {key} does not come out as the original")


def _mutations(connection: PictureReader, scratch: Scratch, first: Picture, places: dict[str, Name]) -> Iterator[str]:
    for key, name in places.items():
        if name.database:
            for mutation in mutations_after(connection, name, first[key].mutation if key in first else 0):
                yield scratch.real(mutation.command)

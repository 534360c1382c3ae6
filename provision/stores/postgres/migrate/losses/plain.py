"""The effects of one statement that is no block and runs no code, read from its words."""

from __future__ import annotations

from collections.abc import Iterator

from provision.stores.postgres.migrate.losses.loss import Effect, Loss, Name, Rename, Takes
from provision.stores.postgres.migrate.sql_tokens import SqlToken, split

_DROPS = {
    "TABLE": Takes.TABLE,
    "SEQUENCE": Takes.SEQUENCE,
    "SCHEMA": Takes.SCHEMA,
    "DATABASE": Takes.DATABASE,
}
_DROPS_CASCADING = {
    "TYPE": Takes.TYPE,
    "DOMAIN": Takes.TYPE,
    "EXTENSION": Takes.EXTENSION,
    "COLLATION": Takes.COLLATION,
    "ACCESS": Takes.ACCESS_METHOD,
}
QUERIES = {"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY"}


def plain_effects(words: list[SqlToken]) -> Iterator[Effect]:
    """The effects of a statement that is no query and runs no code."""
    verb = words[0].word if words else ""
    if verb == "DROP":
        yield from _dropped(words)
    elif verb == "TRUNCATE":
        yield from _truncated(words)
    elif verb == "ALTER":
        yield from _altered(words)
    elif verb in QUERIES:
        yield from changes(words)


def name_at(words: list[SqlToken], place: int) -> tuple[Name, int]:
    """The name at `place`, or () where none is, and the place after it."""
    parts: list[str] = []
    while place < len(words) and words[place].is_name:
        parts.append(words[place].value)
        if place + 2 >= len(words) or words[place + 1].value != "." or not words[place + 2].is_name:
            return tuple(parts[-2:]), place + 1  # a third part is the database's own name
        place += 2
    return tuple(parts[-2:]), place


def skip(words: list[SqlToken], place: int, *wanted: str) -> int:
    while place < len(words) and words[place].word in wanted:
        place += 1
    return place


def _dropped(words: list[SqlToken]) -> Iterator[Loss]:
    heads = [each.word for each in words[1:3]]
    cascade = words[-1].word == "CASCADE"
    if heads == ["OWNED", "BY"]:
        takes, place = Takes.OWNED, 3
    elif heads[:1] and heads[0] in _DROPS:
        takes, place = _DROPS[heads[0]], 2
    elif cascade and heads[0] in _DROPS_CASCADING:
        takes, place = _DROPS_CASCADING[heads[0]], 3 if heads[0] == "ACCESS" else 2
    else:
        return
    place = skip(words, place, "IF", "EXISTS")
    for part in split(words[place:], ","):
        yield Loss(takes, name_at(part, 0)[0])


def _truncated(words: list[SqlToken]) -> Iterator[Loss]:
    place = skip(words, 1, "TABLE")
    cascade = words[-1].word == "CASCADE"
    for part in split(words[place:], ","):
        start = skip(part, 0, "ONLY")
        yield Loss(Takes.EVERY_ROW, name_at(part, start)[0], only=start > 0, cascade=cascade)


def _altered(words: list[SqlToken]) -> Iterator[Effect]:
    kind = words[1].word if len(words) > 1 else ""
    if kind == "TYPE":
        name, place = name_at(words, 2)
        heads = [each.word for each in words[place : place + 2]]
        if heads == ["DROP", "ATTRIBUTE"]:
            yield Loss(Takes.TYPE, name)
    if kind != "TABLE":
        return
    place = skip(words, 2, "IF", "EXISTS", "ONLY")
    only = any(each.word == "ONLY" for each in words[2:place])
    name, place = name_at(words, place)
    if place < len(words) and words[place].value == "*":
        place += 1
    for action in split(words[place:], ","):
        yield from _acted(action, name, only=only)


def _acted(action: list[SqlToken], name: Name, *, only: bool) -> Iterator[Effect]:
    heads = [each.word for each in action]
    if heads[:1] == ["DROP"] and heads[1:2] != ["CONSTRAINT"]:
        place = skip(action, 1, "COLUMN")
        place = skip(action, place, "IF", "EXISTS")
        column = action[place].value if place < len(action) else ""
        yield Loss(Takes.COLUMN, name, column, only=only)
    elif heads[:2] == ["RENAME", "TO"]:
        yield Rename(name, (*name[:-1], action[2].value if len(action) > 2 else ""))
    elif heads[:2] == ["SET", "SCHEMA"]:
        yield Rename(name, (action[2].value if len(action) > 2 else "", *name[-1:]))
    elif heads[:1] == ["RENAME"] and heads[1:2] != ["CONSTRAINT"]:
        place = skip(action, 1, "COLUMN")
        if len(action) > place + 2:
            yield Rename(name, name, action[place].value, action[place + 2].value)


def changes(words: list[SqlToken]) -> Iterator[Loss]:
    """The rows that a query deletes, in its common table expressions too."""
    merged: tuple[Name, bool] | None = None
    for place, each in enumerate(words):
        follows = words[place + 1].word if place + 1 < len(words) else ""
        begins = place == 0 or words[place - 1].value in ("(", ")") or words[place - 1].word == "AS"
        if each.word == "DELETE" and follows == "FROM" and begins:
            start = skip(words, place + 2, "ONLY")
            yield Loss(Takes.ROWS, name_at(words, start)[0], only=start > place + 2)
        elif each.word == "MERGE" and follows == "INTO" and begins:
            start = skip(words, place + 2, "ONLY")
            merged = name_at(words, start)[0], start > place + 2
        elif each.word == "THEN" and follows == "DELETE" and merged is not None:
            yield Loss(Takes.ROWS, merged[0], only=merged[1])
        elif each.value == "lo_unlink" and each.is_name and place + 1 < len(words) and words[place + 1].value == "(":
            yield Loss(Takes.LARGE_OBJECTS)

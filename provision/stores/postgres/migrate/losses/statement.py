"""What one text of PostgreSQL's SQL loses when it is run, read from the text alone.

An UPDATE and a change of a column's type overwrite values and are not counted. Neither is what can be made again from
what stays: indexes, views (materialized ones too), functions, constraints. A body that is written down (CREATE
FUNCTION, CREATE RULE) is not run; that of a DO block is. What a trigger does is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from provision.stores.postgres.migrate.losses import calls as statement_calls
from provision.stores.postgres.migrate.losses.loss import Effect, Loss, Name, Rename, Takes
from provision.stores.postgres.migrate.sql_tokens import Token, several, split, statements

# Most texts hold none of these letters, which costs less to find than the words.
_LETTERS = (
    "drop",
    "delete",
    "as",
    "do",
    "truncate",
    "merge",
    "call",
    "execute",
    "prepare",
    "rename",
    "schema",
    "unlink",
)
# Nor these words, and are not read further. A foreign key's ON DELETE loses nothing by itself.
_WORDS = re.compile(
    r"\b(?:drop|truncate|merge|call|execute|prepare|do|rename|set\s+schema|as\s+(?:select|with)|lo_unlink)\b"
    r"|(?<!on )\bdelete\b",
    re.IGNORECASE,
)
_ESCAPED = 'u&"'  # a name in code points: what it names shows once it is gone
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
_QUERIES = {"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY"}


@dataclass(frozen=True, slots=True)
class Reading:
    """The effects of a text in order.

    `opaque`: it runs code that the text does not show; `calls`: so it does if one of these functions is not the
    server's own.
    """

    effects: tuple[Effect, ...] = ()
    opaque: bool = False
    calls: frozenset[str] = frozenset()

    @property
    def losses(self) -> tuple[Loss, ...]:
        return tuple(each for each in self.effects if isinstance(each, Loss))


_NOTHING, _OPAQUE = Reading(), Reading(opaque=True)


@lru_cache(maxsize=1024)
def read(text: str) -> Reading:
    """What the statements of a text lose. Never raises: what is not SQL loses nothing, the server refuses it."""
    lower = text.lower()
    if not several(text) and not (any(each in lower for each in _LETTERS) and _WORDS.search(text)):
        calls = statement_calls.called_in(text)
        return Reading(calls=calls) if calls else _NOTHING
    found = [_statement(each) for each in statements(text)]
    effects = tuple(effect for each in found for effect in each.effects)
    # A name may mean something else once an earlier statement of the same text has run.
    opaque = any(each.opaque for each in found) or (len(found) > 1 and bool(effects)) or _ESCAPED in lower
    return Reading(effects, opaque, frozenset().union(*(each.calls for each in found)))


def _statement(words: list[Token]) -> Reading:
    verb = words[0].word
    if verb == "DO":
        from provision.stores.postgres.migrate.losses.do_blocks import effects_of

        return Reading(tuple(effects_of(words)), opaque=True)
    if verb in ("CALL", "EXECUTE"):
        return _OPAQUE
    if verb == "EXPLAIN":
        return _explained(words)
    if verb == "PREPARE":
        start = next((place for place, each in enumerate(words) if each.word == "AS"), len(words))
        return _statement(words[start + 1 :]) if words[start + 1 :] else _NOTHING
    if verb in _QUERIES or (verb == "CREATE" and _from_query(words)):
        return Reading(tuple(_changes(words)), calls=statement_calls.called(words))
    # What a CASCADE takes along (columns of a type, generated ones) shows in the catalogue alone; a default may call.
    cascades = verb in ("DROP", "ALTER") and any(each.word == "CASCADE" for each in words)
    calls = statement_calls.called(words) if verb == "ALTER" else frozenset[str]()
    return Reading(tuple(plain_effects(words)), cascades, calls)


def plain_effects(words: list[Token]) -> Iterator[Effect]:
    """The effects of a statement that is no query and runs no code."""
    verb = words[0].word if words else ""
    if verb == "DROP":
        yield from _dropped(words)
    elif verb == "TRUNCATE":
        yield from _truncated(words)
    elif verb == "ALTER":
        yield from _altered(words)
    elif verb in _QUERIES:
        yield from _changes(words)


def name_at(words: list[Token], place: int) -> tuple[Name, int]:
    """The name at `place`, or () where none is, and the place after it."""
    parts: list[str] = []
    while place < len(words) and words[place].is_name:
        parts.append(words[place].value)
        if place + 2 >= len(words) or words[place + 1].value != "." or not words[place + 2].is_name:
            return tuple(parts[-2:]), place + 1  # a third part is the database's own name
        place += 2
    return tuple(parts[-2:]), place


def _skip(words: list[Token], place: int, *wanted: str) -> int:
    while place < len(words) and words[place].word in wanted:
        place += 1
    return place


def _explained(words: list[Token]) -> Reading:
    """EXPLAIN runs its statement only with ANALYZE."""
    place, options = 1, list[Token]()
    if len(words) > 1 and words[1].value == "(":
        close = next((at for at, each in enumerate(words) if each.value == ")"), len(words))
        options, place = words[2:close], close + 1
    else:
        place = _skip(words, 1, "ANALYZE", "ANALYSE", "VERBOSE")
        options = words[1:place]
    heads = [[each.value.upper() for each in part] for part in split(options, ",")]
    on = [head for head in heads if head and head[0] in ("ANALYZE", "ANALYSE")]
    runs = bool(on) and on[-1][1:2] not in (["FALSE"], ["OFF"], ["0"])
    return _statement(words[place:]) if runs and words[place:] else _NOTHING


def _from_query(words: list[Token]) -> bool:
    """Whether a CREATE runs a query: CREATE TABLE … AS."""
    heads = [each.word for each in words[:5]]
    if "TABLE" not in heads and "MATERIALIZED" not in heads:
        return False
    follows = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE", "")
    return any(each.word == "AS" and after.word in follows for each, after in pairwise(words))


def _dropped(words: list[Token]) -> Iterator[Loss]:
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
    place = _skip(words, place, "IF", "EXISTS")
    for part in split(words[place:], ","):
        yield Loss(takes, name_at(part, 0)[0])


def _truncated(words: list[Token]) -> Iterator[Loss]:
    place = _skip(words, 1, "TABLE")
    cascade = words[-1].word == "CASCADE"
    for part in split(words[place:], ","):
        start = _skip(part, 0, "ONLY")
        yield Loss(Takes.EVERY_ROW, name_at(part, start)[0], only=start > 0, cascade=cascade)


def _altered(words: list[Token]) -> Iterator[Effect]:
    kind = words[1].word if len(words) > 1 else ""
    if kind == "TYPE":
        name, place = name_at(words, 2)
        heads = [each.word for each in words[place : place + 2]]
        if heads == ["DROP", "ATTRIBUTE"]:
            yield Loss(Takes.TYPE, name)
    if kind != "TABLE":
        return
    place = _skip(words, 2, "IF", "EXISTS", "ONLY")
    only = any(each.word == "ONLY" for each in words[2:place])
    name, place = name_at(words, place)
    if place < len(words) and words[place].value == "*":
        place += 1
    for action in split(words[place:], ","):
        yield from _acted(action, name, only=only)


def _acted(action: list[Token], name: Name, *, only: bool) -> Iterator[Effect]:
    heads = [each.word for each in action]
    if heads[:1] == ["DROP"] and heads[1:2] != ["CONSTRAINT"]:
        place = _skip(action, 1, "COLUMN")
        place = _skip(action, place, "IF", "EXISTS")
        column = action[place].value if place < len(action) else ""
        yield Loss(Takes.COLUMN, name, column, only=only)
    elif heads[:2] == ["RENAME", "TO"]:
        yield Rename(name, (*name[:-1], action[2].value if len(action) > 2 else ""))
    elif heads[:2] == ["SET", "SCHEMA"]:
        yield Rename(name, (action[2].value if len(action) > 2 else "", *name[-1:]))
    elif heads[:1] == ["RENAME"] and heads[1:2] != ["CONSTRAINT"]:
        place = _skip(action, 1, "COLUMN")
        if len(action) > place + 2:
            yield Rename(name, name, action[place].value, action[place + 2].value)


def _changes(words: list[Token]) -> Iterator[Loss]:
    """The rows that a query deletes, in its common table expressions too."""
    merged: tuple[Name, bool] | None = None
    for place, each in enumerate(words):
        follows = words[place + 1].word if place + 1 < len(words) else ""
        begins = place == 0 or words[place - 1].value in ("(", ")") or words[place - 1].word == "AS"
        if each.word == "DELETE" and follows == "FROM" and begins:
            start = _skip(words, place + 2, "ONLY")
            yield Loss(Takes.ROWS, name_at(words, start)[0], only=start > place + 2)
        elif each.word == "MERGE" and follows == "INTO" and begins:
            start = _skip(words, place + 2, "ONLY")
            merged = name_at(words, start)[0], start > place + 2
        elif each.word == "THEN" and follows == "DELETE" and merged is not None:
            yield Loss(Takes.ROWS, merged[0], only=merged[1])
        elif each.value == "lo_unlink" and each.is_name and place + 1 < len(words) and words[place + 1].value == "(":
            yield Loss(Takes.LARGE_OBJECTS)

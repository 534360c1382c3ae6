"""What one text of PostgreSQL's SQL loses when it is run, read from the text alone.

An UPDATE and a change of a column's type overwrite values and are not counted. Neither is what can be made again from
what stays: indexes, views (materialized ones too), functions, constraints. A body that is written down (CREATE
FUNCTION, CREATE RULE) is not run; that of a DO block is. What a trigger does is not seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from provision.stores.postgres.migrate.losses import calls as statement_calls
from provision.stores.postgres.migrate.losses.do_blocks import effects_of
from provision.stores.postgres.migrate.losses.loss import Effect, Loss
from provision.stores.postgres.migrate.losses.plain import QUERIES, changes, plain_effects, skip
from provision.stores.postgres.migrate.sql_tokens import SqlToken, several, split, statements

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


@dataclass(frozen=True, slots=True)
class StatementReading:
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


_NOTHING, _OPAQUE = StatementReading(), StatementReading(opaque=True)


@lru_cache(maxsize=1024)
def read(text: str) -> StatementReading:
    """What the statements of a text lose. Never raises: what is not SQL loses nothing, the server refuses it."""
    lower = text.lower()
    if not several(text) and not (any(each in lower for each in _LETTERS) and _WORDS.search(text)):
        calls = statement_calls.called_in(text)
        return StatementReading(calls=calls) if calls else _NOTHING
    found = [_statement(each) for each in statements(text)]
    effects = tuple(effect for each in found for effect in each.effects)
    # A name may mean something else once an earlier statement of the same text has run.
    opaque = any(each.opaque for each in found) or (len(found) > 1 and bool(effects)) or _ESCAPED in lower
    return StatementReading(effects, opaque, frozenset().union(*(each.calls for each in found)))


def _statement(words: list[SqlToken]) -> StatementReading:
    verb = words[0].word
    if verb == "DO":
        return StatementReading(tuple(effects_of(words, lambda text: read(text).effects)), opaque=True)
    if verb in ("CALL", "EXECUTE"):
        return _OPAQUE
    if verb == "EXPLAIN":
        return _explained(words)
    if verb == "PREPARE":
        start = next((place for place, each in enumerate(words) if each.word == "AS"), len(words))
        return _statement(words[start + 1 :]) if words[start + 1 :] else _NOTHING
    if verb in QUERIES or (verb == "CREATE" and _from_query(words)):
        return StatementReading(tuple(changes(words)), calls=statement_calls.called(words))
    # What a CASCADE takes along (columns of a type, generated ones) shows in the catalogue alone; a default may call.
    cascades = verb in ("DROP", "ALTER") and any(each.word == "CASCADE" for each in words)
    calls = statement_calls.called(words) if verb == "ALTER" else frozenset[str]()
    return StatementReading(tuple(plain_effects(words)), cascades, calls)


def _explained(words: list[SqlToken]) -> StatementReading:
    """EXPLAIN runs its statement only with ANALYZE."""
    place, options = 1, list[SqlToken]()
    if len(words) > 1 and words[1].value == "(":
        close = next((at for at, each in enumerate(words) if each.value == ")"), len(words))
        options, place = words[2:close], close + 1
    else:
        place = skip(words, 1, "ANALYZE", "ANALYSE", "VERBOSE")
        options = words[1:place]
    heads = [[each.value.upper() for each in part] for part in split(options, ",")]
    on = [head for head in heads if head and head[0] in ("ANALYZE", "ANALYSE")]
    runs = bool(on) and on[-1][1:2] not in (["FALSE"], ["OFF"], ["0"])
    return _statement(words[place:]) if runs and words[place:] else _NOTHING


def _from_query(words: list[SqlToken]) -> bool:
    """Whether a CREATE runs a query: CREATE TABLE … AS."""
    heads = [each.word for each in words[:5]]
    if "TABLE" not in heads and "MATERIALIZED" not in heads:
        return False
    follows = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE", "")
    return any(each.word == "AS" and after.word in follows for each, after in pairwise(words))

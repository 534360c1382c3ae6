"""The effects of a DO block: of its statements, and of the texts that it puts together and executes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from provision.stores.postgres.migrate.losses.loss import UNREAD, Effect
from provision.stores.postgres.migrate.losses.plain import plain_effects
from provision.stores.postgres.migrate.sql_tokens import SqlToken, split, tokens

_BEFORE_A_STATEMENT = {"BEGIN", "THEN", "ELSE", "LOOP", "DECLARE", "IN", "QUERY"}
_VERBS = {"DROP", "TRUNCATE", "ALTER", "DELETE", "MERGE", "WITH", "INSERT", "UPDATE", "SELECT", "EXECUTE", "PERFORM"}
_NO_TEXT = {"RAISE", "EXECUTE", "INSERT", "UPDATE", "DELETE", "MERGE"}  # their strings are values
_TEXT = re.compile(r"\s*(?:drop|truncate|alter|delete|merge|with|do)\b", re.IGNORECASE)
_PLACE = re.compile(r"%(?:\d+\$)?-?\d*([ILs%])")


Read = Callable[[str], Iterable[Effect]]  # the effects of a text


def effects_of(words: list[SqlToken], read: Read) -> Iterator[Effect]:
    """What a DO statement does, whatever its conditions are. Names that it computes come back unread.

    `read` tells the effects of the texts that it executes, which may be blocks again.
    """
    for body in (tokens(each.value) for each in words if each.kind == "string"):
        executes = any(each.word == "EXECUTE" for each in body)
        for statement in _statements(body):
            yield from _effects(statement, read)
            if executes and statement and statement[0].word not in _NO_TEXT:
                yield from _effects_of_texts(statement, read)


def _statements(words: list[SqlToken]) -> Iterator[list[SqlToken]]:
    """Every statement of a body; what stands between them (conditions, declarations) is passed over."""
    part: list[SqlToken] = []
    for before, each in zip([None, *words], words, strict=False):
        begins = before is None or before.value in (";", ">") or before.word in _BEFORE_A_STATEMENT
        begins = begins and not (part and part[0].word == "MERGE")
        if each.value == ";" and each.kind == "symbol":
            yield part
            part = []
        elif begins and each.word in _VERBS:
            yield part
            part = [each]
        else:
            part.append(each)
    yield part


def _effects(statement: list[SqlToken], read: Read) -> Iterator[Effect]:
    verb = statement[0].word if statement else ""
    if verb == "EXECUTE":
        for text in _texts(statement[1:]):
            yield from read(text)
    elif verb == "PERFORM":
        yield from plain_effects([SqlToken("name", "select"), *statement[1:]])
    elif verb in _VERBS:
        yield from plain_effects(statement)


def _effects_of_texts(statement: list[SqlToken], read: Read) -> Iterator[Effect]:
    """Of a text that is put into a variable or a loop, to be executed later."""
    for each in statement:
        if each.kind == "string" and _TEXT.match(each.value):
            yield from read(_filled(each.value, []))


def _texts(expression: list[SqlToken]) -> Iterator[str]:
    """The text that an EXECUTE puts together, with UNREAD where it is computed."""
    ended = next((at for at, each in enumerate(expression) if each.word in ("USING", "INTO")), len(expression))
    joined = "".join(_piece(part) for part in split(expression[:ended], "||"))
    if joined != UNREAD:
        yield joined


def _piece(part: list[SqlToken]) -> str:
    if len(part) == 1 and part[0].kind == "string":
        return part[0].value
    if len(part) > 2 and part[0].word == "FORMAT" and part[1].value == "(" and part[2].kind == "string":
        return _filled(part[2].value, [_constant(each) for each in split(part[2:-1], ",")][1:])
    if len(part) == 4 and part[0].word in ("QUOTE_IDENT", "QUOTE_LITERAL") and part[2].kind == "string":
        return part[2].value
    return UNREAD


def _constant(argument: list[SqlToken]) -> str:
    return argument[0].value if len(argument) == 1 and argument[0].kind == "string" else UNREAD


def _filled(text: str, arguments: list[str]) -> str:
    """A text as `format` fills it in."""
    left = iter(arguments)

    def value(match: re.Match[str]) -> str:
        if match[1] == "%":
            return "%"
        found = next(left, UNREAD)
        return f'"{found}"' if match[1] == "I" and UNREAD not in found else found

    return _PLACE.sub(value, text)

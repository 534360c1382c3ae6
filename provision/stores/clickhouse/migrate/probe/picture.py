"""Pictures: what objects looked like, read back from text or from the server, and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from provision.stores.clickhouse.migrate.parse.tokens import Edit, Name, Token, edited, tokens
from provision.stores.clickhouse.migrate.parse.touched import NIL, ParsedStatement, objects_sql, picture_sql

_UUID = re.compile(r" (?:TO INNER )?UUID '[0-9a-f-]{36}'")
_KEPT_ELSEWHERE = re.compile(r"(?:Replicated|Shared)(\w*MergeTree)\Z")


class PictureReader(Protocol):
    """What a probe needs of a server; both methods must raise provision.errors.FailedError when the server refuses."""

    def command(self, sql: str, *, database: str) -> None:
        """Run one statement with `database` as the current one."""
        ...

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        ...


class PictureEntry(NamedTuple):
    """One object: its uuid, its definition, and the number of its latest mutation."""

    uuid: str
    definition: str
    mutation: int


Picture = Mapping[str, PictureEntry]


class PictureLook(NamedTuple):
    """What can be compared of an object: its definition, and which object of the earlier picture it is."""

    definition: str
    origin: str


def loads(text: str) -> Picture:
    """The picture in `text`.

    Raises ValueError when it is not one.
    """
    try:
        found = json.loads(text)
        return {key: PictureEntry(e["uuid"], e["definition"], int(e["mutation"])) for key, e in found.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a picture: {text[:60]!r}") from error


def read(connection: PictureReader, database: str, statement: ParsedStatement) -> Picture:
    """The present picture of what `statement` touches."""
    return loads(str(connection.rows(picture_sql(statement, database))[0][0]))


def read_names(connection: PictureReader, statement: ParsedStatement, names: dict[str, Name]) -> Picture:
    """The present picture of `names`, which stand for what `statement` touches, each under its key."""
    return loads(str(connection.rows(objects_sql(statement, names))[0][0]))


def looks(before: Picture, after: Picture, identified: bool = True) -> dict[str, PictureLook]:
    """Every object of `after` as it compares with `before`.

    The origin is the key it had in `before`, found by its uuid, so that a swap, a move and a replacement by an equal
    table all show; or "new". Where a database engine gives no uuids (`identified` is false), the key itself counts.
    """
    keys = {entry.uuid: key for key, entry in before.items()}
    return {
        key: PictureLook(
            normal(entry.definition),
            keys.get(entry.uuid, "new") if identified else (key if key in before else "new"),
        )
        for key, entry in after.items()
    }


def identified(*pictures: Picture) -> bool:
    """Whether every object in the pictures has a uuid."""
    return all(entry.uuid != NIL for picture in pictures for entry in picture.values())


def normal(definition: str) -> str:
    """A definition without what differs between two equal objects: uuids, and where a replicated table is kept."""
    return local_engines(_UUID.sub("", definition))


def local_engines(text: str) -> str:
    """`text` with Replicated… and Shared… engines turned into their plain forms, path and replica left out."""
    return edited(text, local_edits(tokens(text)))


def local_edits(words: list[Token]) -> Iterable[Edit]:
    """The edits that local_engines makes."""
    for index, token in enumerate(words):
        match = _KEPT_ELSEWHERE.match(token.value) if token.is_name else None
        if match is None:
            continue
        yield Edit(token.start, token.end, match.group(1))
        # ('/path', 'replica'[, what the plain engine takes]); the server prints an empty list as nothing.
        inside = words[index + 1 : index + 6]
        if [word.kind for word in inside[1:4]] == ["string", "symbol", "string"]:
            more = inside[4].value == ","
            yield Edit(inside[1].start, words[index + 6].start, "") if more else Edit(token.end, inside[4].end, "")


def difference(database: str, expected: Mapping[str, PictureLook], now: Mapping[str, PictureLook]) -> str:
    """The first object that is not as expected, in words."""
    for key in sorted({*expected, *now}):
        wanted, found = expected.get(key), now.get(key)
        if wanted == found:
            continue
        if found is None:
            return f"{key} does not exist in {database}"
        if wanted is None:
            return f"{key} exists in {database} and should not: {_short(found.definition)}"
        if wanted.definition == found.definition:
            return f"{key} is defined as expected but is not the same object: it was replaced"
        is_there, expected_there = found.definition, wanted.definition
        return f"{key} is {_from(is_there, expected_there)}; expected {_from(expected_there, is_there)}"
    return "nothing differs"


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _from(text: str, other: str) -> str:
    """`text` from the word in which it begins to differ from `other`."""
    same = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    start = text.rfind(" ", 0, same) + 1
    return ("…" if start else "") + _short(text[start:] or "(ends here)")

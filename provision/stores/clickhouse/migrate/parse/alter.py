"""What each command of an ALTER TABLE does: to the definition, to rows, and what can be lost."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from provision.stores.clickhouse.migrate.parse.tokens import Token, depths


class Effect(StrEnum):
    """What a statement changes, and so how its fate is found out."""

    DEFINITION = "definition"  # of an object: compare definitions
    FILL = "fill"  # rows copied while an object is made: a definition does not show whether all arrived
    MUTATION = "mutation"  # rows, in the background: system.mutations knows
    INSERT = "insert"  # rows: the deduplication window of the table decides
    REPEATABLE = "repeatable"  # nothing that a second run would spoil
    UNKNOWN = "unknown"  # something that can be neither seen nor repeated


class AlterCommand(NamedTuple):
    """One command of an ALTER: what it is in words, what it changes, and what it can lose ({table}: the table).

    `column` is the one that it is about; `becomes` its new name; `makes`: it was not there before.
    """

    summary: str
    effect: Effect
    loses: str | None
    column: str = ""
    becomes: str = ""
    makes: bool = False


# The longest match wins. REPEATABLE: the same partition dropped, detached or replaced twice is as once.
_COMMANDS: dict[tuple[str, ...], tuple[Effect, str | None]] = {
    ("ADD",): (Effect.DEFINITION, None),
    ("ALTER",): (Effect.DEFINITION, None),
    ("APPLY",): (Effect.MUTATION, None),
    ("ATTACH",): (Effect.UNKNOWN, None),
    ("CLEAR", "COLUMN"): (Effect.MUTATION, "empties {what} of {table}"),
    ("CLEAR",): (Effect.MUTATION, None),
    ("COMMENT",): (Effect.DEFINITION, None),
    ("DELETE",): (Effect.MUTATION, "deletes rows of {table}"),
    ("DETACH", "PARTITION"): (Effect.REPEATABLE, None),
    ("DETACH",): (Effect.UNKNOWN, None),
    ("DROP", "COLUMN"): (Effect.DEFINITION, "drops {what} of {table} and its values"),
    ("DROP", "DETACHED"): (Effect.UNKNOWN, "deletes detached parts of {table}"),
    ("DROP", "PART"): (Effect.UNKNOWN, "drops a part of {table} and its rows"),
    ("DROP", "PARTITION"): (Effect.REPEATABLE, "drops a partition of {table} and its rows"),
    ("DROP",): (Effect.DEFINITION, None),
    ("EXECUTE",): (Effect.UNKNOWN, None),
    ("FETCH",): (Effect.UNKNOWN, None),
    ("FORGET",): (Effect.UNKNOWN, None),
    ("FREEZE",): (Effect.UNKNOWN, None),
    ("MATERIALIZE",): (Effect.MUTATION, None),
    ("MODIFY", "TTL"): (Effect.DEFINITION, "deletes the rows of {table} that are past the new TTL"),
    ("MODIFY",): (Effect.DEFINITION, None),
    ("MOVE",): (Effect.UNKNOWN, None),
    ("REMOVE",): (Effect.DEFINITION, None),
    ("RENAME",): (Effect.DEFINITION, None),
    ("REPLACE",): (Effect.REPEATABLE, "replaces a partition of {table} and its rows"),
    ("RESET",): (Effect.DEFINITION, None),
    ("REWRITE",): (Effect.MUTATION, None),
    ("UNFREEZE",): (Effect.UNKNOWN, "deletes a frozen backup of {table}"),
    ("UPDATE",): (Effect.MUTATION, "overwrites values in {table}"),
}
_STARTS = {words[0] for words in _COMMANDS}
_NAMED = {"COLUMN", "INDEX", "CONSTRAINT", "PROJECTION", "STATISTICS"}


def commands(words: list[Token]) -> list[AlterCommand]:
    """The commands of an ALTER, from its tokens after the name of the table."""
    return [_command(group) for group in _groups(words)]


def _groups(words: list[Token]) -> list[list[Token]]:
    """Tokens split where a command begins; commas inside a command (UPDATE a = 1, b = 2) do not split it."""
    groups: list[list[Token]] = []
    # Newer servers print every command in parentheses, so the first level below counts as the top.
    levels = depths(words)
    query = False
    for index, token in enumerate(words):
        before = words[index - 1] if index else None
        opens = before is None or before.value == "," or (before.value == "(" and levels[index] == 1)
        starts = opens and token.word() in _STARTS and index + 1 < len(words) and words[index + 1].is_name
        if starts and levels[index] <= 1 and not query:
            groups.append([])
        if groups:
            groups[-1].append(token)
            query = query or [word.word() for word in groups[-1][:2]] == ["MODIFY", "QUERY"]
    return groups


def _command(group: list[Token]) -> AlterCommand:
    words = tuple(token.word() for token in group)
    match = next((words[:size] for size in (2, 1) if words[:size] in _COMMANDS), None)
    effect, loses = _COMMANDS[match] if match else (Effect.UNKNOWN, None)
    what = _what(group)
    summary = " ".join([words[0].lower(), what]) if what else words[0].lower()
    if words[:2] == ("MODIFY", "COLUMN") and "TTL" in words and "REMOVE" not in words:
        loses = "empties {what} of {table} where it is past its new TTL"
    column = what.removeprefix("column ") if words[1:2] == ("COLUMN",) else ""
    becomes = group[-1].value if words[:2] == ("RENAME", "COLUMN") else ""
    makes = words[:2] == ("ADD", "COLUMN") and words[2:3] != ("IF",)
    return AlterCommand(summary, effect, loses.replace("{what}", what) if loses else None, column, becomes, makes)


def _what(group: list[Token]) -> str:
    """The thing a command is about: "column x", "ttl", "" when it is only the command itself."""
    if len(group) < 2 or group[0].word() in ("UPDATE", "DELETE"):
        return ""
    kind = group[1].word()
    if kind not in _NAMED:
        return kind.lower()
    rest = [token for token in group[2:] if token.word() not in ("IF", "NOT", "EXISTS")]
    return f"{kind.lower()} {rest[0].value}" if rest and rest[0].is_name else kind.lower()

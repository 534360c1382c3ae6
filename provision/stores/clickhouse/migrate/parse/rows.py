"""The grammar of statements that change rows and no definition."""

from __future__ import annotations

from provision.stores.clickhouse.migrate.parse.alter import Effect
from provision.stores.clickhouse.migrate.parse.parsed import Parsed, StatementLoss
from provision.stores.clickhouse.migrate.parse.tokens import Name, Token, name_at


def insert(words: list[Token]) -> Parsed | None:
    index = 1
    while index < len(words) and words[index].word() in ("INTO", "TABLE"):
        index += 1
    if index < len(words) and words[index].word() == "FUNCTION":
        return Parsed("insert", "insert into a table function", effects=[Effect.UNKNOWN])
    found = name_at(words, index)
    return Parsed("insert", f"insert into {found[0]}", [found[0]], [], [Effect.INSERT]) if found else None


def mutate(words: list[Token]) -> Parsed | None:
    deletes = words[0].word() == "DELETE"
    found = name_at(words, 2 if deletes else 1)
    if found is None:
        return None
    summary = f"{'delete from' if deletes else 'update'} {found[0]}"
    loses = f"deletes rows of {found[0]}" if deletes else f"overwrites values in {found[0]}"
    return Parsed("mutation", summary, [found[0]], [StatementLoss(loses, found[0])], [Effect.MUTATION])


def truncate(words: list[Token]) -> Parsed | None:
    rest = [token for token in words[1:] if token.word() not in ("TEMPORARY", "TABLE", "IF", "EXISTS")]
    if "TEMPORARY" in [token.word() for token in words[1:3]]:
        return Parsed("truncate", "truncate temporary table", effects=[Effect.REPEATABLE])
    whole = next((i for i, token in enumerate(words[:5]) if token.word() in ("DATABASE", "TABLES")), None)
    if whole is not None:
        rest = [token for token in words[whole + 1 :] if token.word() not in ("FROM", "IF", "EXISTS")]
    found = name_at(rest, 0)
    if found is None:
        return None
    what = "every table of a database" if whole is not None else str(found[0])
    of = Name(found[0].name, "") if whole is not None else found[0]
    touched = [] if whole is not None else [found[0]]
    loses = [StatementLoss(f"deletes every row of {what}", of)]
    return Parsed("truncate", f"truncate {what}", touched, loses, [Effect.REPEATABLE])


def optimize(words: list[Token]) -> Parsed | None:
    found = name_at(words, 2)
    if found is None or "DEDUPLICATE" not in [token.word() for token in words]:
        return None
    loses = [StatementLoss(f"removes rows of {found[0]} that it takes for duplicates", found[0])]
    return Parsed("optimize", f"optimize {found[0]}: deduplicate", [], loses, [Effect.REPEATABLE])

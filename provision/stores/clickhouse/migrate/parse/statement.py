"""The grammar of statements, as far as it must be known: the verb, the objects, the effects."""

from __future__ import annotations

from collections.abc import Callable

from provision.stores.clickhouse.migrate.parse import rows
from provision.stores.clickhouse.migrate.parse.alter import Effect, commands
from provision.stores.clickhouse.migrate.parse.parsed import Parsed, StatementLoss, StatementRename
from provision.stores.clickhouse.migrate.parse.tokens import Name, Token, depths, name_at

_VIEWS = {"VIEW", "MATERIALIZED", "LIVE", "WINDOW"}
_OBJECTS = {"TABLE", "DICTIONARY", "DATABASE", "FUNCTION"} | _VIEWS
# They change nothing that lasts, or set what a second run sets again.
_REPEATABLE = {
    *("SELECT", "WITH", "SHOW", "EXISTS", "DESCRIBE", "DESC", "EXPLAIN", "CHECK", "SET", "USE", "SYSTEM"),
    *("OPTIMIZE", "GRANT", "REVOKE", "KILL", "WATCH"),
}
_INTRODUCTORY = ("OR", "REPLACE", "IF", "NOT", "EXISTS", "EMPTY", "TEMPORARY", "UNIQUE")


def parsed(words: list[Token]) -> Parsed:
    """What the tokens of a statement say; the effect is UNKNOWN for a statement that is not known."""
    verb = words[0].word() if words else ""
    if verb in _PARSERS and (result := _PARSERS[verb](words)) is not None:
        return result
    effect = Effect.REPEATABLE if verb in _REPEATABLE or _guarded(words) else Effect.UNKNOWN
    summary = " ".join(token.value.lower() if token.kind == "name" else token.value for token in words[:3])
    return Parsed(verb.lower() or "unknown", summary, effects=[effect])


def _guarded(words: list[Token]) -> bool:
    """Whether it is written so that it can be run again: OR REPLACE, IF EXISTS, IF NOT EXISTS."""
    heads = [token.word() for token in words[:8]]
    return any(heads[i : i + 2] in (["OR", "REPLACE"], ["IF", "EXISTS"], ["IF", "NOT"]) for i in range(len(heads)))


def _object(words: list[Token], index: int) -> tuple[str, int] | None:
    """The sort of object at `index` ("materialized view") and the index after it, introductory words skipped."""
    while index < len(words) and words[index].word() in _INTRODUCTORY:
        index += 1
    sort: list[str] = []
    while index < len(words) and words[index].word() in _OBJECTS:
        sort.append(words[index].value.lower())
        index += 1
        if sort[-1] not in ("materialized", "live", "window"):
            break
    while index < len(words) and words[index].word() in _INTRODUCTORY:
        index += 1
    return (" ".join(sort), index) if sort else None


def _store(sort: str) -> str:
    return sort if sort in ("database", "function") else "table"


def _names(words: list[Token], index: int, between: tuple[str, ...]) -> list[Name]:
    """The names from `index` on that are joined by one of `between`."""
    names: list[Name] = []
    while (found := name_at(words, index)) is not None:
        names.append(found[0])
        index = found[1]
        if index >= len(words) or words[index].value.upper() not in between:
            break
        index += 1
    return names


def _joined(names: list[Name]) -> str:
    return ", ".join(str(name) for name in names)


def _create(words: list[Token]) -> Parsed | None:
    if (index := _index_of(words)) is not None:
        return _on_table("create index on", words, index)
    found = _object(words, 1)
    if found is None or not (names := _names(words, found[1], ())):
        return None
    sort, name = found[0], names[0]
    heads = [token.word() for token in words[: found[1]]]
    verb = "attach" if heads[0] == "ATTACH" else "create"
    if "TEMPORARY" in heads:
        return Parsed(verb, f"{verb} temporary {sort} {name}", effects=[Effect.REPEATABLE])
    replaces = "REPLACE" in heads
    result = Parsed(verb, f"{verb} {sort} {name}", [name], effects=[Effect.DEFINITION], objects=_store(sort))
    # OR REPLACE fills the new table before it takes the old one's place; plain CREATE shows it half-filled.
    if not replaces and sort in ("table", "materialized view") and _fills(words):
        result.effects.append(Effect.FILL)
    if replaces and sort in ("table", "materialized view"):
        result.loses.append(StatementLoss(f"replaces {sort} {name} and its rows", name))
    return result


def _fills(words: list[Token]) -> bool:
    heads = [token.word() for token, depth in zip(words, depths(words), strict=True) if depth == 0]
    if "VIEW" in heads[:5]:
        return "POPULATE" in heads
    return "CLONE" in heads or (query_at(words) is not None and "EMPTY" not in heads)


def query_at(words: list[Token]) -> int | None:
    """The index of the AS that begins the query of a CREATE, or None when it has no query."""
    for index, depth in enumerate(depths(words)[:-1]):
        follows = words[index + 1]
        if (
            depth == 0
            and words[index].word() == "AS"
            and (follows.word() in ("SELECT", "WITH") or follows.value == "(")
        ):
            return index
    return None


def _index_of(words: list[Token]) -> int | None:
    """The index of the table in CREATE / DROP INDEX … ON table, or None when it is another statement."""
    heads = [token.word() for token in words[:10]]
    return heads.index("ON") + 1 if "INDEX" in heads[:3] and "ON" in heads else None


def _on_table(text: str, words: list[Token], index: int) -> Parsed | None:
    found = name_at(words, index)
    if found is None:
        return None
    return Parsed("alter", f"{text} {found[0]}", [found[0]], effects=[Effect.DEFINITION])


def _drop(words: list[Token]) -> Parsed | None:
    if (index := _index_of(words)) is not None:
        return _on_table("drop index on", words, index)
    found = _object(words, 1)
    if found is None or not (names := _names(words, found[1], (",",))):
        return None
    verb, sort = words[0].value.lower(), found[0]
    if "TEMPORARY" in [token.word() for token in words[: found[1]]]:
        return Parsed(verb, f"{verb} temporary {sort} {_joined(names)}", effects=[Effect.REPEATABLE])
    result = Parsed(verb, f"{verb} {sort} {_joined(names)}", names, effects=[Effect.DEFINITION], objects=_store(sort))
    empty_only = [token.word() for token in words[2:4]] == ["IF", "EMPTY"]
    if verb == "drop" and sort in _DROPPED and not empty_only:
        whole = sort == "database"
        result.loses = [
            StatementLoss(_DROPPED[sort].format(name=name), Name(name.name, "") if whole else name) for name in names
        ]
    return result


_DROPPED = {
    "table": "drops table {name} and its rows",
    "database": "drops database {name} and everything in it",
    "view": "drops view {name}, and its rows if it is a materialized view without a TO table",
    "materialized view": "drops view {name}, and its rows if it has no TO table",
}


def _rename(words: list[Token]) -> Parsed | None:
    heads = words[1].word() if len(words) > 1 else ""
    known = {
        "TABLE": "table",
        "TABLES": "table",
        "DICTIONARY": "table",
        "DICTIONARIES": "table",
        "DATABASE": "database",
    }
    index = 2 if heads in known or heads == "VIEW" else 1
    while index < len(words) and words[index].word() in ("IF", "EXISTS"):
        index += 1
    names = _names(words, index, ("TO", "AND", ","))
    if len(names) < 2:
        return None
    joint = " to " if words[0].word() == "RENAME" else " and "
    pairs = ", ".join(joint.join(str(name) for name in names[i : i + 2]) for i in range(0, len(names), 2))
    verb = words[0].value.lower()
    objects = known.get(heads, "table")
    named = [Name(name.name, "") for name in names] if objects == "database" else names
    moved = [
        StatementRename(old, new, swap=verb == "exchange") for old, new in zip(named[::2], named[1::2], strict=False)
    ]
    effects = [Effect.DEFINITION]
    return Parsed(verb, f"{verb} {pairs}", names, effects=effects, objects=objects, renames=moved)


def _alter(words: list[Token]) -> Parsed | None:
    found = _object(words, 1)
    if found is None or found[0] not in ("table", "database", "dictionary", "view"):
        return None
    target = name_at(words, found[1])
    if target is None:
        return None
    name, index = target
    if found[0] == "database":
        return Parsed("alter", f"alter database {name}", [name], [], [Effect.DEFINITION], "database")
    on_cluster = [token.word() for token in words[index : index + 2]] == ["ON", "CLUSTER"]
    listed = commands(words[index + 3 * on_cluster :])
    effects = list(dict.fromkeys(command.effect for command in listed)) or [Effect.UNKNOWN]
    verb = "mutation" if effects == [Effect.MUTATION] else "alter"
    loses = [
        StatementLoss(command.loses.replace("{table}", str(name)), name, command.column)
        for command in listed
        if command.loses
    ]
    renames = [StatementRename(name, name, command.column, command.becomes) for command in listed if command.becomes]
    summary = f"alter {found[0]} {name}: " + ", ".join(command.summary for command in listed)
    adds = [(name, command.column) for command in listed if command.makes]
    return Parsed(verb, summary, [name], loses, effects, renames=renames, adds=adds)


_PARSERS: dict[str, Callable[[list[Token]], Parsed | None]] = {
    **dict.fromkeys(("CREATE", "ATTACH", "REPLACE"), _create),
    **dict.fromkeys(("DROP", "DETACH", "UNDROP"), _drop),
    **dict.fromkeys(("RENAME", "EXCHANGE"), _rename),
    "ALTER": _alter,
    "INSERT": rows.insert,
    **dict.fromkeys(("DELETE", "UPDATE"), rows.mutate),
    "TRUNCATE": rows.truncate,
    "OPTIMIZE": rows.optimize,
}

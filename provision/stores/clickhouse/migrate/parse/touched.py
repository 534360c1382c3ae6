"""What a ClickHouse statement touches, what it can lose, and the picture to take before it runs. No driver."""

from __future__ import annotations

from dataclasses import dataclass

from provision.stores.clickhouse.migrate.parse.alter import Effect
from provision.stores.clickhouse.migrate.parse.lexer import cut
from provision.stores.clickhouse.migrate.parse.parsed import Parsed, StatementLoss, StatementRename
from provision.stores.clickhouse.migrate.parse.statement import parsed
from provision.stores.clickhouse.migrate.parse.tokens import Name, Token, literal, name_at, read_name, tokens

__all__ = ["Effect", "ParsedStatement", "StatementLoss", "StatementRename", "parse", "picture_sql", "split"]

MUTATING = ("alter", "mutation")
NIL = "00000000-0000-0000-0000-000000000000"

_EMPTY = "SELECT '{}'"
_PICTURE = (
    "SELECT toJSONString(mapFromArrays(groupArray(key), groupArray(CAST((uuid, definition, mutation), "
    "'Tuple(uuid String, definition String, mutation String)')))) FROM ({rows})"
)
# The highest number of a mutation: later ones were issued after the picture, whatever the clocks say.
_MUTATION = (
    "toString((SELECT max(toUInt64OrZero(extract(mutation_id, '[0-9]+'))) FROM system.mutations"
    " WHERE database = {database} AND table = {name}))"
)
_ROWS = {
    "table": "SELECT {key} AS key, toString(uuid) AS uuid, create_table_query AS definition, {mutation} AS mutation"
    " FROM system.tables WHERE database = {database} AND name = {name}",
    "database": "SELECT {key} AS key, toString(uuid) AS uuid, concat('ENGINE = ', engine_full,"
    " if(comment = '', '', concat(' COMMENT ', toJSONString(comment)))) AS definition, '0' AS mutation"
    " FROM system.databases WHERE name = {name}",
    "function": f"SELECT {{key}} AS key, '{NIL}' AS uuid, create_query AS definition, '0' AS mutation"
    " FROM system.functions WHERE name = {name} AND origin = 'SQLUserDefined'",
}


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement, read but not judged.

    `touches` are the objects whose definition or rows it may change, as written; `mentions` every name in it that
    could be an object; `objects` says what the touched ones are: "table" (views and dictionaries too), "database" or
    "function". `losses` is what it can lose, `renames` what goes on under another name, `adds` the columns it makes.
    """

    text: str
    verb: str
    summary: str
    touches: tuple[str, ...]
    mentions: tuple[str, ...]
    losses: tuple[StatementLoss, ...]
    effects: tuple[Effect, ...]
    objects: str = "table"
    renames: tuple[StatementRename, ...] = ()
    adds: tuple[tuple[Name, str], ...] = ()

    @property
    def destructive(self) -> str | None:
        """In plain words what it can lose."""
        return "; ".join(each.words for each in self.losses) or None


def split(script: str) -> list[str]:
    """The statements of a script as the server cuts it, without the semicolons; [] when there are none. Raises Uncut.

    As clickhouse-migrations splits it, but where that cuts inside of a text between dollars or of a comment that begins
    with `#` or `//`.
    """
    return cut(script)


def parse(text: str) -> ParsedStatement:
    """Read one statement. One that is not known comes back with the effect UNKNOWN; nothing is raised."""
    words = tokens(text)
    found: Parsed = parsed(words)
    touches = tuple(dict.fromkeys(str(name) for name in found.touches))
    beside = [parsed(part) for part in _beside(words)]
    losses = tuple(loss for each in (found, *beside) for loss in each.loses)
    renames = tuple(rename for each in (found, *beside) for rename in each.renames)
    effects = (Effect.UNKNOWN,) if beside else tuple(found.effects)
    return ParsedStatement(
        text,
        found.verb,
        found.summary,
        touches,
        mentions(words),
        losses,
        effects,
        found.objects,
        renames,
        tuple(found.adds),
    )


def _beside(words: list[Token]) -> list[list[Token]]:
    """The statements after the first that PARALLEL WITH joins to it."""
    heads = [token.word() for token in words]
    places = [at for at in range(len(words) - 1) if heads[at : at + 2] == ["PARALLEL", "WITH"]]
    return [words[at + 2 : end] for at, end in zip(places, [*places[1:], len(words)], strict=False)]


def mentions(words: list[Token]) -> tuple[str, ...]:
    """Every name among the tokens, and every string that is written like one, in order of appearance."""
    found: dict[str, None] = {}
    index = 0
    while index < len(words):
        name = name_at(words, index)
        token = words[index]
        if name is not None:
            found[str(name[0])] = None
        elif token.kind == "string" and _is_name(token.value):
            found[str(read_name(token.value))] = None
        index = name[1] if name else index + 1
    return tuple(found)


def _is_name(text: str) -> bool:
    parts = text.split(".")
    return len(parts) <= 2 and all(part.isidentifier() for part in parts)


def picture_sql(statement: ParsedStatement, database: str) -> str:
    """A scalar sub-select (without parentheses) that gives the picture of what `statement` touches, as JSON text.

    The JSON maps each object to its uuid, its definition and the number of its latest mutation; an object that does
    not exist is left out. `database` is where unqualified names lie.
    """
    names = [read_name(name) for name in statement.touches]
    if statement.objects == "table":
        names = [name.within(database) for name in names]
    return objects_sql(statement, {str(name): name for name in names})


def objects_sql(statement: ParsedStatement, names: dict[str, Name]) -> str:
    """The picture of `names`, each under its key, as far as `statement` can change them."""
    # system.mutations costs 10 ms where there are many tables; only some statements add to it.
    numbered = statement.objects == "table" and _may_mutate(statement)
    rows = [_row(statement.objects, key, name, _MUTATION if numbered else "'0'") for key, name in names.items()]
    return _PICTURE.replace("{rows}", " UNION ALL ".join(rows)) if rows else _EMPTY


def _may_mutate(statement: ParsedStatement) -> bool:
    """False only for what never issues a mutation: all but ALTER, DELETE and UPDATE, and an ALTER that only adds."""
    if statement.verb == "alter":
        return not all(each.startswith("add ") for each in statement.summary.split(": ", 1)[-1].split(", "))
    return statement.verb in MUTATING


def _row(objects: str, key: str, name: Name, mutation: str) -> str:
    places = {"key": literal(key), "database": literal(name.database), "name": literal(name.name)}
    return _ROWS[objects].format(**places, mutation=mutation.format(**places))

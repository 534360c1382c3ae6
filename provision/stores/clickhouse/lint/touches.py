"""What ClickHouse statements touch, by the parser that probes and losses use; no engine is asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from provision.model import Revision, StoreOptions
from provision.model.touches import Touch, Touched, changes, joined, reads, writes
from provision.ports.lint import shown
from provision.stores.clickhouse.migrate.parse.lexer import Uncut
from provision.stores.clickhouse.migrate.parse.touched import Effect, ParsedStatement, parse, split
from provision.text.files import read_text

NEEDS: Sequence[str] = ()
_PARTS = frozenset(("column", "index", "constraint", "projection", "statistics"))
_PLACED = re.compile(r"\b(?:AFTER|FIRST)\b", re.IGNORECASE)
# They look, or set what is set again at every run.
_HARMLESS = frozenset(("select", "with", "show", "exists", "describe", "desc", "explain", "check", "set", "use"))


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    return {each.id: _file(options, each) for each in revisions if each.id in wanted}


def _file(options: StoreOptions, revision: Revision) -> Touched:
    file, path = shown(options, revision)
    try:
        statements = split(read_text(path, file))
    except Uncut as error:
        return Touched(unknown=f"{file}: {error.what}")
    return joined(_statement(parse(each), file) for each in statements)


def _statement(read: ParsedStatement, file: str) -> Touched:
    if read.verb in _HARMLESS:
        return Touched()
    if Effect.UNKNOWN in read.effects or not read.touches:
        return Touched(unknown=f"{file}: what `{read.summary}` touches cannot be read from it")
    return Touched(frozenset(_touches(read)))


def _touches(read: ParsedStatement) -> Iterator[Touch]:
    kind = read.objects
    names = [_bare(each) for each in read.touches]
    mentioned = [name for each in read.mentions if (name := _bare(each)) not in names]
    if read.verb in ("alter", "mutation") and kind == "table" and ": " in read.summary and not read.renames:
        for command in read.summary.split(": ", 1)[1].split(", "):
            yield from _command(names[0], command, read.text)
        # An expression may read any column of the table whose name it has.
        yield from (reads(kind, names[0], "column", each) for each in mentioned)
    elif read.verb in ("insert", "mutation", "truncate"):
        yield from (writes(kind, each, "rows") for each in names)
        yield from (reads(kind, each, "columns") for each in names)
        yield from (reads(kind, each, "column") for each in names)
    else:
        yield from (writes(kind, each) for each in names)
    yield from (reads("table", each) for each in mentioned)


def _command(table: str, command: str, text: str) -> Iterator[Touch]:
    """One command of an ALTER: "add column x", "modify ttl"."""
    verb, _, what = command.partition(" ")
    sort, _, name = what.partition(" ")
    if verb in ("update", "delete", "materialize", "apply", "clear"):
        yield writes("table", table, "rows")
    elif sort in _PARTS and name and verb != "rename":
        yield from _part(table, verb, sort, name, text)
    elif sort in ("ttl", "comment", "setting", "order", "sample"):
        yield writes("table", table, sort)
    else:
        yield writes("table", table)
    if sort == "order":
        yield reads("table", table, "columns")


def _part(table: str, verb: str, sort: str, name: str, text: str) -> Iterator[Touch]:
    yield writes("table", table, sort, _bare(name))
    if verb == "add" or _PLACED.search(text):
        yield writes("table", table, f"order of {sort}s")
    if sort == "column" and verb in ("add", "drop"):
        yield changes("table", table, "columns")


def _bare(name: str) -> str:
    """Without its database: the url says which one that is, and a name alone is the same table."""
    return name.rpartition(".")[2].strip('`"')

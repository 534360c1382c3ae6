"""Scripts of ClickHouse as the engine's own parser reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from provision.lint.text import lines_of
from provision.model import Revision, StoreOptions
from provision.model.lint import Locate, Script, Unit, World, behind
from provision.ports.lint import shown
from provision.stores.clickhouse.lint.tree import explained, parsed
from provision.stores.clickhouse.lint.world import ClickhouseWorld, Statement
from provision.stores.clickhouse.migrate.parse.lexer import lexemes
from provision.stores.clickhouse.migrate.parse.tokens import tokens
from provision.text.files import read_text

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_POSITION = re.compile(r"failed at position (\d+)")
_BEFORE = len("EXPLAIN AST ")


class ClickhouseReader:
    """`provision.ports.lint.LintReader`."""

    suffixes = (".sql",)
    needs = ("chdb",)
    reads = ()

    def scripts(self, options: StoreOptions, revisions: Sequence[Revision]) -> Sequence[Script]:
        """The file of each revision; `${NAME}` stands for some name."""
        files, lacking = {}, []
        for each in revisions:
            file, path = shown(options, each)
            files[file] = read_text(path, file)
            lacking.append(each.irreversible or "")  # a missing file is all that makes one irreversible
        made = self.plain(files)
        return [replace(each, no_way_down=why) for each, why in zip(made, lacking, strict=True)]

    def plain(self, files: Mapping[str, str]) -> Sequence[Script]:
        cut = {file: list(_cut(text)) for file, text in files.items()}
        said = iter(explained([_filled(text) for pieces in cut.values() for _, text in pieces]))
        made = []
        for file, pieces in cut.items():
            source, locate = files[file], lines_of(files[file])
            units = tuple(_unit(locate, file, start, text, *next(said)) for start, text in pieces)
            made.append(Script(file, source, units))
        return made

    def world(self) -> World:
        return ClickhouseWorld()


READER = ClickhouseReader


def _filled(text: str) -> str:
    """With a name of the same length in the place of each variable, so that every place stays what it is."""
    return _VARIABLE.sub(lambda found: f"__{found[1]}_", text)


def _cut(text: str) -> Iterator[tuple[int, str]]:
    """Where each statement begins, without the comments before it, and its text."""
    start, end = -1, 0
    for each in lexemes(_filled(text)):
        if each.kind == "semicolon":
            if start >= 0:
                yield start, text[start:end]
            start = -1
        elif each.kind not in ("blank", "comment"):
            start, end = (each.start if start < 0 else start), each.end
    if start >= 0:
        yield start, text[start:end]


def _unit(locate: Locate, file: str, start: int, text: str, tree: str, refused: str) -> Unit:
    node = parsed(tree) if tree else None
    at = _POSITION.search(refused)
    where = max(int(at[1]) - 1 - _BEFORE, 0) if at else 0
    body = Statement(node, tuple(tokens(_filled(text))), _told(refused), min(where, len(text)))
    name = node.kind if node is not None else "syntax"
    last = locate(start + len(text)).line
    return Unit(name, body, text, file, locate(start), last, behind(locate, start), start)


def _told(refused: str) -> str:
    """The engine's sentence without its own frame."""
    found = re.search(r"Syntax error[^:]*: (.*?)(?:\. \(SYNTAX_ERROR\)|$)", refused, re.DOTALL)
    return "syntax error: " + " ".join((found[1] if found else refused).split())[:200] if refused else ""

"""Revisions and plain files of SQL as parsed statements."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from provision.model import Revision, Step, StoreOptions
from provision.model.lint import Script, Unit, World
from provision.ports.lint import shown
from provision.text.files import headers, listed, read_text

if TYPE_CHECKING:
    from provision.stores.postgres.lint.rendered import Rendered


_TRANSACTION = re.compile(r"\b(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT)\b", re.IGNORECASE)


class PostgresReader:
    """`provision.ports.lint.LintReader`."""

    suffixes = (".sql",)
    needs = ("pglast",)

    def __init__(self) -> None:
        self.reads: set[str] = set()  # what env.py and the revisions opened

    def scripts(self, options: StoreOptions, revisions: Sequence[Revision]) -> Sequence[Script]:
        """Each revision as Alembic writes it offline; a repeatable as it is written."""
        from provision.stores.postgres.lint.rendered import rendered

        made = rendered(options, [each for each in revisions if not each.repeatable], self.reads)
        scripts = [self._script(options, each, None if each.repeatable else next(made)) for each in revisions]
        next(made, None)  # there is none left: now it has told what it read
        return scripts

    def plain(self, files: Mapping[str, str]) -> Sequence[Script]:
        return [self._plain(text, file) for file, text in files.items()]

    def _plain(self, text: str, file: str) -> Script:
        from provision.stores.postgres.lint.parse import units

        needs = tuple(each.removeprefix("extension").strip() for each in listed(headers(text).get("needs", "")))
        return Script(file, text, tuple(units(text, file)), needs=needs)

    def world(self) -> World:
        from provision.stores.postgres.lint.world import PostgresWorld

        return PostgresWorld()

    def _script(self, options: StoreOptions, revision: Revision, made: Rendered | None) -> Script:
        file, path = shown(options, revision)
        source = read_text(path, file)
        if made is None:
            return self._plain(source, file)
        from provision.stores.postgres.migrate.losses.forecast import losses
        from provision.stores.postgres.migrate.version_table import DEFAULTS, version_table

        own = version_table(options).get("version_table") or DEFAULTS["version_table"] or ""
        read = sent(file, source, made, own)
        # Without its statements the source alone is left, which says what any database would be sent.
        lost = losses(options, Step(revision)) if made.reason else read.undeclared
        return replace(read, undeclared=() if revision.destructive else tuple(lost))


def sent(file: str, source: str, made: Rendered, own: str) -> Script:
    """A revision as what it sends; `own` is the version table, whose rows are no loss."""
    units = tuple(_units(made, source, file))
    down = "" if _goes_down(source) else "downgrade() does nothing"
    return Script(file, source, units, made.reason, no_way_down=down, undeclared=_lost(units, own))


READER = PostgresReader


def _goes_down(source: str) -> bool:
    """Whether a revision's downgrade() does something, be it that it says why it cannot."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            return any(not isinstance(each, ast.Pass | ast.Expr) or _calls(each) for each in node.body)
    return False


def _calls(node: ast.stmt) -> bool:
    return any(isinstance(each, ast.Call) for each in ast.walk(node))


def _lost(units: Sequence[Unit], own: str) -> tuple[str, ...]:
    """What the statements take away, but for what the same file makes."""
    from provision.stores.postgres.lint import tree
    from provision.stores.postgres.migrate.losses.loss import Effect, Rename, as_before
    from provision.stores.postgres.migrate.losses.statement import read

    made, effects = {own}, list[Effect]()
    for each in units:
        if each.name == "CreateStmt":
            made.add(tree.name_of(each.body.node.relation))
        effects += (one for one in read(each.text).effects if isinstance(one, Rename) or not made & {*one.name[-1:]})
    return tuple(dict.fromkeys(str(each) for each in as_before(effects)))


def _units(made: Rendered, source: str, file: str) -> Iterator[Unit]:
    from provision.stores.postgres.lint.mend import edits
    from provision.stores.postgres.lint.parse import units
    from provision.stores.postgres.lint.rendered import placed

    inside = True  # Alembic opens a transaction, which an autocommit block leaves
    sent_by = Counter(each.line for each in made.pieces)
    calls = _statements(source) if "lint:" in source else {}
    place = placed(source)
    for piece in made.pieces:
        if not piece.line and not _TRANSACTION.search(piece.text):
            continue  # Alembic's own, of its version table
        found = list(units(piece.text, file, place(piece)))
        mend = partial(edits, source) if len(found) == 1 and sent_by[piece.line] == 1 else None
        call = calls.get(piece.line)
        for unit in found:
            if unit.name == "TransactionStmt":
                inside = unit.body.node.kind.name in ("TRANS_STMT_BEGIN", "TRANS_STMT_START")
            if piece.line and unit.name != "TransactionStmt":
                yield replace(unit, in_transaction=inside, called=piece.line, call=call, mend=mend)


def _statements(source: str) -> Mapping[int, tuple[int, int]]:
    """The first and last line of the statement that each line belongs to; of one with a body, those of its head."""
    found: dict[int, tuple[int, int]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", ())
            last = max(body[0].lineno - 1, node.lineno) if body else node.end_lineno or node.lineno
            found |= dict.fromkeys(range(node.lineno, last + 1), (node.lineno, last))
    return found

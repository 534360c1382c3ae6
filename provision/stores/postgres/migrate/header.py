"""The header of an Alembic revision file as importing the file would set it, read without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from os.path import basename

from provision.errors import ConfigError

LIMITS = ("lock_timeout", "statement_timeout", "retries")
NAMES = ("revision", "down_revision", "depends_on", "branch_labels", "requires", "destructive", *LIMITS)
Header = dict[str, object]

# Lines are found by the line feed before them: a search for that is several times faster than one for `^`.
_BODY = re.compile(r"\n(?:def|class|async def)\b|\n@")
# A head as `alembic revision` writes it, line by line; whatever is not like it is read by Python's own parser.
_LITERAL = r"""None|True|False|"[^"\\\n]*"|'[^'\\\n]*'"""
_ANNOTATION = r"(?:: *[\w.\[\], |]+)?"
# One that gives a name of NAMES to something else is none.
_IMPORT = rf"(?:from [\w.]+ )?import(?![^\n]*\b(?:{'|'.join(NAMES)})\b) [\w., ]+"
_LINE = re.compile(rf"(?:#[^\n]*|{_IMPORT}|([a-z_]+){_ANNOTATION} = ({_LITERAL})|)")
_VALUES = {"None": None, "True": True, "False": False}
# Below the first function: a line that is neither of a function nor of a class.
_STATEMENT = re.compile(r"""\n(?!(?:def|class|async def)\b)[^@#\s)\]}"']""")
_CALLS = ("globals", "vars", "locals", "exec", "setattr")
_DYNAMIC = (*_CALLS, ":=")
_SETS = (*NAMES, *_CALLS, "import")  # nothing sets a name of NAMES without one of these words
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Computed(Exception):
    """Raised when a header is not made of literals: only importing the file tells what it says."""


def header(text: str, shown: str) -> Header:
    """The names of a header that the module sets, wherever in it, and `doc`, its docstring.

    Raises Computed, and ConfigError (bad-header) for what is not Python.
    """
    start = _BODY.search(text)
    end = start.start() + 1 if start else len(text)
    if start and _goes_on(text, end):
        return parsed(text, shown)
    found = _plain(text[:end])
    return parsed(text[:end], shown) if found is None else found  # at a tenth of the cost of the whole


def _plain(head: str) -> Header | None:
    """The header of a head of plain lines, which others follow that cannot set one; None for any other."""
    found: Header = {"doc": ""}
    if head.startswith('"""'):
        doc, closed, head = head[3:].partition('"""\n')
        if not closed or '"' in doc or "\\" in doc:
            return None
        found["doc"] = doc
    *lines, last = head.split("\n")
    if last:
        return None
    for place, line in enumerate(lines):
        pair = _read(line)
        if pair is None:
            rest = "\n".join(lines[place:])
            return None if _may_set(rest) else found
        if pair:
            found[pair[0]] = pair[1]
    return found


@lru_cache(512)
def _read(line: str) -> tuple[str, object] | tuple[()] | None:
    """What a line sets, where it is a plain one; most lines of a folder's files are the same in all of them."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, value = found.groups()
    return (name, _VALUES.get(value, value[1:-1])) if name in NAMES else ()


def _goes_on(text: str, end: int) -> bool:
    """Whether a header may be set below the first function too."""
    return _STATEMENT.search(text, end) is not None and _may_set(text[end:])


def _may_set(text: str) -> bool:
    return any(_has(text, word) for word in _SETS)


def _has(text: str, word: str) -> bool:
    """Whether a word is in a text, and is no part of a longer one. Most texts have not even its letters."""
    at = text.find(word)
    while at >= 0:
        around = text[max(at - 1, 0) : at] + text[at + len(word) : at + len(word) + 1]
        if not any(each.isalnum() or each == "_" for each in around):
            return True
        at = text.find(word, at + 1)
    return False


def parsed(text: str, shown: str) -> Header:
    """The same, always by Python's own parser."""
    tree = module(text, basename(shown), shown)
    found: Header = {"doc": ast.get_docstring(tree, clean=False) or ""}
    plainly = not any(word in text for word in _DYNAMIC)
    for node in tree.body:
        pairs = [(name, value) for name, value in _assigned(node) if name in NAMES]
        if not (plainly and _only_assigns(node)) and {*_bound(node)} & {*NAMES} - {name for name, _ in pairs}:
            raise Computed
        found.update((name, _literal(value)) for name, value in pairs)
    return found


def module(text: str, name: str, shown: str) -> ast.Module:
    """The file as Python reads it. Raises ConfigError (bad-header) with the line."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        what = f"{name} is not Python: {getattr(error, 'msg', None) or error}"
        raise ConfigError("bad-header", what, where=f"{shown}:{line}", fix="correct the line") from None


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Every name that a statement sets to an expression of its own; `a, b = 1, 2` sets two."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            names = [each.id if isinstance(each, ast.Name) else "" for each in target.elts]
            if len(node.value.elts) == len(names):
                yield from zip(names, node.value.elts, strict=True)


def _only_assigns(node: ast.stmt) -> bool:
    """Whether it sets plain names and nothing else, unless an expression in it does."""
    if isinstance(node, ast.Assign):
        return all(isinstance(each, ast.Name) for each in node.targets)
    return isinstance(node, ast.Expr) or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name))


def _bound(node: ast.AST) -> Iterator[str]:
    """Every name that a statement may set in its module, however it does that."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield from NAMES if node.name == "*" else (node.asname or node.name.split(".", 1)[0],)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield from NAMES
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    if not isinstance(node, _OWN_SCOPE):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise Computed from None

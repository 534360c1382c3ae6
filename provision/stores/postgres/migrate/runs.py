"""What Alembic runs of a revision file when it goes up, as a digest: the same however the file is formatted.

Left out are comments, docstrings, annotations, the header, imports that nothing uses, `downgrade()` and what only that
needs; in SQL, comments and the length of white space outside of literals. Written by our own walk of the syntax tree:
what Python's `ast.dump` prints differs from version to version, and a ledger outlives them.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator

from provision.stores.postgres.migrate.header import NAMES
from provision.stores.postgres.migrate.sql_tokens import one_spaced

_UNSAID = ("ctx", "type_comment", "kind", "returns", "annotation", "type_params")
_PLAIN = ("ctx", "type_comment", "kind")  # of those, what names nothing
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


def digest(text: str) -> str:
    """The digest of a file's text; empty for what is not Python, which is said elsewhere."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ""
    said = "\n".join(_reached(tree))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def of_file(path: str) -> str:
    """The digest of a file; empty for what cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return digest(file.read())
    except (OSError, UnicodeDecodeError):
        return ""


def _reached(tree: ast.Module) -> Iterator[str]:
    """What runs when the module is imported, `upgrade`, and all that these use, each in the order of the file."""
    body = [node for node in tree.body if not _is_nothing(node) and not _is_header(node)]
    defined = {node.name: node for node in body if isinstance(node, _DEFINED)}
    wanted = [node for node in body if not isinstance(node, (*_DEFINED, *_IMPORTS))]
    wanted += [defined["upgrade"]] if "upgrade" in defined else []
    names: set[str] = set()
    said: dict[ast.stmt, str] = {}
    for node in wanted:  # it grows
        found: set[str] = set()
        said[node] = _said(node, found)
        wanted += [defined[name] for name in found - names if name in defined and defined[name] not in wanted]
        names |= found
    yield from sorted(_imported(body, names))
    yield from (said[node] for node in body if node in said)


def _imported(body: Iterable[ast.stmt], names: set[str]) -> Iterator[str]:
    """What each name comes from, a line each: tools sort imports, join them, and take out what is not used."""
    for node in body:
        if isinstance(node, _IMPORTS):
            origin = f"{'.' * node.level}{node.module or ''}" if isinstance(node, ast.ImportFrom) else ""
            for each in node.names:
                bound = each.asname or each.name.split(".", 1)[0]
                if bound in names or bound == "*":
                    yield f"import {origin} {each.name} {bound}"


def _is_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_header(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return bool(targets) and all(isinstance(each, ast.Name) and each.id in NAMES for each in targets)


def _said(value: object, names: set[str]) -> str:
    """A node, or what is in one, as a text; what is empty is not mentioned. Adds to the names that it uses.

    Called for each node of each revision that is applied: a walk of its own for the names would take as long again.
    """
    kind = type(value)
    if kind is ast.Constant:
        assert isinstance(value, ast.Constant)
        return repr(one_spaced(value.value) if isinstance(value.value, str) else value.value)
    if isinstance(value, list):
        told = [_said(each, names) for each in value if not (isinstance(each, ast.stmt) and _is_nothing(each))]
        return f"[{', '.join(told)}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    if kind is ast.Name:
        assert isinstance(value, ast.Name)
        names.add(value.id)
    told = []
    for name in value._fields:
        each = getattr(value, name, None)
        if each is None or each == []:
            continue
        if name not in _UNSAID:
            told.append(f"{name}={_said(each, names)}")
        elif name not in _PLAIN:
            _said(each, names)  # an annotation: what it names is used
    return f"{kind.__name__}({', '.join(told)})"

"""Which module imports which, wherever the import stands; only what type checkers alone read is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.house.source import Module, Modules, top_level


@dataclass(frozen=True)
class Import:
    """The first statement of a module that imports another one of the same tree."""

    importer: str
    imported: str
    line: int
    lazy: bool  # it stands in a function, and so runs when that is called


def imports(modules: Modules) -> list[Import]:
    """One for each pair of modules, one that runs with the module before a lazy one; no module imports itself.

    `from package import name` imports the module `package.name` where there is one, else the package. That Python runs
    the packages above a module as well is no import of theirs: else every package would be in a circle with its parts.
    """
    found: dict[tuple[str, str], Import] = {}
    for module in modules.values():
        for each in sorted(_of(module, modules), key=lambda one: (one.lazy, one.line)):
            if each.importer != each.imported:
                found.setdefault((each.importer, each.imported), each)
    return list(found.values())


def bindings(module: Module) -> dict[str, str]:
    """Name that an import gives → what it stands for, dotted; also of imports in functions and for type checkers."""
    bound: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                bound[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module)
            bound.update({each.asname or each.name: f"{base}.{each.name}" for each in node.names if each.name != "*"})
    return bound


def _of(module: Module, modules: Modules) -> Iterator[Import]:
    for node, lazy in _statements(module.tree.body, lazy=False):
        targets = _plain(node, modules) if isinstance(node, ast.Import) else _from(node, module, modules)
        yield from (Import(module.name, target, node.lineno, lazy) for target in targets)


def _statements(body: Iterable[ast.AST], *, lazy: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazy
        elif isinstance(node, ast.If) and _for_checkers(node.test):
            yield from _statements(node.orelse, lazy=lazy)
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            inner = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _statements(ast.iter_child_nodes(node), lazy=inner)


def _for_checkers(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING`, however it was imported."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _plain(node: ast.Import, modules: Modules) -> list[str]:
    return [each.name for each in node.names if each.name in modules]


def _from(node: ast.ImportFrom, module: Module, modules: Modules) -> Iterator[str]:
    base = _base(node, module)
    for each in node.names:
        below = f"{base}.{each.name}"
        if below in modules and not (base in modules and _defines(modules[base], each.name)):
            yield below
        elif base in modules:
            yield base


def _base(node: ast.ImportFrom, module: Module) -> str:
    """The dotted name after `from`, dots in front resolved."""
    if not node.level:
        return node.module or ""
    above = module.package.split(".")
    kept = above[: len(above) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _defines(package: Module, name: str) -> bool:
    """Whether a package has something of its own under the name of one of its modules: Python hands out that first."""
    return any(name in _names(each, package) for each in top_level(package.tree.body))


def _names(statement: ast.stmt, package: Module) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.ImportFrom) and _base(statement, package) != package.name:
        yield from (each.asname or each.name for each in statement.names)

"""The source as the measures see it: every module of a package, parsed; nothing of it is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """One Python file."""

    name: str  # dotted: provision.stores.redis.server; that of a package is the folder's
    path: str  # from the root, with slashes: provision/stores/redis/server.py
    is_package: bool
    lines: int
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package that its relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


Modules = Mapping[str, Module]
"""Dotted name → the module, in the order of the paths."""


def read(root: Path, package: str = "provision") -> Modules:
    """Every module below `root/package`. Raises SyntaxError, and FileNotFoundError when there is no module."""
    paths = sorted((root / package).rglob("*.py"))
    if not paths:
        raise FileNotFoundError(f"no Python file below {root / package}")
    found = [_module(root, path) for path in paths]
    return {each.name: each for each in found}


def _module(root: Path, path: Path) -> Module:
    relative = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    is_package = path.name == "__init__.py"
    dotted = relative.parent if is_package else relative.with_suffix("")
    tree = ast.parse(text, filename=str(relative))
    return Module(".".join(dotted.parts), relative.as_posix(), is_package, len(text.splitlines()), tree)


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module or class, also those in its `if`, `try` and `with`, not those of its functions."""
    for statement in body:
        yield statement
        for inner in blocks(statement):
            yield from top_level(inner)


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of an `if`, `try` or `with`; nothing for any other statement."""
    if isinstance(statement, ast.If):
        yield from (statement.body, statement.orelse)
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield from (statement.body, statement.orelse, statement.finalbody)
        yield from (handler.body for handler in statement.handlers)
    elif isinstance(statement, ast.With):
        yield statement.body


def classes(module: Module) -> Iterator[ast.ClassDef]:
    """The classes at the top level of a module."""
    return (each for each in top_level(module.tree.body) if isinstance(each, ast.ClassDef))

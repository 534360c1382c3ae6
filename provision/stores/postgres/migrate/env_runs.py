"""Tells from the text of env.py whether it runs the migrations once, as all but those do that move several schemas."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from provision.errors import ConfigError
from provision.model import StoreOptions

_RUNS = "run_migrations"
_MANY = 2
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Functions = Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]


def once(text: str) -> bool:
    """True when the text shows that it runs them once; False where that cannot be told without running it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    return _count(tree.body, functions, ()) == 1


def _count(nodes: Iterable[ast.AST], functions: _Functions, inside: tuple[str, ...]) -> int:
    """How often the nodes run the migrations at most; from the second time on, how often does not matter."""
    return min(sum(_count_of(each, functions, inside) for each in nodes), _MANY)


def _count_of(node: ast.AST, functions: _Functions, inside: tuple[str, ...]) -> int:
    if isinstance(node, ast.If | ast.IfExp):
        either = [each if isinstance(each, list) else [each] for each in (node.body, node.orelse)]
        return _count([node.test], functions, inside) + max(_count(each, functions, inside) for each in either)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        # One below another function may be called from there; at the top it counts where it is named.
        return 0 if functions.get(node.name) is node else _count(node.body, functions, inside)
    if isinstance(node, ast.Attribute) and node.attr == _RUNS:
        return 1
    if isinstance(node, ast.Name) and node.id in functions:
        return _count(functions[node.id].body, functions, (*inside, node.id)) if node.id not in inside else _MANY
    found = _count(ast.iter_child_nodes(node), functions, inside)
    return _MANY if found and isinstance(node, _LOOPS) else found


def refused(options: StoreOptions, runs: int) -> Iterator[ConfigError]:
    """The error for an env.py that runs the migrations not once but `runs` times."""
    where = options.shown(options.path / "env.py")
    if runs == 0:
        what = f"env.py of {options.name} does not come to context.run_migrations()"
        yield ConfigError("env-failed", what, where=where, fix="let it run them once")
    elif runs > 1:
        yield ConfigError(
            "several-runs",
            f"env.py of {options.name} runs the migrations {runs} times, and a store has one schema and one history",
            where=where,
            fix="let env.py run them once, for the schema that its url names (?options=-csearch_path%3DNAME), and write"
            " a store with such a url, the same path and version_table_schema for each schema",
        )

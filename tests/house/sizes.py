"""How long files and functions are."""

from __future__ import annotations

import ast
import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.house.source import Module, Modules

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sized:
    """A file or a function and its lines."""

    lines: int
    name: str  # of a function: Class.method, outer.inner
    place: str  # path, of a function path:line

    @property
    def path(self) -> str:
        return self.place.partition(":")[0]


@dataclass(frozen=True)
class Spread:
    """How the lines of many are spread; `longest` is None when there is none of them."""

    count: int
    median: int
    p90: int  # nine of ten are no longer
    longest: Sized | None


def files(modules: Modules) -> list[Sized]:
    """Every file, longest first."""
    return _longest_first(Sized(each.lines, each.path, each.path) for each in modules.values())


def functions(modules: Modules) -> list[Sized]:
    """Every function and method, longest first.

    From its `def` to its last line: the docstring counts, decorators do not. One inside another counts by itself, and
    its lines are lines of the outer one too.
    """
    return _longest_first(each for module in modules.values() for each in _functions(module, module.tree.body, ""))


def spread(sized: Sequence[Sized]) -> Spread:
    """Of things in any order; the percentile is that of the nearest rank."""
    if not sized:
        return Spread(0, 0, 0, None)
    lines = sorted(each.lines for each in sized)
    p90 = lines[math.ceil(0.9 * len(lines)) - 1]
    return Spread(len(lines), statistics.median_low(lines), p90, max(sized, key=lambda each: each.lines))


def above(sized: Iterable[Sized], limit: int) -> list[Sized]:
    """Those of more than `limit` lines, in the order given."""
    return [each for each in sized if each.lines > limit]


def _functions(module: Module, body: Iterable[ast.AST], outer: str) -> Iterator[Sized]:
    for node in body:
        inside = outer
        if isinstance(node, FunctionNode | ast.ClassDef):
            inside = f"{outer}{node.name}."
        if isinstance(node, FunctionNode):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            yield Sized(lines, inside.removesuffix("."), f"{module.path}:{node.lineno}")
        yield from _functions(module, ast.iter_child_nodes(node), inside)


def _longest_first(sized: Iterable[Sized]) -> list[Sized]:
    return sorted(sized, key=lambda each: (-each.lines, each.place))

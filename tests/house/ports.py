"""Which class implements which port: it has every member that the Protocol asks for, itself or by a base class."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.house.imports import bindings
from tests.house.source import Module, Modules, classes, top_level

Bound = Mapping[str, Mapping[str, str]]
"""Module → what its imports bind: name → what it stands for."""


@dataclass(frozen=True)
class Class:
    """A class at the top level of a module, with what its bases in the tree give it."""

    name: str
    module: str
    bases: frozenset[str]  # dotted, bases of bases included; of another library as they are imported: typing.Protocol
    members: frozenset[str]  # public: methods, class attributes, what methods set on `self`

    @property
    def is_protocol(self) -> bool:
        """Whether it states a port, and implements none."""
        return any(base.rpartition(".")[2] == "Protocol" for base in self.bases)

    def inherits(self, name: str) -> bool:
        """Whether a class of that name, wherever it is defined, is among its bases."""
        return any(base.rpartition(".")[2] == name for base in self.bases)


def every_class(modules: Modules) -> list[Class]:
    """The classes of all modules, in the order of the modules."""
    bound = {module.name: bindings(module) for module in modules.values()}
    nodes = {f"{module.name}.{node.name}": (module, node) for module in modules.values() for node in classes(module)}
    done: dict[str, Class] = {}

    def finished(dotted: str) -> Class:
        if dotted not in done:
            module, node = nodes[dotted]
            direct = [_origin(_dotted(base, module, bound), bound) for base in node.bases]
            above = [finished(base) for base in direct if base in nodes]
            own = frozenset(name for name in _members(node) if not name.startswith("_"))
            done[dotted] = Class(
                node.name,
                module.name,
                frozenset(direct).union(*(each.bases for each in above)),
                own.union(*(each.members for each in above)),
            )
        return done[dotted]

    return [finished(dotted) for dotted in nodes]


def implementing(found: list[Class], port: str) -> list[Class]:
    """The classes that implement the port of that name. Raises LookupError unless `provision.ports` states it once."""
    stated = [
        each for each in found if each.name == port and each.is_protocol and each.module.split(".")[1:2] == ["ports"]
    ]
    if len(stated) != 1:
        raise LookupError(f"provision.ports has {len(stated)} protocols called {port}")
    return [each for each in found if not each.is_protocol and stated[0].members <= each.members]


def _dotted(base: ast.expr, module: Module, bound: Bound) -> str:
    """`Base`, `module.Base` and `Base[T]` as a dotted name."""
    if isinstance(base, ast.Subscript):
        return _dotted(base.value, module, bound)
    if isinstance(base, ast.Attribute):
        return f"{_dotted(base.value, module, bound)}.{base.attr}"
    if isinstance(base, ast.Name):
        return bound[module.name].get(base.id, f"{module.name}.{base.id}")
    return ast.unparse(base)


def _origin(dotted: str, bound: Bound) -> str:
    """Where a name is defined that a module, such as the `__init__` of a package, imported to hand it on."""
    seen: set[str] = set()
    while dotted not in seen:
        seen.add(dotted)
        module, _, name = dotted.rpartition(".")
        dotted = bound.get(module, {}).get(name, dotted)
    return dotted


def _members(node: ast.ClassDef) -> Iterator[str]:
    for each in top_level(node.body):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name
            yield from _set_on_self(each)
        elif isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id


def _set_on_self(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The names of `self.name = …`, also in a tuple of targets."""
    return (
        each.attr
        for each in ast.walk(function)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
    )

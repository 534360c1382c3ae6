"""The parts of a store: each is found by what it defines, and must have the same name and place in every store."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tests.house.names import in_store
from tests.house.ports import Class, every_class, implementing
from tests.house.source import Module, Modules, top_level


@dataclass(frozen=True)
class Part:
    """A file, or a folder, right in the folder of a store, and what shows that a module belongs there."""

    name: str
    ports: tuple[str, ...] = ()  # protocols of provision.ports: a class implements one of them
    bases: tuple[str, ...] = ()  # names of classes that a class inherits from
    constants: tuple[str, ...] = ()  # names that are assigned at the top level
    returns: tuple[str, ...] = ()  # annotations: a public function at the top level returns one of them
    everywhere: bool = True  # every store has it


PARTS = (
    Part("store", ports=("Store",)),
    Part("ledger", ports=("Ledger",)),
    Part("lease", ports=("Leases",), everywhere=False),
    Part("marks", ports=("Marked",), everywhere=False),
    Part("peer", ports=("Peer",), everywhere=False),
    Part("server", constants=("OLDEST",)),
    Part("files", returns=("Documents", "Mapping[str, Script]", "tuple[Revision, ...]")),
    Part("migrate", ports=("Lane", "Statements", "Repeatables", "Leftovers"), bases=("OperationKind",)),
    Part("backfill", ports=("Batches", "Work", "Runs")),
    Part("validate", ports=("Checks", "Keyed", "History")),
    Part("maintain", ports=("Upkeep",), everywhere=False),
    Part("tune", ports=("Tuning",), everywhere=False),
    Part("partitions", ports=("Partitions",), everywhere=False),
    Part("lint", ports=("LintReader",)),
    # What `doctor` and `import` find, what a snapshot holds, and what `init` and `new` write.
    Part("setup", returns=("Sequence[Finding]", "Sequence[Found]", "Sequence[Path]", "Objects")),
)
# What any store may have beside the parts.
BESIDE = ("__init__", "names", "entries")

Evidence = Mapping[str, Mapping[str, str]]
"""Name of a part → dotted name of each module with something of it → what that is, in words."""


def evidence(modules: Modules, parts: Collection[Part] = PARTS) -> Evidence:
    """What shows of which module that it belongs to which part, its first sign alone.

    Raises LookupError for a port or a base class that is not there: the list of parts is then older than the source.
    """
    found = every_class(modules)
    return {part.name: dict(reversed([*_signs(part, modules, found)])) for part in parts}


def misplaced(part: Part, kind: str, modules: Modules, signs: Mapping[str, str]) -> list[str]:
    """What is wrong with a part of one store, a sentence each; nothing when it is where it belongs."""
    here = [each for each in modules.values() if in_store(each)[:1] == (kind,)]
    named = [each for each in here if in_store(each)[1] == part.name]
    wrong = [
        f"{each.path}: {signs[each.name]}, which belongs in {part.name}"
        for each in here
        if each.name in signs and each not in named
    ]
    if part.everywhere and not any(each.name in signs for each in here):
        wrong.append(f"provision/stores/{kind}: nothing is its {part.name}")
    if named and not any(each.name in signs for each in named):
        wrong.append(f"{named[0].path}: is called {part.name} and has nothing of it")
    return wrong


def strays(kind: str, modules: Modules, allowed: Collection[str] = ()) -> list[str]:
    """The files and folders right in a store's folder that are no part, nor BESIDE, nor allowed."""
    usual = {*BESIDE, *allowed, *(each.name for each in PARTS)}
    places = (in_store(each) for each in modules.values())
    return sorted({place[1] for place in places if place[:1] == (kind,) and place[1] not in usual})


def _signs(part: Part, modules: Modules, found: list[Class]) -> Iterator[tuple[str, str]]:
    for base in part.bases:
        if all(each.name != base for each in found):
            raise LookupError(f"no class is called {base}")
        yield from ((each.module, f"{each.name} is one of {base}") for each in found if each.inherits(base))
    for port in part.ports:
        yield from ((each.module, f"{each.name} implements {port}") for each in implementing(found, port))
    for module in modules.values():
        yield from ((module.name, sign) for sign in (*_constants(part, module), *_returns(part, module)))


def _constants(part: Part, module: Module) -> Iterator[str]:
    for statement in top_level(module.tree.body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names = (each.id for each in targets if isinstance(each, ast.Name))
        yield from (f"it states {name}" for name in names if name in part.constants)


def _returns(part: Part, module: Module) -> Iterator[str]:
    for each in top_level(module.tree.body):
        if isinstance(each, ast.FunctionDef) and each.returns and not each.name.startswith("_"):
            returned = ast.unparse(each.returns)
            if returned in part.returns:
                yield f"{each.name}() returns {returned}"

"""Goes through documents in their order as a server that begins empty would, and tells what it would not do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents import Document
from provision.documents.operation import OperationKind, World
from provision.errors import ConfigError


def contradictions(
    found: Sequence[Document], operations: Mapping[str, OperationKind[Any]], world: World
) -> Iterator[ConfigError]:
    """What is wrong between documents that are each right by themselves; the world is left as their `up` leaves it."""
    for document in found:
        for index, each in enumerate(document.up):
            world.place = f"{document.shown}:{each.line}"
            for problem in operations[each.name].effect(world, each.body):
                yield document.wrong(problem.what, ("up", index, each.name, *problem.path), problem.fix)

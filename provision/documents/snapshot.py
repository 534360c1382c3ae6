"""What a store of documents is made of: the operations that would make what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from provision.documents import Found

NAMES = ("name", "class", "alias", "stream", "database", "key", "pattern", "collection", "library")
SHOWN = 80  # letters of an operation that names nothing


def objects(found: Sequence[Found]) -> Mapping[str, str]:
    """Each operation that was found, by its own name and that of what it makes; what none can make is a line, too.

    Not what stands beside all databases, as users do: every server has its own.
    """
    made: dict[str, str] = {}
    for each in (each for each in found if each.operations):
        for operation, body in each.operations:
            text = json.dumps(body, sort_keys=True, ensure_ascii=False)
            named = " ".join(str(body[key]) for key in NAMES if isinstance(body.get(key), str))
            made[_free(made, f"{operation} {named or text[:SHOWN]}")] = text
        for line in each.left_out:
            made[_free(made, f"{each.message} {line}")] = "made by no document"
    return dict(sorted(made.items()))


def _free(made: Mapping[str, str], name: str) -> str:
    """The name, with a number behind it where it is taken."""
    number, free = 1, name
    while free in made:
        number += 1
        free = f"{name} ({number})"
    return free

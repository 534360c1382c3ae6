"""Holds what a document states against what is there, key by key; what it does not state is the server's business."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
# The server leaves these out of its answers.
EMPTY: tuple[Any, ...] = (None, False, "", 0, [], {})


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as stated; `path` names properties and vectors by their names."""

    path: Path
    stated: Any
    found: Any

    def words(self, subject: str) -> str:
        """The difference as a sentence."""
        wanted = _short(json.dumps(self.stated, ensure_ascii=False))
        if self.found is None:
            return f"{subject} has no {dotted(self.path)}, the file says {wanted}"
        there = _short(json.dumps(self.found, ensure_ascii=False))
        return f"{subject} has {dotted(self.path)} {there}, the file says {wanted}"


def differences(stated: Any, found: Any, path: Path = ()) -> Iterator[Difference]:
    """Each thing in which `found` is not as stated."""
    if isinstance(stated, Mapping) and isinstance(found, Mapping):
        for key, value in stated.items():
            yield from differences(value, found.get(key), (*path, key))
    elif _named(stated) and (found is None or _named(found)):
        there = by_name(found or ())
        for name, value in by_name(stated).items():
            yield from differences(value, there.get(name), (*path, name))
    elif not _same(stated, found):
        yield Difference(path, stated, found)


def by_name(listed: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Properties or tenants by their names; the server answers them in an order of its own."""
    return {each["name"]: each for each in listed}


def dotted(path: Path) -> str:
    return ".".join(path)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "name" in each for each in value)


def _same(stated: Any, found: Any) -> bool:
    if isinstance(stated, bool) or isinstance(found, bool):
        return stated is found or (found is None and stated is False)
    if isinstance(stated, int | float) and isinstance(found, int | float):
        # The server keeps four bytes of a number such as bm25.b.
        return math.isclose(stated, found, rel_tol=1e-6)
    return bool(stated == found) or (found is None and stated in EMPTY)


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"

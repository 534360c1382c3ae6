"""The operations that make the objects of one snapshot those of another, of a kind whose migrations are documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from provision.documents import folder
from provision.model import StoreOptions
from provision.ports.kind import Change, Objects

# What others stand on comes first.
_FIRST = ("database", "analyzer", "collection", "retention_policy", "stream", "function", "key_family")
_TAKEN = "it is another; make it anew under another name, or change it back by hand"


class DocumentChanges(NamedTuple):
    """`package` is that of the kind."""

    package: str

    def changes(self, before: Objects, after: Objects) -> list[Change]:
        """What is dropped, then what is made and altered; a statement is one operation as YAML takes it."""
        names = [each for each in {**before, **after} if before.get(each) != after.get(each)]
        dropped = sorted((each for each in names if each not in after), key=_place, reverse=True)
        rest = sorted((each for each in names if each in after), key=_place)
        return [self._change(each, before.get(each), after.get(each)) for each in (*dropped, *rest)]

    def write(
        self, options: StoreOptions, message: str, up: Sequence[Change], down: Sequence[Change]
    ) -> Sequence[Path]:
        """Write the document that makes the changes where they are not made yet. Raises as `draft.write`."""
        text = f"{folder.header(options)}description: {folder.plain(message)}\n"
        text += "".join(_listed("up", up)) + "".join(_listed("down", down))
        return [folder.write_next(options, message, text)]

    def _change(self, name: str, before: str | None, after: str | None) -> Change:
        operations: Mapping[str, Any] = import_module(f"{self.package}.migrate.operations").OPERATIONS
        word = name.split(" ", 1)[0]
        kind = operations.get(word)
        if kind is None:
            return Change(name, (), "no document makes it: change it by hand")
        if before is None or after is None:
            body = json.loads(after or before or "{}")
            made = (word, body) if before is None else kind.inverse(body)
            if made is None or not self._valid(*made):
                return Change(name, (), "a document needs more than what the server tells: write it by hand")
            return Change(name, (_shown(*made),))
        altered = kind.altered(json.loads(before), json.loads(after))
        if altered and all(self._valid(*each) for each in altered):
            return Change(name, tuple(_shown(*each) for each in altered))
        return Change(name, (), _TAKEN)

    def _valid(self, name: str, body: object) -> bool:
        """Whether a document may say it."""
        import jsonschema_rs

        schema = import_module(f"{self.package}.files").schema()
        return bool(jsonschema_rs.is_valid(schema, {"description": "one", "up": [{name: body}], "down": "auto"}))


def _place(name: str) -> tuple[int, str]:
    word = name.split(" ", 1)[0]
    found = (place for place, end in enumerate(_FIRST) if word.endswith(end))
    return next(found, len(_FIRST)), name


def _shown(name: str, body: object) -> str:
    return f"{name}: {json.dumps(body, ensure_ascii=False)}"


def _listed(word: str, found: Sequence[Change]) -> Iterator[str]:
    lines = [line for each in found for line in each.statements]
    yield f"{word}:\n" if lines else f"{word}: []\n"
    yield from (f"  - {{{line}}}\n" for line in lines)
    yield from (f"# by hand: {each.object}: {each.by_hand}\n" for each in found if each.by_hand)

"""Documents, and files of classes: JSON, or Python that assigns them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents.lint import DocumentReader
from provision.documents.source import Documents
from provision.lint.text import lines_of
from provision.model import StoreOptions
from provision.model.lint import Place, Unit, behind


class WeaviateReader(DocumentReader):
    """`provision.ports.lint.LintReader`. Each class of a plain file is a `create_collection`."""

    suffixes = (".json", ".py")

    def documents(self, options: StoreOptions) -> Documents:
        from provision.stores.weaviate.files import documents

        return documents(options)

    def units(self, text: str, file: str) -> Sequence[Unit]:
        return list(_units(text, file))


READER = WeaviateReader


def _units(text: str, file: str) -> Iterator[Unit]:
    locate = lines_of(text)
    at = 0
    for body in _classes(text):
        if not isinstance(body, Mapping):
            continue
        at = max(_name_at(text, "class", str(body.get("class", "")), at), 0)
        places: dict[tuple[str | int, ...], Place] = {}
        end = at
        for number, each in enumerate(body.get("properties") or ()):
            end = max(_name_at(text, "name", str(each.get("name", "")), end), end)
            places["properties", number] = locate(end)
        if "vectorizer" in body and (found := re.compile(r"""["']vectorizer["']""").search(text, end)):
            places["vectorizer",] = locate(found.start())
            end = found.start()
        place = locate(at)
        yield Unit(
            "create_collection", body, text[at:end], file, place, locate(end).line, behind(locate, at), places=places
        )
        at = end


def _classes(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return _assigned(text)
    if isinstance(found, Mapping) and "classes" in found:
        found = found["classes"]
    return found if isinstance(found, list) else [found]


def _assigned(text: str) -> list[Any]:
    """The dicts with a class that a Python file assigns; a file that is neither has none."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            if "class" in value:
                found.append(value)
    return found


def _name_at(text: str, key: str, value: str, start: int) -> int:
    """Where `"key": "value"` stands from `start` on; -1 where it does not."""
    found = re.compile(rf"""["']{key}["']\s*:\s*["']{re.escape(value)}["']""").search(text, start)
    return found.start() if found else -1

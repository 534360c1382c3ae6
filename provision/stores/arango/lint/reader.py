"""Documents, and files of arangosh: what `db` and the graph module make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from provision.documents.lint import DocumentReader
from provision.documents.source import Documents
from provision.lint.text import lines_of
from provision.model import StoreOptions
from provision.model.lint import Unit, behind

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CALL = re.compile(
    r"""(?P<collection>db\._create(?P<edge>EdgeCollection)?\(\s*["'](?P<made>[^"']+)["'][^)]*\))"""
    r"""|(?P<index>db(?:\.(?P<of>[\w$]+)|\[["'](?P<key>[^"']+)["']\]|\._collection\(\s*["'](?P<named>[^"']+)["']\s*\))\s*\.ensureIndex\((?P<options>[^)]*)\))"""
    r"""|(?P<graph>(?:\w*[gG]raph\w*|require\([^)]*general-graph["']\))\._create\((?P<parts>.*?)\)\s*;)"""
    r"""|(?P<loose>^\{(?=\s*["']))""",
    re.DOTALL | re.MULTILINE,
)

_OBJECT = re.compile(r"\{[^{}]*\}")  # one that holds no other


class ArangoReader(DocumentReader):
    """`provision.ports.lint.LintReader`."""

    suffixes = (".js",)

    def documents(self, options: StoreOptions) -> Documents:
        from provision.stores.arango.files import documents

        return documents(options)

    def units(self, text: str, file: str) -> Sequence[Unit]:
        return list(_units(text, file))


READER = ArangoReader


def _units(text: str, file: str) -> Iterator[Unit]:
    locate = lines_of(text)
    if file.endswith(".json") or _has_index(text):
        yield from _of_json(text, file)
        return
    shorn = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for found in _CALL.finditer(shorn):
        name, body = _read(found)
        place, last = locate(found.start()), locate(found.end()).line
        yield Unit(name, body, found[0], file, place, last, behind(locate, found.start()))


def _has_index(text: str) -> bool:
    """A whole document of JSON that describes an index, as the dump of a collection does."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return next(_of_json(text, ""), None) is not None


def _of_json(text: str, file: str) -> Iterator[Unit]:
    """The indexes that a document of JSON describes."""
    locate = lines_of(text)
    for found in _OBJECT.finditer(text):
        try:
            body = json.loads(found[0])
        except ValueError:  # what stands in a text
            continue
        if isinstance(body.get("fields"), list) and isinstance(body.get("type"), str):
            place, last = locate(found.start()), locate(found.end()).line
            yield Unit("create_index", body, found[0], file, place, last, behind(locate, found.start()))


def _read(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    if found["collection"]:
        return "create_collection", {"name": found["made"], "type": 3 if found["edge"] else 2}
    if found["index"]:
        kind = re.search(r"""["']?type["']?\s*:\s*["'](\w+)["']""", found["options"])
        fields = re.search(r"""["']?fields["']?\s*:\s*\[(.*?)\]""", found["options"], re.DOTALL)
        names = re.findall(r"""["']([^"']+)["']""", fields[1]) if fields else []
        return "create_index", {
            "collection": found["of"] or found["key"] or found["named"],
            "type": kind[1] if kind else "",
            "fields": names,
        }
    if found["graph"]:
        used = re.findall(r"""["']([^"']+)["']""", found["parts"])
        return "create_graph", {
            "name": used[0] if used else "",
            "edgeDefinitions": [{"collection": each} for each in used],
        }
    return "loose_object", {}

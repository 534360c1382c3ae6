"""Documents and files of InfluxQL: continuous queries in the form of rollups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from provision.documents.lint import DocumentReader
from provision.documents.source import Documents
from provision.lint.text import lines_of
from provision.model import StoreOptions
from provision.model.lint import Unit, behind

_PASSED = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_PIECE = re.compile(r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^;'\"])+")
_NAME = r"(\"(?:[^\"\\]|\\.)*\"|\w+)"
_DATABASE = re.compile(rf"CREATE\s+DATABASE\s+{_NAME}(.*)", re.IGNORECASE | re.DOTALL)
_POLICY = re.compile(rf"(?:CREATE|ALTER)\s+RETENTION\s+POLICY\s+{_NAME}\s+ON\s+{_NAME}(.*)", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(
    rf"CREATE\s+CONTINUOUS\s+QUERY\s+{_NAME}\s+ON\s+{_NAME}\s*(?P<resample>RESAMPLE.*?)?\bBEGIN\b\s*SELECT\s(?P<fields>.*?)"
    r"\bINTO\s+(?P<into>\S+)\s+FROM\s+(?P<from>\S+)(?P<where>\s+WHERE\s.*?)?\s*(?:\bGROUP\s+BY\s(?P<group>.*?))?\bEND\b",
    re.IGNORECASE | re.DOTALL,
)


class InfluxReader(DocumentReader):
    """`provision.ports.lint.LintReader`."""

    suffixes = (".influxql", ".iql")

    def documents(self, options: StoreOptions) -> Documents:
        from provision.stores.influx.files import documents

        return documents(options)

    def units(self, text: str, file: str) -> Sequence[Unit]:
        return list(_units(text, file))

    def expanded(self, unit: Unit) -> Sequence[Unit]:
        if unit.name != "influxql":
            return (unit,)
        inside = _units(str(unit.body["statement"]), unit.file)
        return [replace(each, place=unit.place, last=unit.last, locate=unit.locate, start=None) for each in inside]


READER = InfluxReader


def _units(text: str, file: str) -> Iterator[Unit]:
    locate = lines_of(text)
    shorn = _PASSED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for piece in _PIECE.finditer(shorn):
        written = piece[0].strip()
        if written:
            start = piece.start() + piece[0].index(written[0])
            name, body = _read(written)
            place, last = locate(start), locate(start + len(written)).line
            yield Unit(name, body, written, file, place, last, behind(locate, start), start)


def _read(text: str) -> tuple[str, dict[str, Any]]:
    """The operation that a statement is, and its body as a document would have it."""
    if found := _DATABASE.match(text):
        return "create_database", {"name": _bare(found[1])}
    if found := _POLICY.match(text):
        default = re.search(r"\bDEFAULT\b", found[3], re.IGNORECASE) is not None
        return "create_retention_policy", {"name": _bare(found[1]), "database": _bare(found[2]), "default": default}
    if found := _QUERY.match(text):
        return "create_rollup", _rollup(found)
    return "influxql", {"statement": text}


def _rollup(found: re.Match[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": _bare(found[1]),
        "database": _bare(found[2]),
        "from": _measurement(found["from"]),
        "into": _measurement(found["into"]),
        "fields": dict(_fields(found["fields"])),
        "group_by": [each.strip() for each in (found["group"] or "").split(",")],
        "where": (found["where"] or "").strip(),
    }
    return body | ({"late": found["resample"].strip()} if found["resample"] else {})


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Alias → expression of each field."""
    for number, part in enumerate(re.findall(r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[^,()])+", text)):
        named = re.search(rf"^(.*?)\s+AS\s+{_NAME}\s*$", part.strip(), re.IGNORECASE | re.DOTALL)
        yield (_bare(named[2]), named[1].strip()) if named else (f"field {number + 1}", part.strip())


def _measurement(text: str) -> dict[str, str]:
    """Retention policy and measurement of `"rp"."m"` or `"db"."rp"."m"`."""
    parts = [_bare(each) for each in re.findall(_NAME, text)]
    return {"tier": parts[-2] if len(parts) > 1 else "", "measurement": parts[-1] if parts else ""}


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name

"""/_api/import"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.doubles.arango import documents
from tests.doubles.arango.collections import Collection
from tests.doubles.arango.documents import How
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call, route
from tests.doubles.served.messages import Answer

_DUPLICATE = ("error", "update", "replace", "ignore")


@route("POST /_api/import")
def load(call: Call) -> Answer:
    collection = call.database.collection(call.request.query.get("collection", ""))
    call.may("rw", collection.name)
    duplicate = call.request.query.get("onDuplicate", "error")
    if duplicate not in _DUPLICATE:
        raise Refused(400, "invalid value for onDuplicate")
    counted = {"created": 0, "errors": 0, "empty": 0, "updated": 0, "ignored": 0}
    details: list[str] = []
    before = dict(collection.documents)
    if call.flag("overwrite"):
        collection.documents.clear()
    for position, each in enumerate(_read(call), start=1):
        try:
            counted[_one(collection, each, duplicate, call)] += 1
        except Refused as refused:
            if call.flag("complete"):
                collection.documents = before
                raise Refused(refused.number, status=409 if refused.number == 1210 else 400) from None
            counted["errors"] += 1
            details.append(f"at position {position}: creating document failed with error '{refused.said}'")
    shown = {"details": details} if call.flag("details") else {}
    return Answer(201, {"error": False, **counted, **shown})


def _one(collection: Collection, body: Any, duplicate: str, call: Call) -> str:
    """Which count a line raises. Raises Refused."""
    if body is None:
        return "empty"
    body = _prefixed(body, call) if isinstance(body, dict) else body
    if duplicate == "ignore" and isinstance(body, dict) and body.get("_key") in collection.documents:
        return "ignored"
    mode = "conflict" if duplicate in ("error", "ignore") else duplicate
    written = documents.insert(collection, body, How(mode))
    return "updated" if written.old is not None else "created"


def _prefixed(body: dict[str, Any], call: Call) -> dict[str, Any]:
    made = dict(body)
    for end, name in (("_from", "fromPrefix"), ("_to", "toPrefix")):
        prefix = call.request.query.get(name)
        if prefix and isinstance(made.get(end), str) and "/" not in made[end]:
            made[end] = f"{prefix.rstrip('/')}/{made[end]}"
    return made


def _read(call: Call) -> Iterator[Any]:
    """The documents; None for an empty line. Raises Refused (400, 600)."""
    text = call.request.body.decode()
    kind = call.request.query.get("type", "")
    if kind == "auto":
        kind = "list" if text.lstrip().startswith("[") else "documents"
    if kind in ("list", "array"):
        found = _json(text)
        if not isinstance(found, list):
            raise Refused(400, "expecting a JSON array in the request")
        yield from found
    elif kind == "documents":
        yield from (_json(line) if line.strip() else None for line in text.splitlines())
    else:
        yield from _with_header(text)


def _with_header(text: str) -> Iterator[Any]:
    """Lines that are arrays, the first one holding the names."""
    lines = text.splitlines()
    names = _json(lines[0]) if lines and lines[0].strip() else None
    if not isinstance(names, list):
        raise Refused(400, "no JSON array found in first line")
    for line in lines[1:]:
        values = _json(line) if line.strip() else None
        yield None if values is None else dict(zip(names, values, strict=False))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(600, f"VPackError error: {error}") from None

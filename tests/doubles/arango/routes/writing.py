"""How a written document is told of: status, headers, old and new."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

from tests.doubles.arango.collections import Collection
from tests.doubles.arango.documents import Written
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call
from tests.doubles.served.messages import Answer


def status_of(call: Call, collection: Collection, removing: bool) -> int:
    """202, or where it is synced to disk before the answer 201, 200 for a removal."""
    synced = call.flag("waitForSync") or collection.properties["waitForSync"]
    return (200 if removing else 201) if synced else 202


def told(call: Call, written: Written) -> dict[str, Any]:
    said = dict(written.brief)
    if call.flag("returnOld") and written.old is not None:
        said["old"] = written.old
    if call.flag("returnNew") and written.new is not None:
        said["new"] = written.new
    return said


def written_one(call: Call, collection: Collection, written: Written) -> Answer:
    status = status_of(call, collection, written.new is None)
    if call.flag("silent"):
        return Answer(status, {})
    brief = written.brief
    path = f"/_db/{call.database.name}/_api/document/{collection.name}/{quote(brief['_key'], safe='')}"
    return Answer(status, told(call, written), headers={"Etag": f'"{brief["_rev"]}"', "Location": path})


def written_many(call: Call, found: list[Any], status: int) -> Answer:
    """`found` holds what was written, what was read, and what was refused."""
    counted = Counter(each.number for each in found if isinstance(each, Refused))
    headers = {}
    if counted:
        headers["X-Arango-Error-Codes"] = ",".join(f"{number}:{times}" for number, times in counted.items())
    if call.flag("silent"):
        return Answer(status, [each.item() for each in found if isinstance(each, Refused)] or {}, headers=headers)
    return Answer(status, [_item(call, each) for each in found], headers=headers)


def _item(call: Call, found: Any) -> Any:
    if isinstance(found, Refused):
        return found.item()
    return told(call, found) if isinstance(found, Written) else found

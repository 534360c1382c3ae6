"""/_api/cursor, /_api/query and /_api/explain"""

from __future__ import annotations

from typing import Any

from tests.doubles.arango.aql.clauses import parsed
from tests.doubles.arango.aql.run import Query
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routes.documents import _STATS
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_AT = "/_api/cursor/{cursor-identifier}"
BATCH = 1000


@route("POST /_api/cursor")
def run(call: Call) -> Answer:
    call.may("ro")
    asked = call.fields
    query = Query(call.database, asked.get("query") or "", asked.get("bindVars") or {}, call.user)
    for name in query.writes_to:
        call.may("rw", name)
    found = query.result()
    size = asked.get("batchSize") or BATCH
    more: dict[str, Any] = {"count": len(found)} if asked.get("count") else {}
    options = asked.get("options") or {}
    full = {"fullCount": query.full_count or len(found)} if options.get("fullCount") else {}
    extra = {"warnings": [], "stats": {**_STATS, **query.stats, **full}}
    waiting = Waiting(call.database.ticks.id(), found, size, more, extra)
    return waiting.next(call, 201)


class Waiting:
    """What of a result was not yet asked for."""

    def __init__(self, id: str, rest: list[Any], size: int, more: dict[str, Any], extra: dict[str, Any]) -> None:
        self.id, self.rest, self.size, self.more, self.extra = id, rest, size, more, extra

    def next(self, call: Call, status: int) -> Answer:
        batch, self.rest = self.rest[: self.size], self.rest[self.size :]
        if self.rest:
            call.database.cursors[self.id] = self
        else:
            call.database.cursors.pop(self.id, None)
        body = {"result": batch, "hasMore": bool(self.rest)} | ({"id": self.id} if self.rest else {})
        return Answer(
            status, {**body, **self.more, "cached": False, "extra": self.extra, "error": False, "code": status}
        )


@route(f"POST {_AT}", f"PUT {_AT}")
def following(call: Call) -> Answer:
    return _waiting(call).next(call, 200)


@route(f"DELETE {_AT}")
def close(call: Call) -> Answer:
    del call.database.cursors[_waiting(call).id]
    return said(202, id=call["cursor-identifier"])


def _waiting(call: Call) -> Waiting:
    found: Waiting | None = call.database.cursors.get(call["cursor-identifier"])
    if found is None:
        raise Refused(1600)
    return found


@route("POST /_api/query")
def check(call: Call) -> Answer:
    clauses = parsed(call.fields.get("query") or "")
    return said(200, parsed=True, collections=[], bindVars=[], ast=[{"type": each[0]} for each in clauses])


@route("POST /_api/explain")
def explain(call: Call) -> Answer:
    """What the plan says of collections and of writes; its nodes are not made."""
    call.may("ro")
    asked = call.fields
    query = Query(call.database, asked.get("query") or "", asked.get("bindVars") or {}, call.user)
    used = dict.fromkeys(query.changed, "write")
    used = {**dict.fromkeys(query.named, "read"), **used}
    plan = {
        "nodes": [],
        "rules": [],
        "collections": [{"name": name, "type": kind} for name, kind in sorted(used.items())],
        "variables": [],
        "estimatedCost": 1,
        "estimatedNrItems": 1,
        "isModificationQuery": bool(query.changed),
    }
    return said(200, plan=plan, cacheable=True, warnings=[], stats={"rulesExecuted": 0})


@route("GET /_api/query/current", "GET /_api/query/slow")
def current(call: Call) -> Answer:
    del call
    return Answer(200, [])


@route("DELETE /_api/query/{query-id}")
def kill(call: Call) -> Answer:
    raise Refused(404, f"query '{call['query-id']}' not found")

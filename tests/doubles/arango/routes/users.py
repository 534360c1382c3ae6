"""/_api/user: who there is and what each may do."""

from __future__ import annotations

from typing import Any

from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_USER = "/_api/user/{user}"
_LEVELS = ("rw", "ro", "none")


def _told(call: Call, name: str) -> dict[str, Any]:
    found = call.server.users.user(name)
    return {"user": name, "active": found["active"], "extra": found["extra"]}


def _administers(call: Call) -> None:
    """Raises Refused (11, 1004)."""
    if call.server.users.level(call.user, "_system") != "rw":
        raise Refused(11)
    if call.server.read_only:
        raise Refused(1004)


@route("GET /_api/user")
def listed(call: Call) -> Answer:
    return said(200, result=[_told(call, name) for name in call.server.users.known])


@route("POST /_api/user")
def create(call: Call) -> Answer:
    _administers(call)
    asked = call.fields
    name = asked.get("user", "")
    call.server.users.add(name, asked.get("passwd", ""), bool(asked.get("active", True)), asked.get("extra"))
    return said(201, **_told(call, name))


@route(f"GET {_USER}")
def one(call: Call) -> Answer:
    return said(200, **_told(call, call["user"]))


@route(f"PATCH {_USER}", f"PUT {_USER}")
def change(call: Call) -> Answer:
    _administers(call)
    found = call.server.users.user(call["user"])
    found |= {name: call.fields[name] for name in ("passwd", "active", "extra") if name in call.fields}
    return said(200, **_told(call, call["user"]))


@route(f"DELETE {_USER}")
def remove(call: Call) -> Answer:
    _administers(call)
    call.server.users.user(call["user"])
    del call.server.users.known[call["user"]], call.server.users.grants[call["user"]]
    return said(202)


@route(f"GET {_USER}/database")
def databases(call: Call) -> Answer:
    users, name = call.server.users, call["user"]
    users.user(name)
    if not call.flag("full"):
        return said(200, result={each: users.level(name, each) for each in call.server.databases})
    full = {
        each: {
            "permission": users.level(name, each),
            "collections": {inner: users.level(name, each, inner) for inner in (*found.collections, "*")},
        }
        for each, found in call.server.databases.items()
    }
    return said(200, result=full)


@route(f"GET {_USER}/database/{{dbname}}", f"GET {_USER}/database/{{dbname}}/{{collection}}")
def level(call: Call) -> Answer:
    call.server.users.user(call["user"])
    return said(200, result=call.server.users.level(call["user"], call["dbname"], call.variables.get("collection", "")))


@route(f"PUT {_USER}/database/{{dbname}}", f"PUT {_USER}/database/{{dbname}}/{{collection}}")
def grant(call: Call) -> Answer:
    _administers(call)
    call.server.users.user(call["user"])
    wanted = call.fields.get("grant")
    if wanted not in _LEVELS:
        raise Refused(10, "grant must be rw, ro or none")
    named = call.variables.get("collection", "")
    call.server.users.grants[call["user"]].setdefault(call["dbname"], {})[named] = wanted
    place = f"{call['dbname']}/{named}" if named else call["dbname"]
    return said(200, **{place: wanted})


@route(f"DELETE {_USER}/database/{{dbname}}", f"DELETE {_USER}/database/{{dbname}}/{{collection}}")
def revoke(call: Call) -> Answer:
    _administers(call)
    call.server.users.user(call["user"])
    held = call.server.users.grants[call["user"]]
    if "collection" in call.variables:
        held.get(call["dbname"], {}).pop(call["collection"], None)
    else:
        held.pop(call["dbname"], None)
    return said(202)

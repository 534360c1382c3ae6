"""/_api/database"""

from __future__ import annotations

from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import check_database
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_SYSTEM = "/_db/_system"


@route("GET /_api/database/current")
def current(call: Call) -> Answer:
    found = call.database
    system = found.name == "_system"
    return said(200, result={"id": found.id, "name": found.name, "isSystem": system, "path": "none"})


@route("GET /_api/database/user")
def mine(call: Call) -> Answer:
    users = call.server.users
    return said(200, result=[name for name in call.server.databases if users.level(call.user, name) != "none"])


@route("GET /_api/database", prefix=_SYSTEM)
def listed(call: Call) -> Answer:
    return said(200, result=list(call.server.databases))


@route("POST /_api/database", prefix=_SYSTEM)
def create(call: Call) -> Answer:
    call.may("rw")
    name = check_database(call.fields.get("name"))
    if name in call.server.databases:
        raise Refused(1207)
    call.server.databases[name] = Database(name, call.server.ticks)
    for each in call.fields.get("users") or [{"username": "root"}]:
        user = each.get("username") or each.get("user")
        if user not in call.server.users.known:
            call.server.users.add(user, each.get("passwd", ""), bool(each.get("active", True)), each.get("extra"))
        call.server.users.grants[user].setdefault(name, {})[""] = "rw"
        call.server.users.grants[user][name]["*"] = "rw"
    return said(201, result=True)


@route("DELETE /_api/database/{database-name}", prefix=_SYSTEM)
def drop(call: Call) -> Answer:
    call.may("rw")
    name = call["database-name"]
    if name == "_system":
        raise Refused(11)
    call.server.database(name)
    del call.server.databases[name]
    return said(200, result=True)

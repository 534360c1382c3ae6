"""/api/v2/authorizations: tokens and what they may do."""

from __future__ import annotations

import secrets
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import now
from tests.doubles.influx2.times import shown
from tests.doubles.served.messages import Answer

Token = dict[str, Any]
_ONE = "/api/v2/authorizations/{authID}"
_TYPES = ("authorizations", "buckets", "dbrp", "orgs", "tasks", "users")


def told(call: Call, token: Token, *, secret: bool) -> Token:
    state = call.state
    every = [{"action": action, "resource": {"type": kind}} for kind in _TYPES for action in ("read", "write")]
    known = {name: token[name] for name in ("id", "status", "description", "orgID", "userID", "createdAt", "updatedAt")}
    return {
        **known,
        **({"token": token["token"]} if secret else {}),
        "org": state.orgs[token["orgID"]]["name"],
        "user": state.users[token["userID"]]["name"],
        "permissions": every if token["permissions"] is None else token["permissions"],
        "links": {"self": f"/api/v2/authorizations/{token['id']}", "user": f"/api/v2/users/{token['userID']}"},
    }


def _found(call: Call, action: str) -> Token:
    found = call.state.tokens.get(call["authID"])
    if found is None:
        raise Refused("not found", "authorization not found")
    call.may(action, "authorizations", found["orgID"], found["id"])
    return found


@route("GET /api/v2/authorizations")
def listed(call: Call) -> Answer:
    found = [
        each for each in call.state.tokens.values() if call.allowed("read", "authorizations", each["orgID"], each["id"])
    ]
    if wanted := call.query("token"):
        found = [each for each in found if each["token"] == wanted]
    shown_ = [told(call, each, secret=True) for each in found]
    return Answer(200, {"links": {"self": "/api/v2/authorizations"}, "authorizations": shown_})


@route("POST /api/v2/authorizations")
def create(call: Call) -> Answer:
    asked = call.fields
    if asked["orgID"] not in call.state.orgs:
        raise Refused("not found", "organization not found")
    call.may("write", "authorizations", asked["orgID"])
    user = asked.get("userID") or next(iter(call.state.users))
    id = call.state.add_token(secrets.token_urlsafe(32), asked["orgID"], user, asked["permissions"])
    made = call.state.tokens[id]
    made |= {name: asked[name] for name in ("description", "status") if name in asked}
    return Answer(201, told(call, made, secret=True))


@route(f"GET {_ONE}")
def one(call: Call) -> Answer:
    return Answer(200, told(call, _found(call, "read"), secret=True))


@route(f"PATCH {_ONE}")
def change(call: Call) -> Answer:
    found = _found(call, "write")
    found |= {name: call.fields[name] for name in ("description", "status") if name in call.fields}
    found["updatedAt"] = shown(now())
    return Answer(200, told(call, found, secret=True))


@route(f"DELETE {_ONE}")
def drop(call: Call) -> Answer:
    del call.state.tokens[_found(call, "write")["id"]]
    return Answer(204, kind="")

"""/api/v2/orgs and /api/v2/me"""

from __future__ import annotations

from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routes.paging import page
from tests.doubles.influx2.routing import Call, route
from tests.doubles.served.messages import Answer

_PARTS = ("buckets", "dashboards", "labels", "members", "owners", "secrets", "tasks")


def told(org: dict[str, Any]) -> dict[str, Any]:
    links = {"self": f"/api/v2/orgs/{org['id']}"} | {each: f"/api/v2/orgs/{org['id']}/{each}" for each in _PARTS}
    return {"links": links, **org}


@route("GET /api/v2/orgs")
def listed(call: Call) -> Answer:
    named = call.query("orgID", "org")
    found = [call.state.org(named)] if named else list(call.state.orgs.values())
    visible = [each for each in found if call.allowed("read", "orgs", each["id"], each["id"])]
    if named and not visible:
        raise Refused("not found", f'organization name "{named}" not found')
    kept, links = page(call, visible, "/api/v2/orgs", lambda each: each["id"])
    return Answer(200, {"links": links, "orgs": [told(each) for each in kept]})


@route("POST /api/v2/orgs")
def create(call: Call) -> Answer:
    if call.permissions is not None:
        raise Refused("unauthorized", "write:orgs is unauthorized")
    return Answer(201, told(call.state.orgs[call.state.add_org(call.fields["name"])]))


@route("GET /api/v2/orgs/{orgID}")
def one(call: Call) -> Answer:
    if call["orgID"] not in call.state.orgs:
        raise Refused("not found", "organization not found")
    call.may("read", "orgs", call["orgID"], call["orgID"])
    return Answer(200, told(call.state.orgs[call["orgID"]]))


@route("GET /api/v2/me")
def me(call: Call) -> Answer:
    user = next(iter(call.state.users.values()))
    return Answer(200, {**user, "links": {"self": f"/api/v2/users/{user['id']}"}})


@route("GET /api/v2/users")
def users(call: Call) -> Answer:
    found = [{**each, "links": {"self": f"/api/v2/users/{each['id']}"}} for each in call.state.users.values()]
    return Answer(200, {"links": {"self": "/api/v2/users"}, "users": found})

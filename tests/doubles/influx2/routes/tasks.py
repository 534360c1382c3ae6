"""/api/v2/tasks. No task runs by the clock: a run is asked for."""

from __future__ import annotations

import re
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.parser import Node, parsed
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import now
from tests.doubles.influx2.times import Duration, duration, shown
from tests.doubles.served.messages import Answer

Task = dict[str, Any]
_ONE = "/api/v2/tasks/{taskID}"
_PARTS = ("members", "owners", "labels", "runs", "logs")
_OPTIONS = ("name", "every", "cron", "offset")
USUAL = 100


def told(task: Task) -> Task:
    self = f"/api/v2/tasks/{task['id']}"
    return {"links": {"self": self, **{each: f"{self}/{each}" for each in _PARTS}}, "labels": [], **task}


def found(call: Call, action: str = "read") -> Task:
    """Raises Refused (not found, unauthorized)."""
    task = call.state.tasks.get(call["taskID"])
    if task is None:
        raise Refused("not found", "failed to find task: task not found")
    call.may(action, "tasks", task["orgID"], task["id"])
    return task


@route("GET /api/v2/tasks")
def listed(call: Call) -> Answer:
    tasks = sorted(call.state.tasks.values(), key=lambda each: each["id"])
    org = call.org(optional=True) if call.query("orgID", "org") else None
    wanted = {"orgID": org, "name": call.query("name"), "status": call.query("status"), "ownerID": call.query("user")}
    kept = [each for each in tasks if all(value in (None, each[name]) for name, value in wanted.items())]
    kept = [each for each in kept if call.allowed("read", "tasks", each["orgID"], each["id"])]
    kept = [each for each in kept if each["id"] > (call.query("after") or "")]
    limit = int(call.query("limit") or USUAL)
    links = {"self": "/api/v2/tasks"}
    if len(kept) > limit:
        links["next"] = f"/api/v2/tasks?after={kept[limit - 1]['id']}&limit={limit}"
    return Answer(200, {"links": links, "tasks": [told(each) for each in kept[:limit]]})


@route("POST /api/v2/tasks")
def create(call: Call) -> Answer:
    """Names are not unique: the server makes another one."""
    state, asked, org = call.state, call.fields, call.org()
    call.may("write", "tasks", org)
    at = shown(now())
    owner = next(iter(state.users))
    made: Task = {"id": state.id(), "orgID": org, "org": state.orgs[org]["name"], "ownerID": owner}
    made |= {"status": asked.get("status", "active"), "flux": asked["flux"], **options(asked["flux"])}
    if asked.get("description"):
        made["description"] = asked["description"]
    made |= {"latestCompleted": at, "createdAt": at, "updatedAt": at}
    state.tasks[made["id"]] = made
    state.runs[made["id"]] = []
    return Answer(201, told(made))


@route(f"GET {_ONE}")
def one(call: Call) -> Answer:
    return Answer(200, told(found(call)))


@route(f"PATCH {_ONE}")
def change(call: Call) -> Answer:
    task, asked = found(call, "write"), call.fields
    flux = asked.get("flux") or task["flux"]
    stated = {name: asked[name] for name in _OPTIONS if asked.get(name)}
    if stated:
        flux = _rewritten(flux, stated)
    made = options(flux)
    for name in ("every", "cron", "offset"):
        task.pop(name, None)
    task |= {**made, "flux": flux, "updatedAt": shown(now())}
    task |= {name: asked[name] for name in ("status", "description") if name in asked}
    return Answer(200, told(task))


@route(f"DELETE {_ONE}")
def drop(call: Call) -> Answer:
    task = found(call, "write")
    del call.state.tasks[task["id"]], call.state.runs[task["id"]]
    return Answer(204, kind="")


def options(flux: str) -> Task:
    """What `option task` says. Raises Refused (invalid)."""
    _, _, node, start, end = _option(flux)
    stated = {name: each for name, each in node[2].items() if name in _OPTIONS}
    said = {name: _said(name, each, flux[start:end]) for name, each in stated.items()}
    if not said.get("name"):
        raise Refused("invalid", "invalid options: missing name in task options")
    if ("every" in said) == ("cron" in said):
        raise Refused("invalid", "invalid options: must specify exactly one of either cron or every")
    if "every" in said:
        every = duration(said["every"])
        if not every.positive or (not every.months and every.nanoseconds < 10**9):
            raise Refused("invalid", "invalid options: option every must be greater than or equal to 1s")
    return said


def _option(flux: str) -> Node:
    for statement in parsed(flux):
        if statement[0] == "option" and statement[1] == "task" and statement[2][0] == "record":
            return statement
    raise Refused("invalid", "error in task script: no task options defined")


def _said(name: str, node: Node, text: str) -> str:
    """An option as the script writes it."""
    if node[0] == "value" and isinstance(node[1], Duration):
        match = re.search(rf"\b{name}:\s*([0-9a-zµ]+)", text)
        return match[1] if match else "0s"
    if node[0] == "value" and isinstance(node[1], str):
        return node[1]
    raise Refused("invalid", f"invalid options: {name} must be a literal")


def _rewritten(flux: str, stated: Task) -> str:
    """The script with these options put into `option task`."""
    _, _, _, start, end = _option(flux)
    said = {**options(flux), **stated}
    if "cron" in stated:
        said.pop("every", None)
    if "every" in stated:
        said.pop("cron", None)
    shown_as = {name: f'"{value}"' if name in ("name", "cron") else value for name, value in said.items()}
    record = ", ".join(f"{name}: {shown_as[name]}" for name in _OPTIONS if name in shown_as)
    return f"{flux[:start]}option task = {{{record}}}{flux[end:]}"

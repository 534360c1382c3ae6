"""/api/v2/tasks/{taskID}/runs and /logs"""

from __future__ import annotations

from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.run import Script
from tests.doubles.influx2.routes.tasks import Task, found
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import now
from tests.doubles.influx2.times import shown, time
from tests.doubles.served.messages import Answer

_RUNS = "/api/v2/tasks/{taskID}/runs"
_RUN = _RUNS + "/{runID}"


@route(f"POST {_RUNS}")
def start(call: Call) -> Answer:
    """Runs the script at once, as of `scheduledFor`; the answer still says scheduled, as a server's would."""
    task = found(call, "write")
    due = call.fields.get("scheduledFor")
    at = time(due) if due else now()
    run: dict[str, Any] = {"id": call.state.id(), "taskID": task["id"], "scheduledFor": shown(at)}
    run |= {"requestedAt": shown(now()), "startedAt": shown(now()), "flux": task["flux"], "log": []}
    try:
        Script(call.state, task["orgID"], at, call.may_use).run(task["flux"])
        run["status"] = "success"
    except Refused as refused:
        run["status"] = "failed"
        run["log"] = [{"runID": run["id"], "time": shown(now()), "message": refused.message}]
        task["lastRunError"] = refused.message
    run["finishedAt"] = shown(now())
    task |= {"lastRunStatus": run["status"], "latestCompleted": shown(at)}
    call.state.runs[task["id"]].append(run)
    waiting = {name: run[name] for name in ("id", "taskID", "scheduledFor", "requestedAt")}
    return Answer(201, {**_links(task, run), **waiting, "status": "scheduled"})


@route(f"GET {_RUNS}")
def listed(call: Call) -> Answer:
    task = found(call)
    runs = [{**_links(task, each), **each} for each in reversed(call.state.runs[task["id"]])]
    links = {"self": f"/api/v2/tasks/{task['id']}/runs", "task": f"/api/v2/tasks/{task['id']}"}
    return Answer(200, {"links": links, "runs": runs[: int(call.query("limit") or 100)]})


@route(f"GET {_RUN}")
def one(call: Call) -> Answer:
    task = found(call)
    for each in call.state.runs[task["id"]]:
        if each["id"] == call["runID"]:
            return Answer(200, {**_links(task, each), **each})
    raise Refused("not found", "failed to find run: run not found")


@route("GET /api/v2/tasks/{taskID}/logs")
def logs(call: Call) -> Answer:
    events = [event for run in call.state.runs[found(call)["id"]] for event in run["log"]]
    return Answer(200, {"events": events})


def _links(task: Task, run: dict[str, Any]) -> dict[str, Any]:
    self = f"/api/v2/tasks/{task['id']}/runs/{run['id']}"
    return {"links": {"self": self, "task": f"/api/v2/tasks/{task['id']}", "retry": f"{self}/retry"}}

"""/ping, /health, /ready and /api/v2/setup"""

from __future__ import annotations

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routes.buckets import told as bucket_told
from tests.doubles.influx2.routes.orgs import told as org_told
from tests.doubles.influx2.routes.tokens import told as token_told
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import Bucket, default_shard, now
from tests.doubles.influx2.times import shown
from tests.doubles.served.messages import Answer


@route("GET /ping", "HEAD /ping")
def ping(call: Call) -> Answer:
    del call
    return Answer(204, kind="")


@route("GET /health")
def health(call: Call) -> Answer:
    known = {"name": "influxdb", "message": "ready for queries and writes", "status": "pass", "checks": []}
    return Answer(200, {**known, "version": call.version, "commit": "double"})


@route("GET /ready")
def ready(call: Call) -> Answer:
    del call
    return Answer(200, {"status": "ready", "started": shown(now()), "up": "1m0s"})


@route("GET /api/v2/setup")
def setup_allowed(call: Call) -> Answer:
    return Answer(200, {"allowed": not call.state.users})


@route("POST /api/v2/setup")
def setup(call: Call) -> Answer:
    if call.state.users:
        raise Refused("conflict", "onboarding has already been completed")
    asked, state = call.fields, call.state
    token = asked.get("token") or f"made-{state.id()}"
    user, org, auth = state.set_up(asked["username"], asked["org"], token)
    seconds = asked.get("retentionPeriodSeconds") or asked.get("retentionPeriodHrs", 0) * 3600
    made = Bucket(state.id(), asked["bucket"], org, seconds, default_shard(seconds))
    state.buckets[made.id] = made
    if state.token is None:
        state.token = token
    return Answer(
        201,
        {
            "user": {**state.users[user], "links": {"self": f"/api/v2/users/{user}"}},
            "bucket": bucket_told(made),
            "org": org_told(state.orgs[org]),
            "auth": token_told(call, state.tokens[auth], secret=True),
        },
    )

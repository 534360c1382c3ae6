"""/api/v2/buckets"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routes.paging import page
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import HOUR, Bucket, default_shard, now
from tests.doubles.influx2.times import shown
from tests.doubles.served.messages import Answer

_ONE = "/api/v2/buckets/{bucketID}"


def told(bucket: Bucket) -> dict[str, Any]:
    self = f"/api/v2/buckets/{bucket.id}"
    rule = {"type": "expire", "everySeconds": bucket.retention, "shardGroupDurationSeconds": bucket.shard}
    links = {"self": self, "org": f"/api/v2/orgs/{bucket.org}"}
    links |= {each: f"{self}/{each}" for each in ("members", "owners", "labels")}
    return {
        "id": bucket.id,
        "orgID": bucket.org,
        "type": "system" if bucket.system else "user",
        **({"description": bucket.description} if bucket.description else {}),
        "name": bucket.name,
        "retentionRules": [rule],
        "createdAt": bucket.created,
        "updatedAt": bucket.updated,
        "links": {**links, "write": f"/api/v2/write?org={bucket.org}&bucket={bucket.id}"},
        "labels": [],
    }


def _found(call: Call, action: str) -> Bucket:
    found = call.state.buckets.get(call["bucketID"])
    if found is None:
        raise Refused("not found", "bucket not found")
    call.may(action, "buckets", found.org, found.id)
    return found


@route("GET /api/v2/buckets")
def listed(call: Call) -> Answer:
    """By orgID and name one that is not there is 404; by name alone, or with org, the list is empty."""
    state, name, org = call.state, call.query("name"), call.query("orgID")
    if org and name:
        found = [state.bucket(org, name)]
    else:
        wanted = state.org(call.query("org"))["id"] if call.query("org") else org
        found = [each for each in state.buckets.values() if wanted in (None, each.org)]
        if name:
            found = [each for each in found if each.name == name]
    if id := call.query("id"):
        found = [each for each in found if each.id == id]
    visible = [each for each in found if call.allowed("read", "buckets", each.org, each.id)]
    visible.sort(key=lambda each: each.id)
    kept, links = page(call, visible, "/api/v2/buckets", lambda each: each.id)
    return Answer(200, {"links": links, "buckets": [told(each) for each in kept]})


@route("POST /api/v2/buckets")
def create(call: Call) -> Answer:
    asked, state = call.fields, call.state
    if asked["orgID"] not in state.orgs:
        raise Refused("not found", "organization not found")
    call.may("write", "buckets", asked["orgID"])
    retention, shard = _rule(asked.get("retentionRules") or [], 0, 0)
    name = _name(call, asked["name"], asked["orgID"])
    # What the storage refuses comes back as it is, and so as the server's own mistake.
    if 0 < retention < HOUR:
        raise Refused("internal error", "retention policy duration must be at least 1h0m0s")
    shard = max(shard, HOUR) if shard else default_shard(retention)
    if retention and retention < shard:
        raise Refused("internal error", "retention policy duration must be greater than the shard duration")
    made = Bucket(state.id(), name, asked["orgID"], retention, shard, asked.get("description", ""))
    state.buckets[made.id] = made
    return Answer(201, told(made))


@route(f"GET {_ONE}")
def one(call: Call) -> Answer:
    return Answer(200, told(_found(call, "read")))


@route(f"PATCH {_ONE}")
def change(call: Call) -> Answer:
    found, asked = _found(call, "write"), call.fields
    retention, shard = _rule(asked.get("retentionRules") or [], found.retention, found.shard)
    if 0 < retention < HOUR:
        raise Refused("internal error", "retention policy duration must be at least 1h0m0s")
    shard = max(shard, HOUR) if shard else default_shard(retention)
    if retention and retention < shard:
        said = "shard-group duration must also be updated to be smaller than new retention duration"
        raise Refused("unprocessable entity", said)
    if "name" in asked and asked["name"] != found.name:
        if found.system:
            raise Refused("invalid", "system buckets cannot be renamed")
        found.name = _name(call, asked["name"], found.org)
    found.retention, found.shard, found.updated = retention, shard, shown(now())
    found.description = asked.get("description", found.description)
    found.expire()
    return Answer(200, told(found))


@route(f"DELETE {_ONE}")
def drop(call: Call) -> Answer:
    found = _found(call, "write")
    if found.system:
        raise Refused("invalid", "system buckets cannot be deleted")
    del call.state.buckets[found.id]
    return Answer(204, kind="")


def _rule(rules: list[Mapping[str, Any]], retention: int, shard: int) -> tuple[int, int]:
    """What the rule says, else what there was; seconds. Raises Refused (unprocessable entity)."""
    if len(rules) > 1:
        raise Refused("unprocessable entity", "buckets cannot have more than one retention rule at this time")
    rule = rules[0] if rules else {}
    wanted = rule.get("everySeconds", retention), rule.get("shardGroupDurationSeconds", shard)
    if wanted[0] < 0:
        raise Refused("unprocessable entity", "expiration seconds cannot be negative")
    if wanted[1] < 0:
        raise Refused("unprocessable entity", "shard-group duration seconds cannot be negative")
    return wanted


def _name(call: Call, name: str, org: str) -> str:
    """Raises Refused (invalid, conflict)."""
    if name.startswith("_"):
        raise Refused("invalid", f"bucket name {name} is invalid. Buckets may not start with underscore")
    if not name.strip() or '"' in name:
        raise Refused("invalid", f"bucket name {name} is invalid. Bucket names may not include quotation marks")
    if any(each.name == name and each.org == org for each in call.state.buckets.values()):
        raise Refused("conflict", f"bucket with name {name} already exists")
    return name

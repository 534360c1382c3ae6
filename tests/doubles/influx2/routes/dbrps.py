"""/api/v2/dbrps: databases and retention policies of 1.x mapped to buckets."""

from __future__ import annotations

from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import Bucket
from tests.doubles.served.messages import Answer

Mapping = dict[str, Any]
_ONE = "/api/v2/dbrps/{dbrpID}"


def virtual(bucket: Bucket, default: bool) -> Mapping:
    """What a bucket stands for by its name alone."""
    database, slash, policy = bucket.name.partition("/")
    return {
        "id": bucket.id,
        "database": database,
        "retention_policy": policy if slash else "autogen",
        "default": default,
        "orgID": bucket.org,
        "bucketID": bucket.id,
        "virtual": True,
    }


@route("GET /api/v2/dbrps")
def listed(call: Call) -> Answer:
    org = call.org()
    call.may("read", "dbrp", org)
    found = [each for each in call.state.mappings.values() if each["orgID"] == org]
    mapped = {each["bucketID"] for each in found}
    buckets = [each for each in call.state.buckets.values() if each.org == org]
    everything = found + [virtual(each, each.id not in mapped) for each in buckets]
    return Answer(200, {"content": [each for each in everything if _wanted(call, each)]})


@route("POST /api/v2/dbrps")
def create(call: Call) -> Answer:
    state, asked, org = call.state, call.fields, call.org()
    call.may("write", "dbrp", org)
    if asked["bucketID"] not in state.buckets:
        raise Refused("not found", "bucket not found")
    if not asked["database"] or not asked["retention_policy"]:
        raise Refused("invalid", "DBRP provided is invalid")
    made = {"id": state.id(), "database": asked["database"], "retention_policy": asked["retention_policy"]}
    made |= {"default": bool(asked.get("default", False)), "orgID": org, "bucketID": asked["bucketID"]}
    _check_unique(call, made)
    if not any(each["default"] for each in _siblings(call, made)):
        made["default"] = True
    state.mappings[made["id"]] = made
    _only_default(call, made)
    return Answer(201, made)


@route(f"GET {_ONE}")
def one(call: Call) -> Answer:
    return Answer(200, {"content": _found(call)})


@route(f"PATCH {_ONE}")
def change(call: Call) -> Answer:
    found = _found(call)
    call.may("write", "dbrp", found["orgID"], found["id"])
    changed = {**found, **{name: call.fields[name] for name in ("default", "retention_policy") if name in call.fields}}
    _check_unique(call, changed)
    if found.get("virtual"):
        changed.pop("virtual")
    call.state.mappings[found["id"]] = changed
    others = [each for each in _siblings(call, changed) if each["id"] != changed["id"]]
    if found["default"] and not changed["default"]:
        (others[0] if others else changed)["default"] = True
    _only_default(call, changed)
    return Answer(200, {"content": changed})


@route(f"DELETE {_ONE}")
def drop(call: Call) -> Answer:
    """One that is not there is no mistake; where the default goes, the first of the rest is it."""
    org = call.org()
    call.may("write", "dbrp", org)
    found = call.state.mappings.get(call["dbrpID"])
    if found is not None and found["orgID"] == org:
        del call.state.mappings[found["id"]]
        rest = _siblings(call, found)
        if found["default"] and rest:
            rest[0]["default"] = True
    return Answer(204, kind="")


def _found(call: Call) -> Mapping:
    """Raises Refused (not found)."""
    org = call.org()
    found = call.state.mappings.get(call["dbrpID"])
    if found is None and call["dbrpID"] in call.state.buckets:
        found = virtual(call.state.buckets[call["dbrpID"]], True)
    if found is None or found["orgID"] != org:
        raise Refused("not found", "unable to find DBRP")
    return found


def _siblings(call: Call, of: Mapping) -> list[Mapping]:
    """The mappings of the same database."""
    same = ("orgID", "database")
    return [each for each in call.state.mappings.values() if all(each[name] == of[name] for name in same)]


def _only_default(call: Call, made: Mapping) -> None:
    for each in _siblings(call, made) if made["default"] else ():
        each["default"] = each["id"] == made["id"]


def _check_unique(call: Call, made: Mapping) -> None:
    for each in _siblings(call, made):
        if each["id"] != made["id"] and each["retention_policy"] == made["retention_policy"]:
            raise Refused("conflict", "another DBRP mapping with same orgID, db, and rp exists")


def _wanted(call: Call, each: Mapping) -> bool:
    asked = {"id": "id", "bucketID": "bucketID", "db": "database", "rp": "retention_policy"}
    if any(call.query(name) not in (None, each[field]) for name, field in asked.items()):
        return False
    default = call.query("default")
    return default is None or each["default"] is (default.lower() in ("true", "1"))

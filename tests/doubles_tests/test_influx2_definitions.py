"""Organizations, buckets, mappings, tasks and tokens of the InfluxDB 2 contract double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.doubles.influx2 import influx2_double
from tests.doubles.served.process import running
from tests.doubles_tests.conftest import ORG, TOKEN
from tests.doubles_tests.wire import Got, Wire

DAY = 86400
FLUX = (
    'option task = {name: "t", every: 1h, offset: 5m}\n\nfrom(bucket: "d/a") |> range(start: -1h) |> to(bucket: "d/b")'
)


def said(got: Got) -> tuple[int, str]:
    return got.status, got.body["message"]


@pytest.fixture
def org(influx2: Wire) -> str:
    [found] = influx2.made("GET", f"/api/v2/orgs?org={ORG}")["orgs"]
    return str(found["id"])


def bucket(wire: Wire, org: str, name: str = "d/a", **rule: int) -> Got:
    rules = [{"type": "expire", **rule}] if rule else []
    return wire.send("POST", "/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules})


def rule(found: Any) -> tuple[int, int]:
    [only] = found["retentionRules"]
    return only["everySeconds"], only["shardGroupDurationSeconds"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0, 7 * DAY)),
        ({"everySeconds": 0}, (0, 7 * DAY)),
        ({"everySeconds": DAY}, (DAY, 3600)),
        ({"everySeconds": 2 * DAY}, (2 * DAY, DAY)),
        ({"everySeconds": 180 * DAY}, (180 * DAY, 7 * DAY)),
        ({"everySeconds": DAY, "shardGroupDurationSeconds": 60}, (DAY, 3600)),
    ],
)
def test_shard_duration_follows_retention(influx2: Wire, org: str, given: Any, expected: tuple[int, int]) -> None:
    assert rule(bucket(influx2, org, **given).body) == expected


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("d/a", {"everySeconds": 60}, (500, "retention policy duration must be at least 1h0m0s")),
        (
            "d/a",
            {"everySeconds": DAY, "shardGroupDurationSeconds": 2 * DAY},
            (500, "retention policy duration must be greater than the shard duration"),
        ),
        ("_own", {}, (400, "bucket name _own is invalid. Buckets may not start with underscore")),
        ("there", {}, (422, "bucket with name there already exists")),
    ],
)
def test_bucket_that_cannot_be_is_refused(influx2: Wire, org: str, name: str, given: Any, expected: Any) -> None:
    bucket(influx2, org, "there")
    assert said(bucket(influx2, org, name, **given)) == expected


def test_shorter_retention_needs_a_shorter_shard(influx2: Wire, org: str) -> None:
    path = f"/api/v2/buckets/{bucket(influx2, org).body['id']}"
    shorter = {"retentionRules": [{"type": "expire", "everySeconds": 3 * DAY}]}
    message = "shard-group duration must also be updated to be smaller than new retention duration"
    assert said(influx2.send("PATCH", path, shorter)) == (422, message)
    shorter["retentionRules"][0]["shardGroupDurationSeconds"] = DAY
    assert rule(influx2.made("PATCH", path, shorter)) == (3 * DAY, DAY)


def test_missing_bucket_is_404_by_id_of_the_organization_and_no_bucket_by_its_name(influx2: Wire, org: str) -> None:
    assert said(influx2.send("GET", f"/api/v2/buckets?orgID={org}&name=x")) == (404, 'bucket "x" not found')
    assert influx2.made("GET", f"/api/v2/buckets?org={ORG}&name=x")["buckets"] == []


def test_lists_are_cut_at_twenty(influx2: Wire, org: str) -> None:
    for number in range(25):
        bucket(influx2, org, f"b{number}")
    first = influx2.made("GET", f"/api/v2/buckets?orgID={org}")
    assert (len(first["buckets"]), "next" in first["links"]) == (20, True)
    after = first["buckets"][-1]["id"]
    assert len(influx2.made("GET", f"/api/v2/buckets?orgID={org}&after={after}&limit=100")["buckets"]) == 7
    assert [each["name"] for each in first["buckets"][:2]] == ["_tasks", "_monitoring"]


def test_bucket_named_as_a_tier_is_mapped_by_its_name(influx2: Wire, org: str) -> None:
    made = bucket(influx2, org).body["id"]
    [found] = influx2.made("GET", f"/api/v2/dbrps?orgID={org}&db=d")["content"]
    assert (found["id"], found["retention_policy"], found["virtual"]) == (made, "a", True)


def test_first_mapping_is_the_default_and_one_always_is(influx2: Wire, org: str) -> None:
    ids = {name: bucket(influx2, org, f"x{name}").body["id"] for name in "ab"}
    made = {}
    for policy, id in ids.items():
        body = {"orgID": org, "bucketID": id, "database": "d", "retention_policy": policy, "default": False}
        made[policy] = influx2.made("POST", "/api/v2/dbrps", body)["id"]
        again = influx2.send("POST", "/api/v2/dbrps", body)
        assert said(again) == (422, "another DBRP mapping with same orgID, db, and rp exists")

    def default() -> list[str]:
        found = influx2.made("GET", f"/api/v2/dbrps?org={ORG}&db=d&default=true")["content"]
        return [each["retention_policy"] for each in found]

    assert default() == ["a"]
    influx2.made("PATCH", f"/api/v2/dbrps/{made['b']}?orgID={org}", {"default": True})
    assert default() == ["b"]
    influx2.made("PATCH", f"/api/v2/dbrps/{made['b']}?orgID={org}", {"default": False})
    assert default() == ["a"]
    assert [influx2.send("DELETE", f"/api/v2/dbrps/{made['a']}?orgID={org}").status for _ in range(2)] == [204, 204]
    assert default() == ["b"]


def test_task_tells_what_its_script_says(influx2: Wire, org: str) -> None:
    tasks = [influx2.made("POST", "/api/v2/tasks", {"orgID": org, "flux": FLUX}) for _ in range(2)]
    assert [(each["name"], each["every"], each["offset"], each["flux"]) for each in tasks] == [
        ("t", "1h", "5m", FLUX),
        ("t", "1h", "5m", FLUX),
    ]
    assert len(influx2.made("GET", "/api/v2/tasks?name=t")["tasks"]) == 2
    path = f"/api/v2/tasks/{tasks[0]['id']}"
    changed = influx2.made("PATCH", path, {"every": "2h", "status": "inactive"})
    assert (changed["every"], changed["status"]) == ("2h", "inactive")
    assert changed["flux"].startswith('option task = {name: "t", every: 2h, offset: 5m}\n\nfrom(bucket: "d/a")')
    assert influx2.send("DELETE", path).status == 204
    assert said(influx2.send("GET", path)) == (404, "failed to find task: task not found")


@pytest.mark.parametrize(
    "flux",
    [
        'from(bucket: "d/a")',
        "option task = {every: 1h}",
        'option task = {name: "t"}',
        'option task = {name: "t", every: 1h, cron: "* * * * *"}',
        'option task = {name: "t", every: 1ms}',
        'option task = {name: "t", every: 1h',
    ],
)
def test_script_that_is_no_task_is_refused(influx2: Wire, org: str, flux: str) -> None:
    got = influx2.send("POST", "/api/v2/tasks", {"orgID": org, "flux": flux})
    assert (got.status, got.body["code"]) == (400, "invalid")


@pytest.fixture
def reader(influx2: Wire, influx2_url: str, org: str) -> Iterator[Wire]:
    permissions = [{"action": "read", "resource": {"type": kind, "orgID": org}} for kind in ("buckets", "orgs")]
    token = influx2.made("POST", "/api/v2/authorizations", {"orgID": org, "permissions": permissions})["token"]
    wire = Wire(influx2_url, f"Token {token}")
    yield wire
    wire.close()


def test_token_may_do_what_it_says(influx2: Wire, reader: Wire, org: str) -> None:
    bucket(influx2, org)
    assert len(reader.made("GET", f"/api/v2/buckets?orgID={org}")["buckets"]) == 3
    assert said(bucket(reader, org, "d/b")) == (401, f"write:orgs/{org}/buckets is unauthorized")
    got = reader.send("POST", f"/api/v2/write?org={ORG}&bucket=d/a", "m v=1", content_type="text/plain")
    assert said(got) == (403, "insufficient permissions for write")
    assert reader.made("GET", "/api/v2/tasks")["tasks"] == []


@pytest.mark.parametrize("login", ["", "Token wrong", f"Basic {TOKEN}"])
def test_wrong_token_is_401(influx2_url: str, login: str) -> None:
    wire = Wire(influx2_url, login)
    assert said(wire.send("GET", "/api/v2/buckets")) == (401, "unauthorized access")
    assert [wire.send("GET", path).status for path in ("/ping", "/health")] == [204, 200]
    wire.close()


def test_without_a_token_any_login_is_taken() -> None:
    with influx2_double() as url:
        wire = Wire(url)
        assert wire.made("GET", "/api/v2/orgs")["orgs"][0]["name"] == "double"
        wire.close()


def test_server_that_is_not_set_up_is_set_up_once() -> None:
    asked = {"username": "u", "org": "mine", "bucket": "first", "token": "t", "password": "long-enough"}
    with running("tests.doubles.influx2", ["--fresh"]) as url:
        wire = Wire(url, "Token t")
        assert wire.made("GET", "/api/v2/setup") == {"allowed": True}
        assert wire.made("POST", "/api/v2/setup", asked)["auth"]["token"] == "t"
        assert said(wire.send("POST", "/api/v2/setup", asked)) == (422, "onboarding has already been completed")
        assert wire.made("GET", "/api/v2/buckets?name=first")["buckets"][0]["name"] == "first"
        wire.close()

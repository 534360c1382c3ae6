"""A usual session of influxdb-client with the InfluxDB 2 contract double."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from influxdb_client import (
    BucketRetentionRules,
    DBRPCreate,
    DBRPUpdate,
    InfluxDBClient,
    Point,
    TaskCreateRequest,
)
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from influxdb_client.service.dbr_ps_service import DBRPsService

from tests.doubles.served.process import counts, reset
from tests.doubles_tests.conftest import ORG, TOKEN

FLUX = """option task = {name: "d/up", every: 1h}
from(bucket: "d/raw") |> range(start: -1h) |> sum() |> duplicate(column: "_stop", as: "_time")
    |> set(key: "_field", value: "total") |> to(bucket: "d/hour", org: "o")
"""


@pytest.fixture
def client(influx2_url: str) -> Iterator[Any]:
    reset(influx2_url)
    with InfluxDBClient(influx2_url, token=TOKEN, org=ORG) as opened:
        yield opened
    assert counts(influx2_url)["invalid_requests"] == []


def test_buckets_and_mappings(client: Any) -> None:
    assert client.ping()
    assert client.version() == "v2.7.12-double"
    buckets = client.buckets_api()
    made = buckets.create_bucket(bucket_name="d/raw", org=ORG)
    assert buckets.find_bucket_by_name("d/raw").id == made.id
    assert buckets.find_bucket_by_name("nope") is None
    made.retention_rules = [BucketRetentionRules(every_seconds=30 * 86400, shard_group_duration_seconds=86400)]
    assert buckets.update_bucket(made).retention_rules[0].every_seconds == 30 * 86400
    with pytest.raises(ApiException, match="already exists"):
        buckets.create_bucket(bucket_name="d/raw", org=ORG)
    assert [each.name for each in buckets.find_buckets_iter(limit=1)] == ["_tasks", "_monitoring", "d/raw"]
    mappings = DBRPsService(client.api_client)
    body = DBRPCreate(org_id=made.org_id, bucket_id=made.id, database="d", retention_policy="raw", default=False)
    mapped = mappings.post_dbrp(body)
    assert mapped.default is True
    mappings.patch_dbrpid(mapped.id, DBRPUpdate(default=True), org_id=made.org_id)
    found = mappings.get_dbr_ps(org=ORG, db="d").content
    assert [(each.retention_policy, bool(each.virtual)) for each in found] == [("raw", False), ("raw", True)]
    mappings.delete_dbrpid(mapped.id, org_id=made.org_id)
    buckets.delete_bucket(made)


def test_points_tasks_and_queries(client: Any) -> None:
    for name in ("d/raw", "d/hour"):
        client.buckets_api().create_bucket(bucket_name=name, org=ORG)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with client.write_api(write_options=SYNCHRONOUS) as writer:
        for minute in range(0, 60, 10):
            at = noon.replace(minute=minute)
            writer.write("d/raw", record=Point("m").tag("host", "a").field("v", minute).time(at))
    tables = client.query_api().query('from(bucket: "d/raw") |> range(start: 0) |> max()')
    assert [(each.get_value(), each.get_time()) for table in tables for each in table.records] == [
        (50, noon.replace(minute=50))
    ]
    org = client.organizations_api().find_organizations(org=ORG)[0].id
    tasks = client.tasks_api()
    task = tasks.create_task(task_create_request=TaskCreateRequest(flux=FLUX, org_id=org, status="active"))
    assert [each.name for each in tasks.find_tasks(name="d/up")] == ["d/up"]
    tasks.run_manually(task.id, noon.replace(hour=13))
    assert [each.status for each in tasks.get_runs(task.id)] == ["success"]
    rolled = client.query_api().query('from(bucket: "d/hour") |> range(start: 0)')
    assert [(each.get_field(), each.get_value(), each.get_time()) for table in rolled for each in table.records] == [
        ("total", 150, noon.replace(hour=13))
    ]
    tasks.delete_task(task.id)


def test_wrong_token_is_told(influx2_url: str) -> None:
    with InfluxDBClient(influx2_url, token="wrong", org=ORG) as client, pytest.raises(ApiException) as refused:
        client.buckets_api().find_buckets()
    assert refused.value.status == 401

"""The schema of InfluxDB, Weaviate and ArangoDB and what their ledgers say, as plain text, by plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from tests.servers.rest import Keys, good, influxql, part, sent

Entry = tuple[int, int, str, str]  # token, n, revision, kind
# What a server makes up for itself: different after every `up`.
_OWN_NUMBERS = {"_id", "_rev", "cid", "code", "collection", "error", "globallyUniqueId", "id"}
_OWN_NUMBERS |= {"lastValue", "objectId", "planId", "selectivityEstimate"}


def influx(keys: Keys) -> str:
    """Every database but the ledger's with its tiers, its rollups and how many points each measurement holds."""
    return influx_2(keys) if "org" in keys else influx_1(keys)


def influx_1(keys: Keys) -> str:
    found: list[object] = []
    queries = influxql(keys, "SHOW CONTINUOUS QUERIES")
    for row in sorted(influxql(keys, "SHOW DATABASES"), key=str):
        if row["name"].startswith(("_internal", "provision_")):
            continue
        found.append(row)
        found += sorted(influxql(keys, f'SHOW RETENTION POLICIES ON "{row["name"]}"'), key=str)
        found += sorted((each for each in queries if each["series"] == row["name"]), key=str)
        found += sorted(influxql(keys, f'SHOW MEASUREMENTS ON "{row["name"]}"'), key=str)
    return _lines(found)


def influx_2(keys: Keys) -> str:
    buckets = good(keys, "GET", "/api/v2/buckets?limit=100")["buckets"]
    tasks = good(keys, "GET", "/api/v2/tasks?limit=100").get("tasks", ())
    mappings = good(keys, "GET", f"/api/v2/dbrps?org={part(keys['org'])}")["content"]
    names = {each["id"]: each["name"] for each in buckets}
    found: list[object] = [
        {"bucket": each["name"], "retention": each["retentionRules"]}
        for each in buckets
        if each.get("type") != "system" and not each["name"].startswith("provision_")
    ]
    found += [{"task": each["name"], "flux": each["flux"], "status": each["status"]} for each in tasks]
    found += [
        {"mapping": each["database"], "policy": each["retention_policy"], "default": each["default"]}
        for each in mappings
        if not names.get(each["bucketID"], "").startswith("provision_")
    ]
    return _lines(sorted(found, key=str))


def weaviate(keys: Keys) -> str:
    """Every class but our own, its tenants and how many objects it holds, and every alias."""
    found: list[object] = []
    for each in sorted(good(keys, "GET", "/v1/schema")["classes"], key=lambda each: str(each["class"])):
        if each["class"].startswith("Provision_"):
            continue
        found.append(each)
        if each.get("multiTenancyConfig", {}).get("enabled"):
            found.append(good(keys, "GET", f"/v1/schema/{each['class']}/tenants"))
        else:
            query = {"query": f"{{Aggregate{{{each['class']}{{meta{{count}}}}}}}}"}
            found.append(good(keys, "POST", "/v1/graphql", query)["data"])
    found += sorted(good(keys, "GET", "/v1/aliases").get("aliases") or (), key=str)
    return _lines(found)


def arango(keys: Keys) -> str:
    """Every collection but our own with properties, indexes and count, and the graphs, views and analyzers."""
    base = _database(keys)
    found: list[object] = []
    status, listed = sent(keys, "GET", f"{base}/collection")
    if status == 404:
        return "no database"
    for name in sorted(each["name"] for each in listed["result"] if not each["isSystem"]):
        if name.startswith("provision_"):
            continue
        found.append(_plain(good(keys, "GET", f"{base}/collection/{part(name)}/properties")))
        found.append(good(keys, "GET", f"{base}/collection/{part(name)}/count")["count"])
        found += sorted(
            (_plain(each) for each in good(keys, "GET", f"{base}/index?collection={part(name)}")["indexes"]), key=str
        )
    for path, key in (("gharial", "graphs"), ("view", "result"), ("analyzer", "result")):
        found += sorted((_plain(each) for each in good(keys, "GET", f"{base}/{path}")[key]), key=str)
    return _lines(found)


def influx_ledger(keys: Keys, project: str = "vfr") -> list[Entry]:
    """Every event in order, of a 1.x."""
    names = [row["name"] for row in influxql(keys, "SHOW DATABASES")]
    if f"provision_{project}" not in names:
        return []
    rows = influxql(keys, 'SELECT * FROM "ledger"."events"', f"provision_{project}")
    return [(*divmod(row["time"], 10**6), row["revision"], row["kind"]) for row in rows if row["kind"] != "fence"]


def weaviate_ledger(keys: Keys, project: str = "vfr") -> list[Entry]:
    """Every event in order. A page of objects holds 100 at most here."""
    name = f"Provision_{project}_weaviate_ledger"
    found: list[dict[str, Any]] = []
    after = "00000000-0000-0000-0000-000000000000"
    while True:
        status, answer = sent(keys, "GET", f"/v1/objects?class={name}&limit=100&after={after}")
        page = (answer or {}).get("objects") or []
        if status != 200 or not page:
            return _entries(each["properties"] for each in found)
        found += page
        after = page[-1]["id"]


def arango_ledger(keys: Keys) -> list[Entry]:
    """Every event in order."""
    status, answer = sent(keys, "POST", f"{_database(keys)}/cursor", {"query": "FOR d IN provision_ledger RETURN d"})
    assert status == 404 or not answer["hasMore"]
    return [] if status == 404 else _entries(each for each in answer["result"] if each["kind"] != "fence")


def _entries(found: Iterable[dict[str, Any]]) -> list[Entry]:
    return sorted((int(each["token"]), int(each["n"]), each["revision"], each["kind"]) for each in found)


def _database(keys: Keys) -> str:
    return f"/_db/{urlsplit(keys['url']).path.strip('/') or '_system'}/_api"


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in _OWN_NUMBERS}
    return {name: _plain(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _lines(found: Iterable[object]) -> str:
    return "\n".join(json.dumps(each, sort_keys=True) for each in found)

"""Drops everything in a store, ledgers too, the server left as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import clickhouse_connect
import psycopg
import redis

from tests.chaos.second import ORDERS
from tests.servers.rest import Keys, good, influxql, part, sent


def everything(stores: Mapping[str, Keys]) -> None:
    """Wipe every store, at the same time."""
    with ThreadPoolExecutor(len(stores)) as pool:
        for done in [pool.submit(WIPES[store], keys) for store, keys in stores.items()]:
            done.result()


def postgres(keys: Keys) -> None:
    with psycopg.connect(keys["url"].replace("/provision?", "/postgres?"), autocommit=True) as connection:
        connection.execute("drop database if exists provision with (force)")
        connection.execute("create database provision")


def clickhouse(keys: Keys) -> None:
    url = keys["url"].replace("/provision", "/default")
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        names = client.query("SELECT name FROM system.databases WHERE name LIKE 'provision%'").result_rows
        for (name,) in names:
            client.command(f"DROP DATABASE `{name}` SYNC")


def redis_keys(keys: Keys) -> None:
    with redis.Redis.from_url(keys["url"]) as server:
        server.flushall()


def influx(keys: Keys) -> None:
    for row in influxql(keys, "SHOW DATABASES"):
        if row["name"] != "_internal":
            influxql(keys, f'DROP DATABASE "{row["name"]}"')


def weaviate(keys: Keys) -> None:
    for each in good(keys, "GET", "/v1/aliases").get("aliases") or ():
        good(keys, "DELETE", f"/v1/aliases/{each['alias']}")
    for each in good(keys, "GET", "/v1/schema")["classes"]:
        good(keys, "DELETE", f"/v1/schema/{each['class']}")


def arango(keys: Keys) -> None:
    status, answer = sent(keys, "DELETE", f"/_api/database/{part(urlsplit(keys['url']).path.strip('/'))}")
    assert status in (200, 404), answer


WIPES: dict[str, Callable[[Keys], None]] = {
    "postgres": postgres,
    ORDERS: postgres,
    "clickhouse": clickhouse,
    "redis": redis_keys,
    "influx": influx,
    "weaviate": weaviate,
    "arango": arango,
}

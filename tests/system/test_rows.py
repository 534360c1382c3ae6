"""The shipped databases in use: rows of two tenants, what the views make of them, streams and the key catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import clickhouse_connect
import psycopg
import pytest
import redis

from tests.vfr.clickhouse.rows import DECISION, FEEDBACK, ID, METRIC, PERFORMANCE
from tests.vfr.postgres.rows import ACME_USER, GLOBEX_USER, MODEL, insert, insert_base, scalar

from .sites import Site

USERS = {"acme": ACME_USER, "globex": GLOBEX_USER}
GROUPS = {
    "calibration_drift": ["audit-writer", "drift-monitor"],
    "confidence_updates": ["confidence-aggregator"],
    "learning_events": ["learning-worker"],
    "model_performance": ["performance-recorder"],
    "uncertainty_alerts": ["alert-dispatcher", "audit-writer"],
}

PROBABILITY_FAMILIES = {
    "confidence_l2": ("json", 300),
    "learning_state": ("hash", 7200),
    "model_performance": ("json", 1800),
    "prediction_l3": ("json", 900),
    "probability_l1": ("json", 60),
    "uncertainty": ("json", 120),
    "user_preferences": ("hash", 3600),
}


@pytest.fixture
def connection(site: Site) -> Iterator[psycopg.Connection]:
    """A connection of the owner's; two tenants with a user each; role and rows are gone with the test."""
    with psycopg.connect(site.urls()["postgres"]) as made, made.transaction(force_rollback=True):
        made.execute("CREATE ROLE site_session NOLOGIN")
        made.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO site_session")
        insert_base(made)
        yield made


@contextmanager
def tenant(connection: psycopg.Connection, slug: str) -> Iterator[None]:
    """The block runs as a role that owns nothing, for that tenant."""
    connection.execute("SET LOCAL ROLE site_session")
    connection.execute("SELECT set_config('app.tenant', %s, true)", [slug])
    yield
    connection.execute("RESET ROLE")


def test_tenants_write_and_read_their_own_rows(connection: psycopg.Connection) -> None:
    for slug, user in USERS.items():
        with tenant(connection, slug):
            insert(connection, "user_probability_preferences", tenant_id=slug, user_id=user)
            insert(connection, "trading_decisions", tenant_id=slug, user_id=user, aggregated_confidence="0.8")
            insert(connection, "probabilistic_models", tenant_id=slug, is_shared=slug == "globex")
            insert(connection, "probability_config_templates", tenant_id=slug, created_by=user)
    with tenant(connection, "acme"):
        insert(connection, "model_training_history", tenant_id="acme", model_id=MODEL)
        assert scalar(connection, "SELECT count(*) FROM trading_decisions") == 1
        assert scalar(connection, "SELECT count(*) FROM user_probability_preferences") == 1
        assert scalar(connection, "SELECT array_agg(slug) FROM tenants") == ["acme"]
        # Its own two and the shared one of globex.
        assert scalar(connection, "SELECT count(*) FROM probabilistic_models") == 3
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
            connection.transaction(),
        ):
            insert(connection, "trading_decisions", tenant_id="globex", user_id=GLOBEX_USER)
    assert scalar(connection, "SELECT count(*) FROM trading_decisions") == 2


def test_validation_counts_what_is_wrong(connection: psycopg.Connection) -> None:
    good = {"aggregated_confidence": "0.8", "uncertainty_score": "0.1", "probability_metadata": {"model": "m1"}}
    insert(connection, "trading_decisions", **good)
    insert(connection, "trading_decisions", aggregated_confidence="0.8")
    found = connection.execute("SELECT * FROM validate_probability_data()").fetchall()
    assert len(found) == 15
    assert [row for row in found if row[1]] == [
        ("trading_decisions without confidence or uncertainty", 1, "MEDIUM"),
        ("trading_decisions without probability_metadata", 1, "MEDIUM"),
    ]


def test_decisions_fill_what_the_views_feed(used: Site) -> None:
    with clickhouse_connect.get_client(dsn=used.urls()["clickhouse"], autogenerate_session_id=False) as client:

        def put(table: str, *rows: dict[str, object]) -> None:
            client.raw_insert(table, insert_block="\n".join(map(json.dumps, rows)), fmt="JSONEachRow")

        put(
            "trading_decisions_probabilistic",
            DECISION,
            DECISION | {"id": ID.format(3), "aggregated_confidence": 0.2, "model_versions": [["m1", "1"], ["m2", "4"]]},
            DECISION | {"tenant_id": "globex", "timestamp": "2026-01-02 04:00:00.000"},
        )
        put("model_feedback_events", FEEDBACK)
        put("probability_metrics_realtime", METRIC)
        put("probabilistic_performance_analytics", PERFORMANCE, PERFORMANCE)

        def rows(sql: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in client.query(sql).result_rows]

        assert rows(
            "SELECT tenant_id, toString(minute_bucket), sum(prediction_count), round(sum(confidence_sum), 6)"
            " FROM confidence_monitoring GROUP BY ALL ORDER BY ALL"
        ) == [("acme", "2026-01-02 03:04:00", 2, 0.8), ("globex", "2026-01-02 04:00:00", 1, 0.6)]
        assert rows(
            "SELECT tenant_id, model_name, model_version, sum(usage_count), sum(latency_sum)"
            " FROM model_performance GROUP BY ALL ORDER BY ALL"
        ) == [("acme", "m1", "1", 2, 40), ("acme", "m2", "4", 1, 20), ("globex", "m1", "1", 1, 20)]
        assert rows(
            "SELECT predictions, successes, accuracy_rate, avg_confidence, total_return, worst_drawdown"
            " FROM probabilistic_performance_daily"
        ) == [(20, 14, 0.7, 0.8, 0.1, 0.1)]
        assert rows(
            "SELECT d.decision, f.actual_direction FROM model_feedback_events f"
            " JOIN trading_decisions_probabilistic d ON (d.tenant_id, d.id) = (f.tenant_id, f.prediction_id)"
        ) == [("SELL", "HOLD")]


def test_streams_are_read_by_their_groups(used: Site) -> None:
    with redis.Redis.from_url(used.urls()["redis"], decode_responses=True) as client:
        catalogue = {key: json.loads(text) for key, text in client.hgetall("provision:vfr:streams").items()}
        assert sorted(catalogue) == [f"vfr:stream:{name}" for name in GROUPS]
        for name, groups in GROUPS.items():
            key = f"vfr:stream:{name}"
            fields = dict.fromkeys(catalogue[key]["fields"], "1")
            entry = client.xadd(key, fields, maxlen=catalogue[key]["maxlen"], approximate=True)
            assert [group["name"] for group in client.xinfo_groups(key)] == groups
            for group in groups:
                assert client.xreadgroup(group, "worker-1", {key: ">"}) == [[key, [(entry, fields)]]]
                assert client.xack(key, group, entry) == 1
                assert client.xreadgroup(group, "worker-1", {key: ">"}) == []


def test_key_families_can_be_read_and_used(used: Site) -> None:
    with redis.Redis.from_url(used.urls()["redis"], decode_responses=True) as client:
        families = {name: json.loads(text) for name, text in client.hgetall("provision:vfr:key_families").items()}
        assert len(families) == 23
        found = {name: (families[name]["type"], families[name]["ttl"]) for name in PROBABILITY_FAMILIES}
        assert found == PROBABILITY_FAMILIES
        family = families["probability_l1"]
        key = family["pattern"].format(tenant_id="acme", symbol="BTC", minute=29_000_000)
        client.set(key, json.dumps(dict.fromkeys(family["fields"], 0.5)), ex=family["ttl"])
        assert client.ttl(key) == 60
        client.delete(key)

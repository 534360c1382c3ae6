"""Keys and streams of a real Redis 7 against the shipped catalogue."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from provision.kinds import build
from provision.model import StoreOptions
from provision.model.checks import Check, Scope, Table
from tests.validate.other_stores import Single, make
from tests.validate.platform import REPOSITORY

L1 = "vfr:acme:prob:l1:AAPL:29000000"
PREFERENCES = "vfr:acme:user:prefs:u1"
ALERTS = "vfr:stream:uncertainty_alerts"


@pytest.fixture
def client(redis_7: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_7, decode_responses=True) as made:
        made.flushall()
        yield made
        made.flushall()


@pytest.fixture
def cache(client: redis.Redis, redis_7: str, tmp_path: Path) -> Single:
    """The shipped families and streams, applied, and a good key of four types."""
    made = make(tmp_path, "redis", {"url": redis_7}, "cache")
    made.up()
    client.set(L1, "{}", ex=60)
    client.hset(PREFERENCES, "risk_tolerance", "0.5")
    client.expire(PREFERENCES, 3600)
    client.zadd("vfr:_shared:ml:rank:sp500:m1:1", {"AAPL": 1.0})
    client.expire("vfr:_shared:ml:rank:sp500:m1:1", 300)
    client.xadd(ALERTS, {"tenant_id": "acme"})
    client.set("another:application", "1")
    return made


def test_shipped_suite_finds_nothing_in_good_keys(cache: Single) -> None:
    ran = cache.validate("cache")

    assert (ran.found, ran.code, ran.err) == ({}, 0, "results are not kept: no home store here could\n")
    # Three keys and five streams; our own keys and those of others are none of them.
    assert {each["check"]: each["total"] for each in ran.json["results"]} == {
        "rows": 8,
        "key_of_unknown_family": 8,
        "key_of_wrong_type": 8,
        "key_never_expires": 8,
        "key_lives_too_long": 8,
        "stream_without_reader": 5,
        "stream_too_long": 5,
    }


def test_planted_keys_are_found_with_what_is_wrong(cache: Single, client: redis.Redis) -> None:
    client.set("vfr:acme:prob:L1:AAPL:1", "{}", ex=60)
    client.set("vfr:acme:user:prefs:u2", "{}", ex=60)
    client.set("vfr:acme:prob:l1:MSFT:1", "{}")
    client.set("vfr:acme:prob:l1:TSLA:1", "{}", ex=3600)

    ran = cache.validate("cache")

    assert ran.code == 1
    found = {name: each["samples"] for name, each in ran.found.items()}
    assert found == {
        "key_of_unknown_family": [
            {"key": "vfr:acme:prob:L1:AAPL:1", "type": "string", "ttl": pytest.approx(60, abs=5)}
        ],
        "key_of_wrong_type": [
            {"key": "vfr:acme:user:prefs:u2", "family": "user_preferences", "type": "string", "wanted_type": "hash"}
        ],
        "key_never_expires": [
            {"key": "vfr:acme:prob:l1:MSFT:1", "family": "probability_l1", "ttl": None, "wanted_ttl": 60}
        ],
        "key_lives_too_long": [
            {
                "key": "vfr:acme:prob:l1:TSLA:1",
                "family": "probability_l1",
                "ttl": pytest.approx(3600, abs=5),
                "wanted_ttl": 60,
            }
        ],
    }
    assert {each["bad"] for each in ran.found.values()} == {1}


def test_expiry_of_a_stream_is_wrong(cache: Single, client: redis.Redis) -> None:
    client.expire(ALERTS, 600)

    assert cache.validate("cache").found["key_lives_too_long"]["samples"][0]["key"] == ALERTS


def test_streams_without_group_absent_or_too_long_are_found(cache: Single, client: redis.Redis) -> None:
    client.xgroup_destroy(ALERTS, "alert-dispatcher")  # audit-writer is left: not the one of the catalogue
    client.delete("vfr:stream:learning_events")
    with client.pipeline() as pipe:
        for _ in range(11_101):
            pipe.xadd("vfr:stream:calibration_drift", {"a": "b"})
        pipe.execute()

    found = cache.validate("cache").found

    assert found.keys() == {"stream_without_reader", "stream_too_long"}
    without = found["stream_without_reader"]
    assert (without["bad"], without["total"]) == (2, 5)
    assert sorted(without["samples"], key=lambda each: each["key"]) == [
        {"key": "vfr:stream:learning_events", "length": 0, "groups": []},
        {"key": ALERTS, "length": 1, "groups": ["audit-writer"]},
    ]
    assert found["stream_too_long"]["samples"] == [
        {"key": "vfr:stream:calibration_drift", "length": 11_101, "maxlen": 10_000}
    ]


def test_stream_trimmed_by_whole_nodes_is_not_too_long(cache: Single, client: redis.Redis) -> None:
    with client.pipeline() as pipe:
        for _ in range(12_050):
            pipe.xadd("vfr:stream:calibration_drift", {"a": "b"}, maxlen=10_000, approximate=True)
        pipe.execute()

    assert client.xlen("vfr:stream:calibration_drift") > 10_000
    assert cache.validate("cache").found == {}


def test_tenant_narrows_to_its_keys(cache: Single, client: redis.Redis) -> None:
    client.set("vfr:globex:prob:l1:AAPL:1", "{}")
    client.set("vfr:acme:prob:l1:TSLA:1", "{}")

    assert cache.validate("cache").found["key_never_expires"]["bad"] == 2
    narrowed = cache.validate("cache", "--tenant", "globex")
    assert narrowed.found["key_never_expires"]["samples"][0]["key"] == "vfr:globex:prob:l1:AAPL:1"
    assert narrowed.json["results"][0]["total"] == 1


def test_samples_are_bounded_and_masked(cache: Single, client: redis.Redis) -> None:
    for number in range(9):
        client.set(f"vfr:acme:other:{number}", "{}")
    text = (cache.folder / "checks" / "cache.yaml").read_text(encoding="utf-8")
    cache.suite("cache", text.replace("sample: [key, type, ttl]", "sample: [key, type]\n    mask: [key]"))

    unknown = cache.validate("cache", "--sample", 3).found["key_of_unknown_family"]

    assert (unknown["bad"], unknown["samples"]) == (9, [{"key": "•••", "type": "string"}] * 3)


def test_ignored_keys_are_no_matter(cache: Single, client: redis.Redis) -> None:
    client.set("vfr:acme:other:1", "{}")
    text = (cache.folder / "checks" / "cache.yaml").read_text(encoding="utf-8")
    cache.suite("cache", text.replace("unknown_family: {}", 'unknown_family: {ignore: ["vfr:*:other:*"]}'))

    assert cache.validate("cache").found == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong_type: {}", "wrong_typ: {}", "wrong_typ"),
        ("wrong_ttl: {slack: 1s}", "wrong_ttl: {slack: soon}", "slack"),
        ("tenant: tenant_id", "tenant: tenant", "no key family says that its tenant is {tenant}"),
        ("min_rows: 0", "time: at", "a key of redis has no time to narrow by"),
        ("sample: [key, type, ttl]", "sample: [keys]", "vfr:* has no column keys"),
    ],
)
def test_wrong_suite_is_refused_with_its_place(cache: Single, old: str, new: str, said: str) -> None:
    text = (cache.folder / "checks" / "cache.yaml").read_text(encoding="utf-8")
    assert old in text
    cache.suite("cache", text.replace(old, new))

    ran = cache.run("validate", "cache")

    assert ran.code == 2
    assert said in ran.err
    assert "checks/cache.yaml:" in ran.err


@pytest.mark.usefixtures("client")
def test_server_without_catalogue_is_no_silent_pass(redis_7: str, tmp_path: Path) -> None:
    ran = make(tmp_path, "redis", {"url": redis_7}, "cache").run("validate", "cache")

    assert (ran.code, "error[no-catalogue]" in ran.err) == (2, True)


@pytest.mark.usefixtures("client")
def test_catalogue_is_made_by_the_command_of_the_fix(redis_7: str, tmp_path: Path) -> None:
    made = make(tmp_path, "redis", {"url": redis_7}, "cache")
    ran = made.run("validate", "cache")
    assert "error[no-catalogue]" in ran.err
    assert "  fix    run `provision up --env test` first: " in ran.err or "run `provision up` first: " in ran.err

    made.up()
    assert made.run("validate", "cache").code == 0


def test_scan_beyond_its_time_is_stopped(cache: Single, redis_7: str) -> None:
    store = build(StoreOptions("redis", "redis", "vfr", cache.folder / "redis", cache.folder))
    store.open(redis_7)
    assert store.checks is not None
    with pytest.raises(Exception, match="check-timeout"):
        store.checks.tally(Table("redis", "vfr:*"), Scope(seconds=0))
    store.close()


def test_memory_does_not_grow_with_keys(cache: Single, client: redis.Redis, redis_7: str) -> None:
    store = build(StoreOptions("redis", "redis", "vfr", cache.folder / "redis", cache.folder))
    store.open(redis_7)
    assert store.checks is not None
    checks = tuple(Check(kind, kind, {}) for kind in ("unknown_family", "missing_ttl", "wrong_ttl", "wrong_type"))
    peaks = []
    for upto in (5_000, 40_000):
        with client.pipeline(transaction=False) as pipe:
            for number in range(upto):
                pipe.set(f"vfr:acme:prob:l1:S{number}:1", "{}", ex=60)
            pipe.execute()
        tracemalloc.start()
        [whole, *_] = store.checks.tally(Table("redis", "vfr:*", checks), Scope())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert whole.total >= upto
    store.close()
    # Eight times the keys.
    assert peaks[1] < peaks[0] * 1.5


@pytest.mark.parametrize(
    ("env", "why"),
    [("dark", "redis is off in this environment"), ("bare", "redis has no url in environment bare")],
)
def test_store_that_is_not_there_is_not_run_and_said(cache: Single, env: str, why: str) -> None:
    alone = cache.run("validate", "cache", env=env)

    assert alone.code == 2
    assert f"error[nothing-to-check]: cache is not run: {why}" in alone.err


def test_suites_of_stores_without_url_are_not_run_beside_others(cache: Single) -> None:
    (cache.folder / "weaviate").mkdir()
    shutil.copy(REPOSITORY / "checks" / "vectors.yaml", cache.folder / "checks")
    toml = cache.folder / "provision.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("[environments.test]", "[stores.weaviate]\n[environments.test]"), encoding="utf-8")

    ran = cache.validate()

    assert (ran.code, ran.json["suite"]) == (0, "cache")
    assert "vectors is not run: weaviate has no url in environment test\n" in ran.err
    assert "vectors is not run: weaviate has no url" in cache.run("validate").out
    assert cache.validate("vectors").code == 2

"""`doctor`: reads only, names each thing that is wrong and what to do about it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from provision.model import Owner
from provision.settings import load
from provision.stores.postgres.lease import PostgresLeases
from provision.stores.postgres.server import connect

if TYPE_CHECKING:
    from tests.servers.command_line import Provision


def findings(provision: Provision, code: int) -> list[dict[str, str]]:
    ran = provision("doctor", "--output", "json")
    document = json.loads(ran.out)
    assert (ran.code, document["exit"], ran.err) == (code, code, "")
    listed: list[dict[str, str]] = document["findings"]
    return listed


def odd(listed: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    """What is not fine of the stores, without the machine, on which other tests have no hold."""
    return [
        (each["severity"], each["place"], each["rule"], each["message"])
        for each in listed
        if each["severity"] != "fine" and each["place"] != "machine"
    ]


@pytest.fixture
def url(small: Path) -> str:
    """The url of the test's own PostgreSQL database."""
    from provision.settings import resolve

    place = resolve(load(small), "test").places["postgres"].url
    assert place is not None
    return place.reveal()


def test_doctor_of_a_sound_project_finds_nothing_and_writes_nothing(
    small: Path, url: str, provision: Provision, redis_6: str
) -> None:
    before = sorted(small.rglob("*"))
    listed = findings(provision, 0)
    assert odd(listed) == []
    said = {(each["place"], each["rule"]) for each in listed}
    for place, rules in {
        "machine": ("python", "tools", "packages", "disk"),
        "provision.toml": ("project",),
        "files": ("files",),
        "postgres": ("reach", "privileges", "clock", "indexes", "ledger", "lease"),
        "clickhouse": ("reach", "privileges", "clock", "ledger"),
        "redis": ("reach", "clock", "eviction", "persistence", "ledger"),
    }.items():
        assert {rule for where, rule in said if where == place} >= set(rules)
    assert [each for each in sorted(small.rglob("*")) if "__pycache__" not in each.parts] == before
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('provision')").fetchone() == (None,)
    with redis.Redis.from_url(redis_6) as client:
        assert client.dbsize() == 0


@pytest.mark.usefixtures("small")
def test_doctor_text_has_a_line_for_each_finding(provision: Provision) -> None:
    ran = provision("doctor")
    assert ran.code == 0
    assert ran.out.startswith("small · test\nmachine\n  ✓ python      Python 3.")
    assert "\npostgres\n  ✓ reach       postgres 18.4 answers at " in ran.out
    assert "\n  ✓ lease       the run lock is free\n" in ran.out


def test_doctor_after_a_failed_run_names_the_open_attempt(small: Path, provision: Provision) -> None:
    with (small / "clickhouse/002_event_counts.sql").open("a") as file:
        file.write("ALTER TABLE nothing_of_that_name DROP COLUMN x;\n")
    assert provision("up", "--allow-destructive").code == 5
    (found,) = odd(findings(provision, 0))
    assert found[:3] == ("warning", "clickhouse", "attempts")
    assert found[3].startswith("clickhouse/002 stopped in statement 2, begun ")


@pytest.mark.usefixtures("small")
def test_doctor_index_left_invalid(url: str, provision: Provision) -> None:
    assert provision("up", "--allow-destructive").code == 0
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("idx_ours", "idx_foreign"):
            connection.execute(f"CREATE INDEX {name} ON orders (account_id)".encode())
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'idx_%'")
        connection.execute(
            'UPDATE provision.ledger SET detail = detail || \'{"text": "CREATE INDEX CONCURRENTLY idx_ours …"}\''
            " WHERE revision = 'postgres/0002'"
        )
    assert odd(findings(provision, 1)) == [
        ("error", "postgres", "indexes", "index idx_ours on orders is INVALID: a run ended while it was built"),
        ("warning", "postgres", "indexes", "index idx_foreign on orders is INVALID"),
    ]
    [fix] = [each["fix"] for each in findings(provision, 1) if each["message"].startswith("index idx_foreign")]
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in re.findall("`([^`]+)`", fix):  # built again, or dropped: one after the other does both
            connection.execute(statement.encode())
            assert [each[3][:15] for each in odd(findings(provision, 1))] == ["index idx_ours "]


@pytest.mark.usefixtures("small")
def test_doctor_user_without_rights(url: str, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('CREATE ROLE "re-ader" LOGIN')
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    monkeypatch.setenv("SMALL_POSTGRES", url.replace("postgres@", "re-ader@"))
    try:
        listed = [each for each in findings(provision, 1) if each["rule"] == "privileges" and each["fix"]]
        with psycopg.connect(url, autocommit=True) as connection:
            for each in listed:
                database = connection.info.dbname
                connection.execute(each["fix"].strip("`").replace("small_N", database).encode())
        assert odd(findings(provision, 0)) == []
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute('DROP OWNED BY "re-ader"; DROP ROLE "re-ader"')
    assert [(each["message"], each["fix"]) for each in listed] == [
        ('"re-ader" may not make the schema provision in small_N', '`GRANT CREATE ON DATABASE small_N TO "re-ader"`'),
        ('"re-ader" may not create tables in public', '`GRANT CREATE ON SCHEMA public TO "re-ader"`'),
    ]


@pytest.mark.usefixtures("small")
def test_doctor_lease_of_a_living_and_of_a_dead_run(url: str, provision: Provision) -> None:
    with connect(url, "postgres") as connection:
        leases = PostgresLeases(connection, "small")
        leases.create()
        holding = leases.take("run", Owner("ci@elsewhere", 7, command="provision up"), 60, 0)
        assert [each[:3] for each in odd(findings(provision, 0))] == [("warning", "postgres", "lease")]
        assert "ci@elsewhere (pid 7, provision up)" in odd(findings(provision, 0))[0][3]
        leases.release("run", holding.owner, holding.token)
        leases.take("run", Owner("ci@elsewhere", 7), 0.001, 0)
    time.sleep(0.01)
    assert odd(findings(provision, 0)) == [
        (
            "warning",
            "postgres",
            "lease",
            "the run lock is of a run that ended without giving it back: ci@elsewhere (pid 7)",
        )
    ]


@pytest.mark.usefixtures("small")
def test_doctor_statement_that_still_runs(url: str, provision: Provision) -> None:
    with psycopg.connect(url, autocommit=True, application_name="provision/small/3/postgres/0002") as connection:
        sleep = threading.Thread(target=_sleep, args=(connection,))
        sleep.start()
        time.sleep(0.2)
        listed = odd(findings(provision, 0))
        connection.cancel()
        sleep.join()
    assert [each[:3] for each in listed] == [("warning", "postgres", "statements")]
    assert listed[0][3].endswith("SELECT pg_sleep(30)")


def _sleep(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(30)")


@pytest.fixture
def full(redis_7: str) -> Iterator[str]:
    """A Redis that throws keys away and keeps nothing."""
    with redis.Redis.from_url(redis_7, decode_responses=True) as client:
        kept = {name: client.config_get(name)[name] for name in ("maxmemory", "maxmemory-policy", "appendonly", "save")}
        for name, value in {
            "maxmemory": "100mb",
            "maxmemory-policy": "allkeys-lru",
            "appendonly": "no",
            "save": "",
        }.items():
            client.config_set(name, value)
        yield redis_7
        for name, value in kept.items():
            client.config_set(name, value)


@pytest.mark.parametrize(
    ("home", "code", "found"),
    [
        ("redis", 1, ("error", "redis", "eviction", "ledger and run lock too")),
        ("postgres", 0, ("warning", "redis", "eviction", "the ledger too")),
    ],
)
@pytest.mark.usefixtures("small")
def test_doctor_redis_that_evicts(
    full: str,
    provision: Provision,
    monkeypatch: pytest.MonkeyPatch,
    home: str,
    code: int,
    found: tuple[str, str, str, str],
) -> None:
    monkeypatch.setenv("SMALL_REDIS", full)
    monkeypatch.setenv("PROVISION_PROJECT__HOME", home)
    eviction, persistence = odd(findings(provision, code))
    start = "the server may throw keys away (maxmemory-policy allkeys-lru), "
    assert eviction == (*found[:3], start + found[3])
    assert persistence == ("warning", "redis", "persistence", "nothing is kept on disk")
    with redis.Redis.from_url(full) as client:
        for each in findings(provision, code):
            if each["rule"] in ("eviction", "persistence"):
                client.execute_command(*re.findall("`([^`]+)`", each["fix"])[0].split())
    assert odd(findings(provision, 0)) == []


@pytest.mark.usefixtures("small")
def test_doctor_redis_user_without_rights(redis_7: str, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(redis_7)
    with redis.Redis.from_url(redis_7) as client:
        client.execute_command("ACL", "SETUSER", "half", "on", ">pass", "~*", "+@all", "-xadd", "-eval")
    monkeypatch.setenv("SMALL_REDIS", parts._replace(netloc=f"half:pass@{parts.netloc.rpartition('@')[2]}").geturl())
    try:
        listed = [each for each in findings(provision, 1) if each["place"] == "redis" and each["severity"] == "error"]
        with redis.Redis.from_url(redis_7) as client:
            client.execute_command(*listed[0]["fix"].strip("`").split())
        assert [each for each in findings(provision, 0) if each["severity"] == "error"] == []
    finally:
        with redis.Redis.from_url(redis_7) as client:
            client.execute_command("ACL", "DELUSER", "half")
    assert [(each["message"], each["fix"]) for each in listed] == [
        ("half may not run eval, xadd", "`ACL SETUSER half ~* +eval +xadd`")
    ]


@pytest.mark.usefixtures("small")
def test_doctor_store_that_does_not_answer_exits_with_4(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_REDIS", "redis://:secret-word@127.0.0.1:1/0")
    ran = provision("doctor")
    assert ran.code == 4
    assert "redis\n  ✗ reach       no answer: nothing listens there (redis: redis://127.0.0.1:1/0)\n" in ran.out
    assert "secret-word" not in ran.out


def test_doctor_wrong_files_and_unset_variables(
    small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = small / "redis/0003_x.yaml"
    draft.write_text("up: []\ndown: auto\n")
    told = "`up` of 0003_x.yaml is not filled in yet (redis/0003_x.yaml)"
    assert ("warning", "files", "files", told) in odd(findings(provision, 0))
    draft.write_text("up: all\ndown: auto\n")
    assert ("error", "files", "files", "up is all (redis/0003_x.yaml:1:1)") in odd(findings(provision, 1))
    monkeypatch.delenv("SMALL_REDIS")
    assert odd(findings(provision, 1)) == [
        (
            "error",
            "test",
            "environment",
            "SMALL_REDIS is not set (provision.toml, [environments.test] redis.url)",
        )
    ]


def test_doctor_outside_a_project_looks_at_the_machine(
    tmp_path: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = provision("doctor")
    assert ran.code == 1
    assert "\nprovision.toml\n  ✗ project     no provision.toml here or in any folder above" in ran.out


@pytest.mark.usefixtures("files")
def test_doctor_piped_without_an_environment_is_refused(provision: Provision) -> None:
    ran = provision("doctor")
    assert ran.code == 2
    assert ran.err.startswith("error[environment-not-named]: ")


@pytest.mark.usefixtures("small")
def test_doctor_github_annotates_what_is_odd(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMALL_REDIS")
    out = provision("doctor", "--output", "github").out
    assert "::error title=environment::test: SMALL_REDIS is not set" in out

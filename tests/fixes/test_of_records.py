"""Records that something else wrote, rights and settings of servers: mended as the fix says, and the run goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg
import pytest
import redis

from tests.cli.projects import edit, script
from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision

ENV = ("--env", "test")
UP = ("up", *ENV, "--allow-destructive")
LEDGER = "provision:small:ledger:redis"


@pytest.fixture
def project(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is applied; every command has to name the environment itself."""
    monkeypatch.delenv("PROVISION_ENV")
    return small


def complete(provision: Provision) -> None:
    ran = provision(*UP)
    assert ran.code == 0, ran.err
    assert provision("status", "--check", *ENV).code == 0


def postgres(sql: str) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute(sql.encode())


def of_redis(*command: str) -> object:
    with redis.Redis.from_url(os.environ["SMALL_REDIS"], decode_responses=True) as client:
        return client.execute_command(*command)


def of_clickhouse(sql: str) -> None:
    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as client:
        client.command(sql)


class Case(NamedTuple):
    """What somebody did to the records or the server, what the command says of it, and how the fix is done."""

    code: str
    bring: Callable[[], object]
    words: str
    cure: Callable[[], object]
    typed: tuple[str, ...] = UP


CASES = [
    Case(
        "ledger-unreadable",
        lambda: of_redis("XADD", LEDGER, "9-1", "a", "b"),
        "remove the entry with XDEL",
        lambda: of_redis("XDEL", LEDGER, "9-1"),
    ),
    Case(
        "ledger-unreadable",
        lambda: postgres("alter table provision.ledger rename detail to details"),
        "bring back what is missing",
        lambda: postgres("alter table provision.ledger rename details to detail"),
    ),
    Case(
        "lock-unreadable",
        lambda: postgres("update provision.lease set owner = '{\"pid\": 3}'"),
        "see that no run is at work, then delete the record of the lock",
        lambda: postgres("delete from provision.lease"),
        ("lock", "show", *ENV),
    ),
]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.words[:12]}")
def test_record_is_mended_as_the_fix_says(provision: Provision, case: Case) -> None:
    complete(provision)
    case.bring()
    assert case.words in fix_of(failed(case.code, provision(*case.typed)))

    case.cure()
    ran = provision(*case.typed)
    assert ran.code == 0, ran.err
    complete(provision)


def _url(name: str, **parts: str) -> str:
    """The url of a store with another user, password or path."""
    split = urlsplit(os.environ[name])
    user, password = parts.get("user", split.username or ""), parts.get("password", split.password or "")
    host = split.netloc.rpartition("@")[2]
    return urlunsplit(split._replace(netloc=f"{user}:{password}@{host}", path=parts.get("path", split.path)))


URLS = [
    ("wrong-password", "SMALL_CLICKHOUSE", {"password": "other"}, "correct user and password in the url"),
    ("wrong-password", "SMALL_REDIS", {"password": "other"}, "correct user and password in the url"),
    ("no-such-database", "SMALL_REDIS", {"path": "/99"}, "name a lower one in the url"),
    ("no-such-database", "SMALL_POSTGRES", {"path": "/nothing"}, "correct the url"),
]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("code", "name", "parts", "words"), URLS)
def test_url_is_corrected(
    provision: Provision, monkeypatch: pytest.MonkeyPatch, code: str, name: str, parts: dict[str, str], words: str
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv(name, _url(name, **parts))
        assert words in fix_of(failed(code, provision(*UP)))

    complete(provision)


@pytest.mark.usefixtures("project")
def test_database_is_made_by_the_command_of_the_fix(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    """`createdb NAME` of the fix; here by the statement that it sends."""
    name = f"{urlsplit(os.environ['SMALL_POSTGRES']).path.strip('/')}_other"
    owner = os.environ["SMALL_POSTGRES"]
    monkeypatch.setenv("SMALL_POSTGRES", _url("SMALL_POSTGRES", path=f"/{name}"))
    ran = failed("no-such-database", provision(*UP))

    assert "createdb small_N_other" in fix_of(ran)
    try:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        complete(provision)
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


@pytest.mark.usefixtures("project")
def test_read_only_is_reset_by_the_statement_of_the_fix(provision: Provision) -> None:
    name = urlsplit(os.environ["SMALL_POSTGRES"]).path.strip("/")
    postgres(f"alter database {name} set default_transaction_read_only = on")
    ran = failed("read-only", provision(*UP))

    [first, *_, last] = fix_of(ran).partition("in psql: ")[2].split("; ")
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute(first.encode())
        connection.execute(last.replace("small_N", name).encode())
    complete(provision)


def test_home_that_evicts_is_told_not_to(project: Path, provision: Provision) -> None:
    edit(project / "provision.toml", 'home = "postgres"', 'home = "redis"')
    of_redis("CONFIG", "SET", "maxmemory", "100mb")
    of_redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        fix = fix_of(failed("home-evicts", provision(*UP)))
        [policy] = re.findall(r"set maxmemory-policy to (\w+)", fix)
        of_redis("CONFIG", "SET", "maxmemory-policy", policy)
        complete(provision)
    finally:
        of_redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        of_redis("CONFIG", "SET", "maxmemory", "0")


STATEMENTS = [
    ("unclear-statement", "SELECT 1;\nSELECT 'a;\n", "close it", "SELECT 1;\nSELECT 'a';\n"),
    ("session-statement", "SELECT 1;\nUSE other;\n", "", "SELECT 1;\n"),
]


@pytest.mark.parametrize(("code", "wrong", "words", "right"), STATEMENTS)
def test_statement_is_written_as_the_fix_says(
    project: Path, provision: Provision, code: str, wrong: str, words: str, right: str
) -> None:
    script(project, "003_more", wrong)
    assert words in fix_of(failed(code, provision(*UP)))

    script(project, "003_more", right)
    complete(provision)


def test_import_writes_into_the_folder_of_the_fix(project: Path, provision: Provision) -> None:
    complete(provision)
    command = ("import", "redis", *ENV)
    fix = fix_of(failed("documents-exist", provision(*command)))

    [option] = re.findall(r"(--to) FOLDER", fix)
    ran = provision(*command, option, "live")
    assert ran.code == 0, ran.err
    assert [*(project / "live").glob("*.yaml")] != []


def test_results_that_something_else_wrote_are_removed(project: Path, provision: Provision) -> None:
    edit(project / "provision.toml", 'home = "postgres"', 'home = "redis"')
    (project / "checks").mkdir()
    (project / "checks" / "s.yaml").write_text(
        "store: postgres\ntable: accounts\nchecks: [{name: a, not_null: name}]\n"
    )
    complete(provision)
    of_redis("XADD", "provision:small:validation", "1-1", "a", "b")
    history = ("validate", "history", *ENV)
    fix = fix_of(failed("history-unreadable", provision(*history)))

    [command] = re.findall(r"remove the entry with (XDEL)", fix)
    of_redis(command, "provision:small:validation", "1-1")
    assert provision(*history).code == 0


def test_two_stores_of_one_version_table_get_one_each(project: Path, provision: Provision) -> None:
    toml = project / "provision.toml"
    edit(toml, "strict = true\n", 'strict = true\n[stores.second]\nkind = "postgres"\npath = "second"\n')
    edit(toml, "[environments.test]\n", '[environments.test]\nsecond.url = "${SMALL_POSTGRES}"\n')
    (project / "second" / "versions").mkdir(parents=True)
    env = (project / "alembic" / "env.py").read_text()
    (project / "second" / "env.py").write_text(env)
    (project / "second" / "versions" / "0001_a.py").write_text(
        'revision = "0001"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n'
    )
    fix = fix_of(failed("shared-versions", provision(*UP)))

    [key] = re.findall(r"give it a (version_table) of its own", fix)
    edit(toml, 'path = "second"\n', f'path = "second"\n{key} = "second_version"\n')
    edit(
        project / "second" / "env.py", "connection=connection", 'connection=connection, version_table="second_version"'
    )
    complete(provision)

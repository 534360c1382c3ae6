"""`import`: documents of what is on a live server, that apply to an empty one and baseline on their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from tests.expected import Expected

if TYPE_CHECKING:
    from tests.servers.command_line import Provision

CODE = "#!lua name=lib\nredis.register_function('one', function() return 1 end)\n"
PROJECT = """\
[project]
name = "shop"
home = "redis"

[stores.redis]

[environments.test]
redis.url = "{url}"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_7: str) -> Path:
    """A project without documents, and a server that an application has used."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "test")
    (tmp_path / "redis").mkdir()
    (tmp_path / "provision.toml").write_text(PROJECT.format(url=redis_7))
    with redis.Redis.from_url(redis_7) as client:
        client.flushall()
        client.function_flush()
        client.xgroup_create("orders", "billing", mkstream=True)
        client.xadd("orders", {"a": "b"})
        client.xgroup_create("orders", "audit: all")
        client.function_load(CODE)
        client.set("plain", "x")
    return tmp_path


def test_import_writes_documents_that_baseline_and_apply(
    expected: Expected, shop: Path, provision: Provision, redis_7: str
) -> None:
    ran = provision("import", "redis")
    assert (ran.code, ran.out) == (
        0,
        "redis/0001_streams_and_their_groups.yaml\nredis/0002_function_libraries.yaml\n",
    )
    assert ran.err == (
        'left out: create_group {"stream": "orders", "name": "audit: all", "start": 0}\n'
        "fill in: maxlen of orders, as its writers pass it to XADD: Redis keeps none\n"
        "next, once you have read them:\n  provision baseline --all --only redis --env test\n"
    )
    streams = shop / "redis/0001_streams_and_their_groups.yaml"
    expected(streams.read_text())
    assert "maxlen" in provision("baseline", "--all", "--only", "redis").err
    streams.write_text(streams.read_text().replace("maxlen: null", "maxlen: 1000"))
    assert provision("baseline", "--all", "--only", "redis").code == 0
    assert provision("up").out.endswith("nothing to do\n")
    with redis.Redis.from_url(redis_7, decode_responses=True) as client:
        client.flushall()
        client.function_flush()
        assert provision("up").code == 0
        assert sorted(each["name"] for each in client.xinfo_groups("orders")) == ["billing"]
        assert client.function_list(withcode=True)[0][-1] == CODE


@pytest.mark.usefixtures("shop")
def test_import_writes_nothing_over_documents(expected: Expected, provision: Provision) -> None:
    provision("import", "redis")
    ran = provision("import", "redis")
    assert ran.code == 2
    expected(ran.err)
    assert provision("import", "redis", "--to", "found").out.startswith("found/0001_")


def test_import_to_a_folder_outside_of_the_project_names_the_schema(
    shop: Path, provision: Provision, tmp_path_factory: pytest.TempPathFactory
) -> None:
    schema = shop / "docs/schemas/redis.json"
    schema.parent.mkdir(parents=True)
    schema.write_text("{}")
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    assert provision("import", "redis", "--to", str(elsewhere)).code == 0
    assert provision("import", "redis").code == 0
    for path in (elsewhere, shop / "redis"):
        first = next(path.iterdir()).read_text().splitlines()[0]
        assert (path / first.removeprefix("# yaml-language-server: $schema=")).resolve() == schema


@pytest.mark.usefixtures("shop")
def test_import_says_what_no_file_makes(provision: Provision, redis_7: str) -> None:
    with redis.Redis.from_url(redis_7) as client:
        client.acl_setuser("alice", enabled=True, nopass=True, commands=["+get"])
        try:
            said = provision("import", "redis").err
        finally:
            client.acl_deluser("alice")
    assert "left out: users alice: `ACL LIST` shows what they may\n" in said


@pytest.mark.usefixtures("shop")
def test_import_of_an_empty_server_says_so(provision: Provision, redis_7: str) -> None:
    with redis.Redis.from_url(redis_7) as client:
        client.flushall()
        client.function_flush()
    ran = provision("import", "redis")
    assert ran == (0, "", "nothing that a file could make is on the server of redis\n")


@pytest.mark.parametrize(
    ("store", "error"),
    [
        ("redsi", "error[unknown-store]: no store is called 'redsi'\n  where  provision.toml\n"),
        (
            "postgres",
            "error[no-documents]: postgres has no YAML files\n  where  import\n  fix    kinds with YAML files: ",
        ),
    ],
)
def test_import_of_what_has_no_documents(shop: Path, provision: Provision, store: str, error: str) -> None:
    toml = shop / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.redis]", '[stores.redis]\n[stores.postgres]\npath = "other"'))
    (shop / "other").mkdir()
    ran = provision("import", store)
    assert (ran.code, ran.err[: len(error)]) == (2, error)


def test_import_without_a_server_says_what_to_set(expected: Expected, shop: Path, provision: Provision) -> None:
    toml = shop / "provision.toml"
    toml.write_text(toml.read_text().split("[environments")[0] + "[environments.test]\n")
    ran = provision("import", "redis")
    assert ran.code == 2
    expected(ran.err)


def test_import_into_a_folder_that_cannot_be_written(shop: Path, provision: Provision) -> None:
    (shop / "taken").write_text("")
    ran = provision("import", "redis", "--to", "taken/here")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error[unwritable-file]: the file cannot be written: not a directory",
    )

"""`local`: real engines in the project's own folder; a question before anything is lost."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from provision.cli import local
from provision.embedded import engine
from provision.kinds import with_engine
from tests.expected import Expected

if TYPE_CHECKING:
    from tests.servers.command_line import Provision

TOML = """
[project]
name = "shop"
home = "redis"
[stores.redis]
[stores.clickhouse]
[stores.search]
kind = "redis"
[environments.local]
embedded = true
clickhouse = "off"
search.url = "redis://:${SECRET}@search.example:6379/0"
[environments.production]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose local environment has one embedded engine; one store is off, one has a url."""
    (tmp_path / "provision.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECRET", raising=False)
    yield tmp_path
    for kind in with_engine():
        for name in (kind, "search"):
            engine(kind, name, tmp_path / ".provision").reset()


def engines(provision: Provision, *arguments: str) -> dict[str, dict[str, object]]:
    ran = provision("local", *arguments, "--output", "json")
    assert (ran.code, ran.err) == (0, "")
    return {each["store"]: each for each in json.loads(ran.out)["engines"]}


def test_local_status_of_engines_never_made_writes_nothing(shop: Path, provision: Provision) -> None:
    assert engines(provision, "status") == {
        "redis": {
            "store": "redis",
            "state": "absent",
            "version": None,
            "url": None,
            "path": str(shop / ".provision/redis/data"),
            "pid": None,
        }
    }
    assert provision("local", "status").out == "  redis  absent    .provision/redis/data\n"
    assert [each.name for each in shop.iterdir()] == ["provision.toml"]


def test_local_start_stop_reset_take_an_engine_through_its_life(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from provision.cli.main import run

    def read(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        return run(["local", *arguments]), capsys.readouterr().out

    code, out = read("start", "-o", "json")
    started = json.loads(out)["engines"][0]
    assert (code, started["state"]) == (0, "running")
    with redis.Redis.from_url(started["url"]) as client:
        client.set("kept", 1)
    assert json.loads(read("start", "-o", "json")[1])["engines"][0]["pid"] == started["pid"]
    assert started["url"] in read("status")[1]
    assert read("stop", "redis") == (0, "  ✓ redis  stopped  .provision/redis/data\n")
    assert read("stop") == (0, "nothing to stop\n")
    stopped = json.loads(read("status", "-o", "json")[1])["engines"][0]
    assert stopped == {**started, "state": "stopped", "url": None, "pid": None}
    with redis.Redis.from_url(json.loads(read("start", "-o", "json")[1])["engines"][0]["url"]) as client:
        assert client.get("kept") == b"1"
    assert read("reset", "--yes") == (0, "  ✓ redis  removed  .provision/redis/data\n")
    assert not (shop / ".provision/redis").exists()
    assert read("reset", "--yes") == (0, "nothing to remove\n")


def test_local_reset_of_a_broken_and_of_a_killed_engine(shop: Path, provision: Provision) -> None:
    pid = engines(provision, "start")["redis"]["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    (shop / ".provision/redis/engine.json").write_text("{")
    ran = provision("local", "reset", "--yes")
    assert (ran.code, ran.out) == (0, "  ✓ redis  removed  .provision/redis/data\n")
    (shop / ".provision/redis").mkdir()
    (shop / ".provision/redis/half-made").touch()
    assert provision("local", "reset", "--yes").code == 0
    assert not (shop / ".provision/redis").exists()


def test_local_reset_where_nobody_can_answer_asks_for_yes(expected: Expected, shop: Path, provision: Provision) -> None:
    (shop / ".provision/redis").mkdir(parents=True)
    ran = provision("local", "reset")
    assert ran.code == 2
    expected(ran.err)
    assert (shop / ".provision/redis").exists()


@pytest.mark.usefixtures("shop")
def test_local_reset_with_nothing_there_asks_nothing(provision: Provision) -> None:
    ran = provision("local", "reset")
    assert (ran.code, ran.out, ran.err) == (0, "nothing to remove\n", "")


@pytest.mark.parametrize(("typed", "code", "there"), [("yes", 0, False), ("y", 3, True), ("", 3, True)])
def test_local_reset_at_a_terminal_wants_the_word(
    shop: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, there: bool
) -> None:
    (shop / ".provision/redis").mkdir(parents=True)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(local.typer, "prompt", lambda *_, **__: typed)
    monkeypatch.setenv("TERM", "dumb")
    assert provision("local", "reset").code == code
    assert (shop / ".provision/redis").exists() is there


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("start", "search"),
            "error[no-engine]: search has no embedded engine in environment local\n"
            "  where  PLACE/provision.toml\n  fix    stores with one: redis\n",
        ),
        (
            ("stop", "nope"),
            "error[unknown-store]: no store is called 'nope'\n"
            "  where  provision.toml\n  fix    known: redis, clickhouse, search\n",
        ),
    ],
)
def test_local_wrong_store_is_refused(shop: Path, provision: Provision, arguments: tuple[str, ...], error: str) -> None:
    ran = provision("local", *arguments)
    assert (ran.code, ran.err.replace(str(shop), "PLACE")) == (2, error)


def test_local_an_engine_that_the_environment_no_longer_uses_can_still_be_ended(
    shop: Path, provision: Provision
) -> None:
    engine("redis", "search", shop / ".provision").start()
    assert engines(provision, "status")["search"]["state"] == "running"
    assert provision("local", "stop").out == "  ✓ search  stopped  .provision/search/data\n"
    assert provision("local", "reset", "search", "--yes").code == 0


def test_local_without_an_embedded_environment_is_refused(shop: Path, provision: Provision) -> None:
    (shop / "provision.toml").write_text(TOML.replace("embedded = true", ""))
    ran = provision("local", "status")
    assert ran.code == 2
    assert ran.err.startswith("error[no-embedded-environment]: 0 environments say `embedded = true`\n")


def test_local_alone_lists_its_commands_in_order(provision: Provision) -> None:
    ran = provision("local", "--help")
    assert [ran.out.index(f"  {name} ") for name in ("start", "stop", "status", "reset")] == sorted(
        ran.out.index(f"  {name} ") for name in ("start", "stop", "status", "reset")
    )
    assert ran.code == 0

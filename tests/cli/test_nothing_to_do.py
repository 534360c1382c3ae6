"""`up` where every file is applied reads no document whole; where anything is to be done it reads them all first."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from provision.documents.source import Documents
from tests.servers.command_line import Ran
from tests.unit.test_imports import DRIVERS, drivers, loaded

Provision = Callable[..., Ran]
PENDING = "up:\n  - create_stream: {name: more, maxlen: 10}\ndown: auto\n"


@pytest.fixture
def applied(small: Path, provision: Provision) -> Path:
    assert provision("up").code == 0
    return small


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stores whose documents are read whole, as it happens."""
    stores, whole = [], Documents._read

    def reading(self: Documents) -> object:
        stores.append(self._options.name)
        return whole(self)

    monkeypatch.setattr(Documents, "_read", reading)
    return stores


def document(project: Path) -> Path:
    """The newest document of the project's Redis."""
    return sorted((project / "redis").glob("*.yaml"))[-1]


def test_up_with_nothing_to_do_reads_no_document_and_loads_no_driver(
    applied: Path, provision: Provision, read: list[str]
) -> None:
    ran = provision("up")
    assert (ran.code, ran.out.splitlines()[-1], read) == (0, "nothing to do", [])
    assert drivers(loaded(("up",), applied)) == DRIVERS & {"psycopg", "clickhouse_migrations"}


def test_option_that_nobody_chose_leaves_nothing_to_do(applied: Path, provision: Provision, read: list[str]) -> None:
    (applied / "redis" / "0900_more.yaml").write_text(PENDING)
    stated = applied / "provision.toml"
    stated.write_text(stated.read_text().replace("[stores.redis]", '[stores.redis]\noptions = {demo = "0900"}'))
    ran = provision("up")
    assert (ran.code, ran.out.splitlines()[-1], read) == (0, "nothing to do", [])


def test_up_with_something_to_do_does_it(applied: Path, provision: Provision, read: list[str]) -> None:
    (applied / "redis" / "0900_more.yaml").write_text(PENDING)
    ran = provision("up")
    assert (ran.code, "redis/0900" in ran.out, set(read)) == (0, True, {"redis"})
    with redis.Redis.from_url(os.environ["SMALL_REDIS"]) as client:
        assert client.exists("more")


def test_loss_of_a_pending_document_is_known(applied: Path, provision: Provision) -> None:
    (applied / "redis" / "0900_more.yaml").write_text(PENDING)
    (applied / "redis" / "0901_less.yaml").write_text(
        'up:\n  - drop_stream: {name: more}\ndown: {irreversible: "gone"}\n'
    )
    ran = provision("up")
    assert (ran.code, "redis/0901" in ran.err) == (3, True)


def test_pending_document_that_is_wrong_is_told_as_ever(applied: Path, provision: Provision) -> None:
    (applied / "redis" / "0900_more.yaml").write_text("up:\n  - make_stream: {name: more}\ndown: auto\n")
    assert told_alone(provision("up")) == told_alone(provision("graph"))


def test_applied_document_that_was_made_wrong_is_told_as_ever(applied: Path, provision: Provision) -> None:
    path = document(applied)
    path.write_text(path.read_text().replace("down:", "downs:"))
    assert told_alone(provision("up")) == told_alone(provision("graph"))


def test_wrong_document_is_told_before_a_server_that_is_away(
    applied: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    (applied / "redis" / "0900_more.yaml").write_text("up:\n  - make_stream: {name: more}\ndown: auto\n")
    monkeypatch.setenv("SMALL_REDIS", "redis://127.0.0.1:1/0")
    assert told_alone(provision("up")) == told_alone(provision("graph"))


def told_alone(ran: Ran) -> str:
    """What was printed as an error, nothing else having been printed."""
    assert (ran.code, ran.out) == (2, "")
    return ran.err


def test_edited_document_is_refused_as_ever(applied: Path, provision: Provision) -> None:
    path = document(applied)
    path.write_text(f"{path.read_text()}# edited\n")
    ran = provision("up")
    assert (ran.code, "redis/0002" in ran.err, ran.out) == (3, True, "small · test\n")


def test_document_that_is_gone_is_told_as_ever(applied: Path, provision: Provision) -> None:
    path = document(applied)
    path.unlink()
    ran = provision("up")
    assert (ran.code, "redis/0002 is applied and newer than every file here" in ran.out) == (0, True)


def test_requirement_that_is_nowhere_is_told_as_ever(applied: Path, provision: Provision) -> None:
    (applied / "redis" / "0900_more.yaml").write_text(f"requires: [postgres/nowhere]\n{PENDING}")
    assert told_alone(provision("up")) == told_alone(provision("graph"))


@pytest.mark.usefixtures("small")
def test_commands_run_in_a_thread_of_a_program(provision: Provision) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(provision, "up").result().code == 0
        assert pool.submit(provision, "up").result().out.endswith("nothing to do\n")

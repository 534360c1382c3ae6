"""A server that takes no writes is refused before anything is done, in words that say what to name instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.stores.clickhouse.store import ClickhouseStore
from tests.concurrency.project import Small
from tests.servers.databases import Postgres15

TABLE = 'op.execute("create table effects (step text)")'


@pytest.fixture
def project(tmp_path: Path, postgres: str) -> Small:
    made = Small(tmp_path, {"postgres": postgres})
    made.revisions(TABLE)
    return made


@pytest.mark.parametrize("of", ["database {database}", "role limited in database {database}"])
def test_default_transaction_read_only_is_refused(project: Small, postgres: str, of: str, tmp_path: Path) -> None:
    database = urlsplit(postgres).path.removeprefix("/")
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("drop role if exists limited; create role limited login superuser")
        owner.execute(f"alter {of.format(database=database)} set default_transaction_read_only = on".encode())
    file = tmp_path / "provision.toml"
    file.write_text(file.read_text().replace("//postgres@", "//limited@"))

    ended = project.run("up")
    status = project.run("status")

    assert ended.code == 2, ended.err
    what = "error[read-only]: postgres takes no writes from limited: default_transaction_read_only is on"
    assert what in ended.err
    assert "name the primary in the url" in ended.err
    assert status.code == 0, status.err


@pytest.fixture
def replica() -> Iterator[str]:
    """A PostgreSQL that follows a primary which is not there: a hot standby."""
    with Postgres15() as server:
        server.kill()
        (folder,) = (each.parent for each in server.place.rglob("postgresql.conf"))
        (folder / "standby.signal").touch()
        server.start_again()
        yield server.url


def test_replica_is_refused(tmp_path: Path, replica: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Small(folder, {"postgres": replica})
    made.revisions(TABLE)

    ended = made.run("up")

    assert ended.code == 2, ended.err
    assert "error[read-only-replica]: postgres is a replica, which takes no writes" in ended.err
    assert "fix    name the primary in the url" in ended.err
    assert made.run("status").code == 0


def test_read_only_user_of_clickhouse_is_refused(tmp_path: Path, clickhouse: str) -> None:
    (tmp_path / "clickhouse").mkdir()
    store = ClickhouseStore(StoreOptions("clickhouse", "clickhouse", "small", tmp_path / "clickhouse", tmp_path))
    store.open(clickhouse)
    store.prepare()
    store._opened.driver().set_client_setting("readonly", "1")  # as the profile of a user does

    with pytest.raises(ConfigError) as refused:
        store.prepare()

    store.close()
    assert refused.value.code == "read-only"
    assert refused.value.what == (
        "clickhouse takes no writes from this user: its sessions are read-only (readonly = 1)"
    )

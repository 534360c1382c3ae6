"""`lock show` and `lock release`: who is at work, and how to take the lock from a run that is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from provision.model import Owner
from provision.stores.postgres.leases import PostgresLeases
from tests.servers.command_line import Provision

DBA = Owner("dba@db1", 4711, "", "provision up -e test", "0123456789abcdef", "https://ci.example/1")
HELD = """\
held by  dba@db1, pid 4711
command  provision up -e test
commit   0123456789
url      https://ci.example/1
since    TIME UTC
token    8
expires  in 60 s unless renewed
"""


@pytest.mark.usefixtures("small")
def test_lock_show_held_by_nobody_exits_0(provision: Provision) -> None:
    assert provision("lock", "show") == (0, "nobody holds the run lock\n", "")
    assert json.loads(provision("lock", "show", "-o", "json").out) == {"lease": None}


@pytest.mark.usefixtures("files")
def test_lock_show_home_not_made_is_held_by_nobody(provision: Provision) -> None:
    assert provision("lock", "show", "--env", "local") == (0, "nobody holds the run lock\n", "")
    assert not Path(".provision").exists()


@pytest.mark.usefixtures("small")
def test_lock_show_names_the_holder(provision: Provision) -> None:
    with _leases() as leases:
        leases.take("run", DBA, 60.4, 7)
    assert provision("lock", "show") == (0, HELD, "")
    lease = json.loads(provision("lock", "show", "-o", "json").out)["lease"]
    assert 0 < lease.pop("expires_in_s") <= 60.4
    assert lease == {
        "name": "run",
        "owner": "dba@db1",
        "pid": 4711,
        "command": "provision up -e test",
        "commit": "0123456789abcdef",
        "url": "https://ci.example/1",
        "token": 8,
        "since": "TIMEZ",
    }


@pytest.mark.usefixtures("small")
def test_lock_show_works_while_another_store_is_away(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_REDIS", "redis://127.0.0.1:1/0")
    assert provision("lock", "show").code == 0


@pytest.mark.usefixtures("small")
def test_lock_show_home_away_exits_4(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_POSTGRES", "postgresql://nobody@127.0.0.1:1/small")
    ran = provision("lock", "show")
    assert (ran.code, ran.out, ran.err.startswith("error[unreachable]: postgres does not answer")) == (4, "", True)


@pytest.mark.usefixtures("small")
def test_lock_release_without_yes_where_nobody_can_answer_is_refused(provision: Provision) -> None:
    with _leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        ran = provision("lock", "release", "-o", "json")
        assert leases.read("run") is not None
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "confirmation-needed")


@pytest.mark.usefixtures("small")
def test_lock_release_with_yes_frees_it(provision: Provision) -> None:
    with _leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        assert provision("lock", "release", "--yes") == (0, f"{HELD}released: token 8 of dba@db1\n", "")
        assert leases.read("run") is None
    assert provision("lock", "release") == (0, "nobody holds the run lock\n", "")


@pytest.mark.usefixtures("small")
def test_lock_release_of_a_lock_that_moved_is_refused(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    with _leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        monkeypatch.setattr(PostgresLeases, "release", lambda *_: False)  # another run took it in between
        ran = provision("lock", "release", "--yes", "-o", "json")
    error = json.loads(ran.out)["error"]
    assert (ran.code, error["code"], error["what"]) == (3, "lease-moved", "token 8 does not hold the lock any more")


@pytest.mark.usefixtures("small")
def test_resolve_and_baseline_wait_for_the_lock(provision: Provision) -> None:
    with _leases() as leases:
        leases.take("run", DBA, 60.4, 7)
    ran = provision("baseline", "redis/0001", "--wait", "0")
    assert (ran.code, ran.err.splitlines()[0]) == (
        6,
        "error[lease-held]: another run holds the lease: "
        "dba@db1 (pid 4711, provision up -e test, 0123456789, https://ci.example/1)",
    )
    assert provision("history").out == "nothing was done yet\n"


@contextmanager
def _leases() -> Iterator[PostgresLeases]:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        leases = PostgresLeases(connection, "small")
        leases.create()
        yield leases

"""`lock show` and `lock release`: who is at work, and how to take the lock from a run that is gone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from provision.model import Owner
from provision.process import identity
from provision.stores.postgres.lease import PostgresLeases
from tests.servers.command_line import Provision

DBA = Owner("dba@db1", 4711, "", "provision up -e test", "0123456789abcdef", "https://ci.example/1")
HELD = """\
held by  dba@db1, pid 4711
command  provision up -e test
commit   0123456789
url      https://ci.example/1
since    TIME UTC
token    8
expires  in N s unless renewed
"""
ASKED = """\
asked dba@db1, pid 4711, to give the lock up: it does so before its next statement
the lock is free as soon as it has, in 61 s at the latest; the next run waits for that
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
    with home_leases() as leases:
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
        "asked_back_by": None,
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
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        ran = provision("lock", "release", "-o", "json")
        assert leases.read("run") is not None
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "confirmation-needed")


@pytest.mark.usefixtures("small")
def test_lock_release_with_yes_asks_the_holder(provision: Provision) -> None:
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        assert provision("lock", "release", "--yes") == (0, f"{HELD}{ASKED}", "")
        held = leases.read("run")
        assert held is not None
        assert held.owner == DBA
        assert held.asked_back_by.endswith(f" (pid {os.getpid()})")
        shown = provision("lock", "show").out.splitlines()
        assert shown[-2:] == [f"asked back  by SOMEBODY (pid {os.getpid()})", "expires     in N s"]
        lease = json.loads(provision("lock", "show", "-o", "json").out)["lease"]
        assert lease["asked_back_by"] == f"SOMEBODY (pid {os.getpid()})"


@pytest.mark.usefixtures("small")
def test_lock_release_asked_in_json_names_what_was_asked(provision: Provision) -> None:
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        asked = json.loads(provision("lock", "release", "--yes", "-o", "json").out)
    assert 0 < asked.pop("free_in_s") <= 60.4
    assert asked == {"released": None, "asked_back": 8}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("gone", ["expired", "dead"])
def test_lock_release_of_a_holder_that_is_gone_frees_it(provision: Provision, gone: str) -> None:
    boot, namespace, _ = identity(os.getpid()).split()
    dead = Owner("ci@here", os.getpid(), f"{boot} {namespace} 1")
    with home_leases() as leases:
        leases.take("run", DBA if gone == "expired" else dead, 0.001 if gone == "expired" else 60, 7)
        time.sleep(0.01)
        ran = provision("lock", "release", "--yes")
        assert leases.read("run") is None
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        f"released: token 8 of {'dba@db1' if gone == 'expired' else 'ci@here'}",
    )
    assert provision("lock", "release") == (0, "nobody holds the run lock\n", "")


@pytest.mark.usefixtures("small")
def test_up_that_waits_says_that_the_lock_was_asked_back(provision: Provision) -> None:
    with home_leases() as leases:
        leases.take("run", DBA, 1.5, 7)
        leases.ask_back("run", DBA, 8, "anna@host (pid 3)")
        ran = provision("up", "redis/0001")
    assert ran.code == 0, ran.err
    assert "which anna@host (pid 3) asked to give the run lock up; it is free in 2 s at the latest" in ran.out


@pytest.mark.usefixtures("small")
def test_up_after_the_lock_row_was_deleted_waits_for_whoever_held_it(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISION_PROJECT__LEASE", "1s")
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        leases.connection.execute("delete from provision.lease")
        ran = provision("up", "redis/0001")
        assert leases.take("run", DBA, 60.4, 0).token == 10
    assert ran.code == 0, ran.err
    assert "waits 1 s for an unknown run (the record of its lock was deleted): it may be at work" in ran.out


@pytest.mark.usefixtures("small")
def test_lock_release_of_a_lock_that_moved_is_refused(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
        monkeypatch.setattr(PostgresLeases, "ask_back", lambda *_: False)  # another run took it in between
        ran = provision("lock", "release", "--yes", "-o", "json")
    error = json.loads(ran.out)["error"]
    assert (ran.code, error["code"], error["what"]) == (3, "lease-moved", "token 8 does not hold the lock any more")


@pytest.mark.usefixtures("small")
def test_resolve_and_baseline_wait_for_the_lock(provision: Provision) -> None:
    with home_leases() as leases:
        leases.take("run", DBA, 60.4, 7)
    ran = provision("baseline", "redis/0001", "--wait", "0")
    assert (ran.code, ran.err.splitlines()[0]) == (
        6,
        "error[lease-held]: another run holds the run lock: "
        "dba@db1 (pid 4711, provision up -e test, 0123456789, https://ci.example/1)",
    )
    assert provision("history").out == "nothing was done yet\n"


@contextmanager
def home_leases() -> Iterator[PostgresLeases]:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        leases = PostgresLeases(connection, "small")
        leases.create()
        yield leases

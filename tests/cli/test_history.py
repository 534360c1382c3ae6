"""`history`: every event of every ledger, newest last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.command_line import Provision

REDIS = """\
TIME UTC  redis/0001  started                       run 1  SOMEBODY
TIME UTC  redis/0001  applied N ms  run 1  SOMEBODY
TIME UTC  redis/0002  started                       run 2  SOMEBODY
TIME UTC  redis/0002  applied N ms  run 2  SOMEBODY
TIME UTC  redis/0002  started (down)                run 3  SOMEBODY
TIME UTC  redis/0002  reverted N ms  run 3  SOMEBODY
"""


@pytest.mark.usefixtures("small")
def test_history_empty_says_so(provision: Provision) -> None:
    assert provision("history") == (0, "nothing was done yet\n", "")
    assert provision("history", "-o", "json") == (0, "[]\n", "")


@pytest.mark.usefixtures("small")
def test_history_lists_every_event_in_order(provision: Provision) -> None:
    provision("up", "redis/0001")
    provision("up", "redis/0002")
    provision("down", "--steps", "1", "--only", "redis", "--allow-destructive")
    ran = provision("history", "--only", "redis")
    assert ran == (0, REDIS, "")


@pytest.mark.usefixtures("small")
def test_history_limit_keeps_the_newest(provision: Provision) -> None:
    provision("up", "postgres/0002")
    lines = provision("history", "--limit", "1").out.splitlines()
    assert lines == ["TIME UTC  postgres/0002  applied N ms  run 1  SOMEBODY"]


@pytest.mark.usefixtures("small")
def test_history_of_one_revision_as_json(provision: Provision) -> None:
    provision("up", "postgres/0002")
    events = json.loads(provision("history", "postgres/0002", "-o", "json").out)
    assert events == [
        {
            "store": "postgres",
            "revision": "postgres/0002",
            "kind": "applied",
            "direction": "up",
            "at": "TIMEZ",
            "actor": "SOMEBODY",
            "duration_ms": 0,
            "token": 1,
            "n": 2,
            "statement": None,
            "checksum": "072706fa1a0ac5095c4bc359e5ae8e203e3e2f2d488841ad610bc6f9b295991f",
            "error": None,
            "detail": {"file": "0002_orders.py", "parents": ["postgres/0001"]},
        }
    ]


def test_history_failure_says_what_the_server_said(small: Path, provision: Provision) -> None:
    file = small / "alembic" / "versions" / "0002_orders.py"
    file.write_text(file.read_text().replace("accounts)", "nowhere)"))
    provision("up", "postgres/0002")
    assert provision("history", "postgres/0002").out.splitlines() == [
        "TIME UTC  postgres/0002  failed                        run 1  SOMEBODY",
        '                         statement 1: relation "nowhere" does not exist [42P01]',
    ]


@pytest.mark.usefixtures("small")
def test_history_unknown_revision_is_refused(provision: Provision) -> None:
    assert provision("history", "postgres/9999") == (
        2,
        "",
        "error[no-such-revision]: no revision is called postgres/9999\n"
        "  fix    `provision status --all` lists the ids\n",
    )


@pytest.mark.usefixtures("small")
def test_history_unreachable_store_shows_the_others_and_exits_4(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision("up", "postgres/0001")
    monkeypatch.setenv("SMALL_REDIS", "redis://127.0.0.1:1/0")
    ran = provision("history")
    assert (ran.code, ran.out) == (4, "TIME UTC  postgres/0001  applied N ms  run 1  SOMEBODY\n")
    assert ran.err.startswith("error[unreachable]: ")

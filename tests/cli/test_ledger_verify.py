"""`ledger verify`: what no correct run could have written, on real servers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
import redis

from provision import Project
from provision.model import Event
from tests.illegal_ledgers import BEGUN, ILLEGAL, LEGAL, RUN, Entry, events
from tests.servers.command_line import Provision

CLEAN = """\
small · test
  ✓ postgres    3 entries, 1 run, 3 revisions
  ✓ clickhouse  4 entries, 1 run, 2 revisions
  ✓ redis       4 entries, 1 run, 2 revisions
0 illegal entries
"""
ILLEGAL_REDIS = """\
small · test
  ✗ redis  3 entries, 2 runs, 1 revision
      ✗ redis/0001  entry 2/1: it was applied, and its up was run again: started (no-statement-twice)
        fix  look at the database, then `provision history redis/0001 --env test`; settle it, or leave it \
behind with --since: `provision docs recovery`
1 illegal entry
"""
SETTLED = """\
small · test
  ✓ redis  4 entries, 3 runs, 1 revision
      ! redis/0001  entry 2/1: it was applied, and its up was run again: started (no-statement-twice)
        redis/0001 was settled afterwards
0 illegal entries
"""


def _kept(made: Sequence[Event]) -> None:
    """Write the events into the ledger of Redis, without our own code."""
    with redis.Redis.from_url(os.environ["SMALL_REDIS"]) as client:
        client.delete("provision:small:ledger:redis")
        for each in made:
            record = {name: value for name, value in each.record().items() if name not in ("project", "token", "n")}
            fields = {name: str(value) for name, value in record.items() if value is not None}
            client.xadd("provision:small:ledger:redis", fields, f"{each.token}-{each.n}")  # type: ignore[arg-type]


def _made(entries: Sequence[Entry]) -> list[Event]:
    return events(entries, project="small")


@pytest.mark.usefixtures("small")
def test_ledgers_of_correct_runs_are_clean(provision: Provision) -> None:
    assert provision("ledger", "verify").out.endswith("0 illegal entries\n")
    assert provision("up").code == 0
    assert provision("ledger", "verify") == (0, CLEAN, "")
    assert provision("down", "--all", "--allow-destructive").code == 0
    assert provision("up").code == 0
    assert provision("ledger", "verify").code == 0


@pytest.mark.usefixtures("small")
def test_word_of_a_person_is_legal(provision: Provision, small: Path) -> None:
    _kept(events([BEGUN, RUN, ("failed", {"statement": 1})], project="small", number="0001"))
    assert provision("resolve", "redis/0001", "--pending", "--reason", "nothing there").code == 0
    assert provision("up").code == 0
    (file,) = small.glob("redis/0002_*")
    file.write_text(f"{file.read_text()}# edited\n")
    assert provision("resolve", "redis/0002", "--accept-change").code == 0
    assert provision("ledger", "verify").code == 0


@pytest.mark.usefixtures("small")
def test_baseline_is_legal(provision: Provision) -> None:
    assert provision("baseline", "--all").code == 0
    assert provision("ledger", "verify").code == 0


@pytest.mark.usefixtures("small")
def test_illegal_entry_is_told_with_its_invariant_and_exit_code_1(provision: Provision) -> None:
    _kept(events([BEGUN, ("applied", {}), RUN, BEGUN], project="small", number="0001"))
    assert provision("ledger", "verify", "--only", "redis") == (1, ILLEGAL_REDIS, "")
    assert json.loads(provision("ledger", "verify", "--only", "redis", "-o", "json").out) == {
        "project": "small",
        "environment": "test",
        "stores": [
            {
                "store": "redis",
                "entries": 3,
                "runs": 2,
                "revisions": 1,
                "wrong": True,
                "illegal": [
                    {
                        "revision": "redis/0001",
                        "token": 2,
                        "n": 1,
                        "kind": "started",
                        "rule": "done-again",
                        "invariant": "no-statement-twice",
                        "severity": "error",
                        "settled": False,
                        "what": "it was applied, and its up was run again: started",
                    }
                ],
            }
        ],
        "exit": 1,
    }
    assert (
        "::error title=ledger-illegal::redis/0001: it was applied" in provision("ledger", "verify", "-o", "github").out
    )


@pytest.mark.usefixtures("small")
def test_entry_settled_by_a_person_is_shown_and_no_failure(provision: Provision) -> None:
    _kept(events([BEGUN, ("applied", {}), RUN, BEGUN], project="small", number="0001"))
    assert provision("resolve", "redis/0001", "--pending").code == 0
    assert provision("ledger", "verify", "--only", "redis") == (0, SETTLED, "")


@pytest.mark.usefixtures("small")
def test_entry_of_before_since_is_shown_and_no_failure_and_a_later_one_is(provision: Provision) -> None:
    _kept(events([BEGUN, ("applied", {}), RUN, BEGUN], project="small", number="0001"))
    only = ("ledger", "verify", "--only", "redis", "--since")

    before, after = provision(*only, "2026-01-01"), provision(*only, "2026-06-01")

    assert (before.code, before.out) == (1, ILLEGAL_REDIS)
    assert (after.code, after.out.splitlines()[2:]) == (
        0,
        [
            "      ! redis/0001  entry 2/1: it was applied, and its up was run again: started (no-statement-twice)",
            "        it was written before --since",
            "0 illegal entries",
        ],
    )
    (store,) = json.loads(provision(*only, "2026-06-01", "-o", "json").out)["stores"]
    assert (store["wrong"], [each["severity"] for each in store["illegal"]]) == (False, ["warning"])
    assert provision(*only, "yesterday").err.startswith("error[bad-moment]")


@pytest.mark.usefixtures("small")
def test_every_ledger_of_the_table_is_judged_as_it_is_read_from_redis(provision: Provision) -> None:
    told = {}
    for name, (entries, _) in ILLEGAL.items():
        _kept(_made(entries))
        ran = provision("ledger", "verify", "--only", "redis", "-o", "json")
        (store,) = json.loads(ran.out)["stores"]
        told[name] = (ran.code, [each["rule"] for each in store["illegal"]])
    assert told == {name: (1, [rule]) for name, (_, rule) in ILLEGAL.items()}
    for name, entries in LEGAL.items():
        _kept(_made(entries))
        assert (name, provision("ledger", "verify", "--only", "redis").code) == (name, 0)


@pytest.mark.usefixtures("small")
def test_read_only_and_a_ledger_that_is_not_there_is_clean(provision: Provision) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        assert provision("ledger", "verify").code == 0
        assert connection.execute("select to_regnamespace('provision')").fetchone() == (None,)


@pytest.mark.usefixtures("small")
def test_store_that_does_not_answer_is_exit_code_4(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_REDIS", "redis://127.0.0.1:1/0")
    ran = provision("ledger", "verify")
    assert (ran.code, "error[unreachable]" in ran.err, "✓ postgres" in ran.out) == (4, True, True)


def test_library_reports_each_store(small: Path) -> None:
    _kept(_made([BEGUN, ("at", {"statement": 3})]))
    (found,) = Project.open(small).verify_ledgers(only="redis")
    assert (found.store, found.entries, found.wrong) == ("redis", 2, True)
    assert [str(each.rule) for each in found.illegal] == ["statement-skipped"]

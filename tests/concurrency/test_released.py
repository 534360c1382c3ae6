"""The run lock released by hand while its holder is at work, and another run started at once.

RELEASED is how many instants of the run are tried, a few where it is not set; RELEASED_LOG names a file that takes how
each ended.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos import pictures
from tests.concurrency.conftest import Rows
from tests.concurrency.project import Ended, Small

# Without a number: at each of these a run that does not look again after the fence sent statements twice.
SEEDS = range(int(os.environ["RELEASED"])) if "RELEASED" in os.environ else (3, 7, 8)
LEASE = 6.0  # seconds
FILES = 10  # of each store
LONGEST = 5.0  # seconds after the first statement; a run that nobody disturbs takes longer
# What sleeps can be sent again, what inserts cannot: a second time it shows in the count.
AUTOCOMMIT = """with op.get_context().autocommit_block():
    op.execute("select pg_sleep(0.3)")
    op.execute("insert into effects values ('{0}.1')")
    op.execute("select pg_sleep(0.3)")
    op.execute("insert into effects select '{0}.2' from pg_sleep(0.1)")"""
SCRIPT = """SELECT sleepEachRow(0.3) FROM numbers(1);
INSERT INTO effects VALUES ('{0}.1');
SELECT sleepEachRow(0.3) FROM numbers(1);
INSERT INTO effects SELECT '{0}.2' FROM numbers(1) WHERE sleepEachRow(0.1) = 0;
"""
EXPECTED = sorted(f"{file:03d}.{part}" for file in range(2, 2 + FILES) for part in (1, 2))


class Outcome(NamedTuple):
    """How the run whose lock was released ended, how the other one did, and what both made."""

    holder: Ended
    second: Ended
    effects: dict[str, Counter[str]]


@pytest.fixture
def busy(both: Small) -> Small:
    """A project whose statements are slow, and must not be sent twice."""
    both.revisions(
        'op.execute("create table effects (step text)")', *(AUTOCOMMIT.format(f"{n:03d}") for n in range(2, 2 + FILES))
    )
    scripts = ["CREATE TABLE effects (step String) ENGINE = MergeTree ORDER BY step;\n"]
    scripts += [SCRIPT.format(f"{n:03d}") for n in range(2, 2 + FILES)]
    for number, text in enumerate(scripts, 1):
        (both.folder / f"clickhouse/{number:03d}_step.sql").write_text(text)
    first = both.run("up", "postgres/0001", "clickhouse/001")
    assert first.code == 0, first.err
    return both


@pytest.mark.parametrize("number", SEEDS)
def test_lock_released_by_hand_sends_no_statement_twice(busy: Small, rows: Rows, found: Rows, number: int) -> None:
    holder = busy.start("up", lease=f"{LEASE}s")
    holder.until(lambda: bool(rows("select 1 from provision.ledger where token = 2")), "the holder's first entry")
    time.sleep(random.Random(number).uniform(0, LONGEST))

    released = busy.run("lock", "release", "--yes", "-o", "json", lease=f"{LEASE}s")
    second = busy.start("up", "--wait", "60s", lease=f"{LEASE}s").end()

    outcome = Outcome(holder.end(), second, _effects(rows, found))
    assert released.code == 0, released.err
    _log(number, outcome)
    _once(outcome)
    _legal(busy, rows, found)


def test_lock_asked_back_in_a_long_statement_is_given_up_in_a_third_of_the_lease(small: Small, rows: Rows) -> None:
    long = "insert into effects select 1 from pg_sleep(12)"
    small.revisions('op.execute("create table effects (step text)")', f'op.execute("{long}")')
    holder = small.start("up", lease="6s")
    holder.until(lambda: bool(rows(f"select 1 from pg_stat_activity where query = '{long}'")), "the long statement")

    assert small.run("lock", "release", "--yes", lease="6s").code == 0
    asked = time.monotonic()
    holder.until(lambda: rows("select owner from provision.lease where name = 'run'") == [(None,)], "the giving up")
    taken = time.monotonic() - asked
    second = small.run("up", lease="6s")

    assert taken < 6 / 3
    assert holder.end().code == 5
    assert second.code == 0, second.err
    assert "an earlier run's statement is still running" in second.out
    assert rows("select count(*) from effects") == [(1,)]


def test_frozen_in_an_autocommit_block_its_session_is_ended(busy: Small, rows: Rows) -> None:
    """Frozen where the check is behind it and the statement is not yet sent: no fence of the ledger keeps that out."""
    marker = busy.folder / "reached"
    body = f"""with op.get_context().autocommit_block():
    from sqlalchemy import event
    import os, pathlib, signal, time
    def freeze(conn, cursor, statement, *rest):
        if "frozen" in statement and not pathlib.Path({str(marker)!r}).exists():
            pathlib.Path({str(marker)!r}).touch()
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.5)  # the other threads may have taken the signal first
    event.listen(op.get_bind(), "before_cursor_execute", freeze)
    op.execute("insert into effects values ('before')")
    op.execute("insert into effects values ('frozen')")"""
    busy.revisions('op.execute("create table effects (step text)")', body)
    holder = busy.start("up", "--only", "postgres", lease="1s")
    holder.until(marker.exists, "the freeze")

    second = busy.run("up", "--only", "postgres", "--wait", "20s", lease="1s")
    holder.send(signal.SIGCONT)
    first = holder.end()

    assert first.code == 5, first.out
    assert rows("select step from effects where step = 'before'") == [("before",)]
    assert rows("select count(*) from effects where step = 'frozen'") == [(0,)]
    assert (second.code, "error[dirty]" in second.err) == (3, True)


def _effects(rows: Rows, found: Rows) -> dict[str, Counter[str]]:
    sql = "select step from effects"
    return {name: Counter(str(row[0]) for row in ask(sql)) for name, ask in (("postgres", rows), ("clickhouse", found))}


def _once(outcome: Outcome) -> None:
    """Nothing twice; and everything, where the second run says that all is done."""
    for name, effects in outcome.effects.items():
        assert max(effects.values(), default=0) <= 1, (name, effects, outcome.holder, outcome.second)
    if outcome.second.code == 0:
        assert [sorted(effects) for effects in outcome.effects.values()] == [EXPECTED, EXPECTED], outcome
    else:
        assert outcome.second.code == 3, outcome
        assert "error[dirty]" in outcome.second.err
    if outcome.holder.code:
        assert outcome.holder.code == 5
        assert "error[lease-lost]" in outcome.holder.err
        assert "nothing more was sent" not in outcome.holder.err


def _legal(busy: Small, rows: Rows, found: Rows) -> None:
    """Nothing in the ledgers is twice, out of order, or what cannot have happened."""
    status, verified = busy.run("status"), busy.run("ledger", "verify")
    assert status.code == 0, status.err
    assert verified.code == 0, verified.out
    for ask, table in ((rows, "provision.ledger"), (found, "provision_ledger")):
        entries = ask(f"select token, n, revision, kind from {table} order by token, n")
        listed = [entry for entry in entries if entry[3] != "failed"]
        assert pictures.faults(listed, []) == [], entries  # type: ignore[arg-type]


def _log(number: int, outcome: Outcome) -> None:
    if path := os.environ.get("RELEASED_LOG"):
        counted = {name: (sum(e.values()), max(e.values(), default=0)) for name, e in outcome.effects.items()}
        words = {"then_said": outcome.second.err[:300], "holder_said": outcome.holder.err[:200]}
        line = {"n": number, "holder": outcome.holder.code, "then": outcome.second.code, **counted, **words}
        with Path(path).open("a") as log:
            log.write(json.dumps(line) + "\n")

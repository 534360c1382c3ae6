"""Commands beside a run that is at work: it is named and waited for, and never called half applied."""

from __future__ import annotations

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small

CREATE = 'op.execute("create table effects (revision text)")'
# Its first statement is kept, and its second takes its time: half applied, for as long as the run is at work.
IN_THE_MIDDLE = """with op.get_context().autocommit_block():
        op.execute("create table half (x int)")
        op.execute("select pg_sleep({0})")"""
SLEEPING = "select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"
STATES = "select revision, kind from provision.ledger where kind in ('applied', 'reverted') order by token, n"
DOWN = ("down", "--steps", "1", "--allow-destructive")
COMMANDS = (
    (*DOWN, "--wait", "0"),
    ("down", "--steps", "1", "--dry-run"),
    ("baseline", "postgres/0002", "--wait", "0"),
    ("baseline", "--all", "--wait", "0"),
    ("resolve", "postgres/0001", "--pending", "--wait", "0"),
)


def at_work(small: Small, rows: Rows, seconds: float) -> None:
    small.revisions(CREATE, IN_THE_MIDDLE.format(seconds))
    run = small.start("up")
    run.until(lambda: bool(rows(SLEEPING)), "the slow statement")


def test_commands_beside_an_up_name_it_and_its_begin(small: Small, rows: Rows) -> None:
    at_work(small, rows, 15)
    for command in COMMANDS:
        ran = small.run(*command)

        assert ran.code == 6, ran.out + ran.err
        assert "error[lease-held]: another run holds the run lock: " in ran.err
        assert f"pid {small.runs[0].pid}, provision up" in ran.err
        assert "since 2" in ran.err
        assert "half applied" not in ran.err
    assert rows(SLEEPING)


def test_down_beside_an_up_waits_for_its_end_and_reverts_what_it_applied(small: Small, rows: Rows) -> None:
    at_work(small, rows, 5)
    ran = small.run(*DOWN, "--wait", "60s")

    assert ran.code == 0, ran.out + ran.err
    assert "waits for the run of" in ran.out
    assert small.runs[0].end().code == 0
    assert rows(STATES)[-2:] == [("postgres/0002", "applied"), ("postgres/0002", "reverted")]


def test_what_a_killed_run_left_is_half_applied(small: Small, rows: Rows) -> None:
    at_work(small, rows, 2)
    small.runs[0].kill()

    ran = small.run(*DOWN)

    assert (ran.code, "error[half-applied]" in ran.err) == (3, True), ran.out + ran.err

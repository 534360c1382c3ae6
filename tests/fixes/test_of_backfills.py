"""Backfills: the fault happens on a real server, the fix is done as it is printed, and the rows are filled."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from provision.stores.postgres.backfill.batches import PostgresWork
from provision.stores.postgres.backfill.runs import PostgresRuns
from tests.backfill import project
from tests.fixes.following import commands, failed, fix_of
from tests.servers.command_line import Provision, Ran

Database = psycopg.Connection[tuple[object, ...]]
ENV = ("--env", "test")
ROWS = 600
RUN = ("backfill", "run", "source", *ENV)


class Shop(NamedTuple):
    """The project, whose commands have to name the environment themselves, and its database."""

    place: Path
    provision: Provision
    database: Database

    def document(self, text: str) -> None:
        (self.place / "backfills" / "source.yaml").write_text(text)

    def left(self) -> int:
        [left] = self.database.execute("select count(*) from orders where source is null").fetchone() or [-1]
        assert isinstance(left, int)
        return left


@pytest.fixture
def orders(shop: Path, url: str, provision: Provision, database: Database, monkeypatch: pytest.MonkeyPatch) -> Shop:
    project.sow(url, ROWS)
    monkeypatch.delenv("PROVISION_ENV")
    return Shop(shop, provision, database)


def nothing(_: Shop) -> None:
    """The command alone is the fix."""


def refuses(state: str) -> str:
    """A trigger that refuses every row with this SQLSTATE."""
    body = f"begin raise exception 'not today' using errcode = '{state}'; end"
    return (
        f"create function never() returns trigger language plpgsql as $$ {body} $$;"
        " create trigger never before update on orders for each row execute function never()"
    )


def no_trigger(of: Shop) -> None:
    of.database.execute("drop trigger never on orders")


def batch_refused(of: Shop) -> Ran:
    of.database.execute(refuses("55000").encode())
    return of.provision(*RUN)


def batch_failed(of: Shop) -> Ran:
    of.database.execute(refuses("22000").encode())
    return of.provision(*RUN)


TICKS = "yield: {sql: \"select 0 / (case when nextval('ticks') > 1 then 0 else 1 end)\"}\n"


def bad_yield(of: Shop) -> Ran:
    """The first answer, before the run, is right."""
    of.database.execute("create sequence ticks")
    of.document(project.SOURCE + TICKS)
    return of.provision(*RUN)


def ticks_fall(of: Shop) -> None:
    of.database.execute("alter sequence ticks increment -1 minvalue -1000000 restart with 0")


def as_at_first(of: Shop) -> None:
    of.document(project.SOURCE)


def schema_changed(of: Shop) -> Ran:
    """The column goes after the first batch."""
    fill, done = PostgresWork.fill, list[int]()

    def filled(work: PostgresWork, *given: object, **named: object) -> object:
        answer = fill(work, *given, **named)  # type: ignore[arg-type]
        if not done:
            of.database.execute("alter table orders drop column score")
        done.append(1)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PostgresWork, "fill", filled)
        return of.provision(*RUN)


def score_is_back(of: Shop) -> None:
    of.database.execute("alter table orders add column score numeric(5,4)")


def without_score(of: Shop) -> None:
    of.document(project.SOURCE.replace("  score: coalesce(score, 0.5)\n", ""))


def rows_skipped(of: Shop) -> Ran:
    of.document(project.SOURCE + "on_error: skip\nkey: n\n")
    of.database.execute("alter table orders add constraint few check (source not in ('web-111', 'web-333'))")
    return of.provision(*RUN)


def no_constraint(of: Shop) -> None:
    of.database.execute("alter table orders drop constraint few")


def rows_left(of: Shop) -> Ran:
    body = "begin new.source := null; return new; end"
    of.database.execute(
        f"create function never() returns trigger language plpgsql as $$ {body} $$;"
        " create trigger never before update on orders for each row execute function never()".encode()
    )
    return of.provision(*RUN)


def verify_failed(of: Shop) -> Ran:
    of.document(project.SOURCE + "verify: select count(*) = 0 from orders where note = 'kept 5'\n")
    return of.provision(*RUN)


def note_is_right(of: Shop) -> None:
    of.database.execute("update orders set note = 'better' where n = 5")


def backfill_changed(of: Shop) -> Ran:
    failed("batch-refused", batch_refused(of))
    no_trigger(of)
    of.document(project.SOURCE + "# edited\n")
    return of.provision(*RUN)


def run_illegal(of: Shop) -> Ran:
    """Somebody cancels the run while this process takes it up."""
    failed("batch-refused", batch_refused(of))
    no_trigger(of)
    peek = PostgresRuns.peek

    def peeked(runs: PostgresRuns, run: str) -> object:
        patch.setattr(PostgresRuns, "peek", peek)
        assert of.provision("backfill", "cancel", "source", *ENV).code == 0
        return peek(runs, run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PostgresRuns, "peek", peeked)
        return of.provision("backfill", "resume", "source", *ENV)


def run_contested(of: Shop) -> Ran:
    """Another process writes the run down between our look at it and our own entry."""
    failed("batch-refused", batch_refused(of))
    no_trigger(of)
    write = PostgresRuns.write

    def written(runs: PostgresRuns, run: object) -> bool:
        patch.setattr(PostgresRuns, "write", write)
        of.database.execute("update provision.backfill_run set version = version + 1")
        return write(runs, run)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PostgresRuns, "write", written)
        return of.provision(*RUN)


def requirement_not_met(of: Shop) -> Ran:
    second = of.place / "alembic" / "versions" / "0002_source_is_there.py"
    text = second.read_text().replace('requires = ["backfill/source"]', "").replace("ALTER TABLE", "-- ALTER TABLE")
    second.write_text(text)
    of.document(project.SOURCE.replace("postgres/0001", "postgres/0002"))
    return of.provision(*RUN)


def nothing_to_join(of: Shop) -> Ran:
    return of.provision(*RUN, "--join")


def nothing_to_ask(of: Shop) -> Ran:
    return of.provision("backfill", "pause", "source", *ENV)


def nothing_to_tune(of: Shop) -> Ran:
    return of.provision("backfill", "resume", "source", "--set", "rate=500", *ENV)


Bring = Callable[[Shop], Ran]
Cure = Callable[[Shop], None]
# Code, how it comes about, what a person does first, which commands of the fix are typed after that.
FOLLOWED: list[tuple[str, Bring, Cure, tuple[int, ...]]] = [
    ("batch-refused", batch_refused, no_trigger, (0,)),
    ("batch-refused", batch_refused, no_trigger, (1, 2)),
    ("batch-failed", batch_failed, no_trigger, (0,)),
    ("batch-failed", batch_failed, no_trigger, (1, 2)),
    ("bad-yield", bad_yield, ticks_fall, (0,)),
    ("schema-changed", schema_changed, score_is_back, (0,)),
    ("rows-skipped", rows_skipped, no_constraint, (0, 1)),
    ("rows-left", rows_left, no_trigger, (0,)),
    ("verify-failed", verify_failed, note_is_right, (0,)),
    ("backfill-changed", backfill_changed, as_at_first, ()),
    ("backfill-changed", backfill_changed, nothing, (0, 1)),
    ("run-illegal", run_illegal, nothing, (0,)),
    ("run-contested", run_contested, nothing, ()),
    ("requirement-not-met", requirement_not_met, nothing, (0,)),
    ("nothing-to-join", nothing_to_join, nothing, (0,)),
    ("nothing-to-ask", nothing_to_ask, nothing, (0,)),
    ("nothing-to-ask", nothing_to_tune, nothing, (0,)),
]


@pytest.mark.parametrize(("code", "bring", "cure", "numbers"), FOLLOWED)
def test_fix_is_followed_to_the_last_row(
    orders: Shop, code: str, bring: Bring, cure: Cure, numbers: tuple[int, ...]
) -> None:
    printed = commands(failed(code, bring(orders)))

    cure(orders)
    for number in numbers:
        ran = orders.provision(*printed[number])
        assert (ran.code, ran.err) == (0, ""), printed[number]

    assert orders.provision(*RUN).code == 0
    assert orders.left() == 0


EDITED: list[tuple[str, Bring, Cure]] = [
    ("bad-yield", bad_yield, as_at_first),
    ("schema-changed", schema_changed, without_score),
    ("batch-refused", batch_refused, lambda of: (no_trigger(of), of.document(project.SOURCE + "# other\n"))[0]),
    ("verify-failed", verify_failed, as_at_first),
]


@pytest.mark.parametrize(("code", "bring", "edit"), EDITED)
def test_fix_that_edits_the_file_begins_anew(orders: Shop, code: str, bring: Bring, edit: Cure) -> None:
    printed = commands(failed(code, bring(orders)))
    resume, cancel, run = printed[-3:]

    ran = orders.provision(*cancel)
    assert (ran.code, ran.err) == (0, "")
    edit(orders)
    failed("nothing-to-ask", orders.provision(*resume))
    ran = orders.provision(*run)

    assert (ran.code, ran.err) == (0, "")
    assert orders.left() == 0


def test_unknown_backfill_is_corrected_to_the_nearest(orders: Shop) -> None:
    ran = failed("unknown-backfill", orders.provision("backfill", "run", "sources", *ENV))

    assert fix_of(ran) == "did you mean source?"
    assert orders.provision(*RUN).code == 0


def test_unknown_table_is_corrected_to_the_nearest(orders: Shop) -> None:
    orders.document(project.SOURCE.replace("table: orders", "table: order"))
    ran = failed("unknown-table", orders.provision(*RUN))

    assert fix_of(ran) == "did you mean orders?"
    orders.document(project.SOURCE)
    assert orders.provision(*RUN).code == 0


@pytest.mark.parametrize("setting", ["rate=500", "target=50ms"])
def test_bad_setting_is_written_as_the_fix_says(orders: Shop, setting: str) -> None:
    failed("batch-refused", batch_refused(orders))
    no_trigger(orders)
    again = ("backfill", "resume", "source", *ENV, "--set")
    ran = failed("bad-setting", orders.provision(*again, "pace=3"))

    assert setting in fix_of(ran)
    ran = orders.provision(*again, setting)
    assert (ran.code, ran.err) == (0, "")
    assert orders.left() == 0


def test_lease_held_is_joined_as_the_fix_says(orders: Shop, url: str) -> None:
    project.sow(url, 6_000)
    with project.process(orders.place, "backfill", "run", "source", "--rate", 3000) as leading:
        project.until(lambda: project.rows_done(orders.database) > 100)
        printed = commands(failed("lease-held", orders.provision(*RUN)))
        ran = [orders.provision(*each) for each in printed]
        _, err = leading.communicate(timeout=60)

    assert [(each.code, each.err) for each in ran] == [(0, "")] * 2
    assert (leading.returncode, err) == (0, "")
    assert orders.left() == 0


def test_interrupted_goes_on_with_the_same_command(orders: Shop, url: str) -> None:
    project.sow(url, 6_000)
    started: subprocess.Popen[str] = project.process(orders.place, "backfill", "run", "source", "--rate", 1000)
    project.until(lambda: project.rows_done(orders.database) > 100)
    started.terminate()
    code, _, err = project.ended(started)

    assert (code, err.splitlines()[1]) == (5, "error[interrupted]: stopped by SIGTERM")
    assert 0 < orders.left() < 5_400
    assert "run the same command again" in err
    assert orders.provision(*RUN).code == 0
    assert orders.left() == 0

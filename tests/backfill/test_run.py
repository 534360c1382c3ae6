"""A backfill run to its end: what it fills, what it leaves alone, and what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.expected import Expected
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
ORDERS = {
    "uuid": "",
    "integer": "key: n\n",
    "composite": "key: [place, tenant]\n",
    "physical": "order: physical\n",
}


def document(place: Path, more: str = "", **replaced: str) -> None:
    text = project.SOURCE
    for line, other in replaced.items():
        text = re.sub(rf"^{line}: .*$", f"{line}: {other}", text, flags=re.MULTILINE)
    (place / "backfills" / "source.yaml").write_text(text + more)


def checksum(database: Database) -> object:
    row = database.execute(project.REFERENCE).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("workers", [1, 3])
def test_run_fills_what_is_missing_and_nothing_else(
    shop: Path, url: str, provision: Provision, database: Database, order: str, workers: int
) -> None:
    project.sow(url, 12_000)
    document(shop, ORDERS[order])

    ran = provision("backfill", "run", "source", "--workers", workers, "--output", "json")

    assert ran.code == 0
    found = json.loads(ran.out)
    assert list(found) == [
        "name", "run", "state", "rows_done", "rows_total", "rate", "eta_s", "batch", "throttled_by", "blocker",
        "longest_wait_ms", "cursor",
    ]  # fmt: skip
    assert (found["state"], found["rows_done"], found["rows_total"]) == ("succeeded", 10_800, 10_800)
    assert checksum(database) == project.expected(12_000)
    # Nothing came behind the cursors, so that no last pass was needed.
    assert database.execute("select count(*) from provision.backfill_part where cursor ? 'rest'").fetchone() == (0,)


@pytest.mark.usefixtures("shop")
def test_run_that_is_complete_finds_nothing_left_and_new_rows_are_filled(
    url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 1_000)
    provision("backfill", "run", "source")
    database.execute("insert into orders (n, tenant, place) values (5001, 'new', 5001)")

    assert provision("backfill", "run", "source").code == 0

    assert database.execute("select source from orders where n = 5001").fetchone() == ("web-5001",)


def test_rows_behind_the_cursor_are_found_in_the_last_pass(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    """A trigger moves rows behind the cursor while the run goes on, as a busy writer would."""
    project.sow(url, 3_000)
    document(shop, "key: n\n")
    database.execute(
        """
        create function late() returns trigger language plpgsql as $$ begin
            if new.n % 500 = 0 or new.n % 500 = 1 then
                insert into orders (n, tenant, place) values (-new.n, 'late', -new.n) on conflict do nothing;
            end if;
            return null;
        end $$;
        create trigger late after update on orders for each row execute function late()
        """
    )

    ran = provision("backfill", "run", "source")

    assert ran.code == 0
    assert "  warning: every filled row fires late\n" in ran.out
    assert database.execute(
        "select count(*) filter (where source is null), count(*) filter (where n < 0) from orders"
    ).fetchone() == (0, 6)


def test_rows_that_stay_as_they_are_end_the_run(expected: Expected, shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 100)
    document(shop, "key: n\n", where="source is null or true")

    ran = provision("backfill", "run", "source")

    assert ran.code == 5
    expected(ran.err)


def test_verify_that_does_not_hold_keeps_the_gate_shut(
    expected: Expected, shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 100)
    document(shop, "verify: select not exists (select from orders where n = 5)\n")

    ran = provision("backfill", "run", "source")

    assert ran.code == 5
    expected(ran.err)
    assert database.execute("select count(*) from provision.ledger where revision = 'backfill/source'").fetchone() == (
        0,
    )


def test_a_failing_row_is_named_and_passed_over_if_allowed(
    expected: Expected, shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 2_000)
    document(shop, "key: n\n")
    database.execute("alter table orders add constraint no_777 check (source not like 'web-777')")

    refused = provision("backfill", "run", "source")
    passed = provision("backfill", "resume", "source", "--skip-failed", 1)

    assert refused.code == 5
    expected(refused.err)
    assert passed.code == 7
    assert passed.err.startswith("error[rows-skipped]: 1 rows could not be filled and were passed over")
    assert database.execute("select count(*) from orders where source is null").fetchone() == (1,)
    assert "    passed over 777: " in provision("backfill", "status", "source").out
    database.execute("alter table orders drop constraint no_777")
    database.execute("update orders set source = 'by hand' where n = 777")
    provision("backfill", "cancel", "source")
    assert provision("backfill", "run", "source").code == 0


@pytest.mark.parametrize("order", ["integer", "physical"])
def test_a_failing_row_is_found_whatever_the_order(
    shop: Path, url: str, provision: Provision, database: Database, order: str
) -> None:
    project.sow(url, 3_000)
    document(shop, ORDERS[order])
    database.execute("alter table orders add constraint few check (source not in ('web-777', 'web-2111'))")

    assert provision("backfill", "run", "source", "--skip-failed", 5).code == 7

    left = database.execute("select n from orders where source is null order by n").fetchall()
    assert left == [(777,), (2111,)]


def test_killed_run_goes_on_where_its_last_batch_was_kept(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    database.execute("create table touched (n bigint)")
    database.execute(
        "create function touch() returns trigger language plpgsql as $$ begin insert into touched values (new.n);"
        " return null; end $$; create trigger touch after update on orders for each row execute function touch()"
    )
    started = project.process(shop, "backfill", "run", "source")
    project.until(lambda: project.rows_done(database) > 500)
    os.kill(started.pid, signal.SIGKILL)
    project.ended(started)

    assert json.loads(provision("backfill", "status", "source", "-o", "json").out)[0]["state"] == "interrupted"
    assert provision("backfill", "run", "source").code == 0
    assert checksum(database) == project.expected(30_000)
    assert database.execute("select count(*), count(distinct n) from touched").fetchone() == (27_000, 27_000)


def test_interrupt_finishes_the_batch_and_keeps_the_run(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    started = project.process(shop, "backfill", "run", "source", "--rate", 2000)
    project.until(lambda: project.rows_done(database) > 100)
    started.send_signal(signal.SIGINT)
    code, _, err = project.ended(started)

    assert code == 5
    assert err.startswith(
        "stopping after the batch in hand; once more stops now\nerror[interrupted]: stopped by SIGINT\n"
    )
    assert json.loads(provision("backfill", "status", "source", "-o", "json").out)[0]["state"] == "interrupted"


def test_pause_from_another_process_takes_effect_within_one_batch(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    started = project.process(shop, "backfill", "run", "source", "--rate", 3000)
    project.until(lambda: project.rows_done(database) > 100)

    assert provision("backfill", "pause", "source").code == 0
    project.until(lambda: _state(provision) == "paused")
    before = project.rows_done(database)
    time.sleep(0.5)
    assert project.rows_done(database) == before
    assert provision("backfill", "resume", "source", "--set", "rate=0").code == 0
    assert project.ended(started)[0] == 0
    assert checksum(database) == project.expected(30_000)


def test_cancel_from_another_process_ends_the_run(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    started = project.process(shop, "backfill", "run", "source", "--rate", 2000)
    project.until(lambda: project.rows_done(database) > 100)

    assert provision("backfill", "cancel", "source").code == 0
    code, out, _ = project.ended(started)

    assert code == 0
    assert out.endswith("source is cancelled\n")
    assert _state(provision) == "cancelled"


def test_rows_in_physical_order_stay_in_their_pages(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 30_000)
    with (shop / "backfills" / "source.yaml").open("a") as file:
        file.write("order: physical\n")
    size = "select pg_relation_size('orders')::float8"
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("vacuum (full, analyze) orders")
        before = database.execute(size).fetchone()

        assert provision("backfill", "run", "source").code == 0

        moved = "select n_tup_upd, n_tup_upd - n_tup_hot_upd from pg_stat_user_tables where relname = 'orders'"
        # A batch that was ended at its target was counted too.
        project.until(lambda: (database.execute(moved).fetchone() or (0,))[0] >= 27_000)
        row, after = database.execute(moved).fetchone(), database.execute(size).fetchone()
    assert row is not None
    assert row[1] < 27_000 * 0.6
    assert before is not None
    assert after is not None
    assert after[0] < before[0] * 1.6


def test_two_workers_and_a_third_that_joins_touch_no_row_twice(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    database.execute("create table touched (n bigint, pid integer)")
    database.execute(
        "create function touch() returns trigger language plpgsql as $$ begin"
        " insert into touched values (new.n, pg_backend_pid()); return null; end $$;"
        "create trigger touch after update on orders for each row execute function touch()"
    )
    first = project.process(shop, "backfill", "run", "source", "--workers", 2, "--rate", 2000)
    project.until(lambda: project.rows_done(database) > 100)
    refused = provision("backfill", "run", "source")
    third = project.process(shop, "backfill", "run", "source", "--join", "--rate", 1000)
    project.until(lambda: database.execute("select count(distinct pid) from touched").fetchone() == (3,))
    assert provision("backfill", "resume", "source", "--set", "rate=0").code == 0

    assert project.ended(third)[0] == 0
    assert project.ended(first)[0] == 0
    assert refused.code == 6
    assert refused.err.startswith("error[lease-held]: source is run already: SOMEBODY (pid ")
    assert checksum(database) == project.expected(30_000)
    counts = "select count(*), count(distinct n), count(distinct pid) from touched"
    assert database.execute(counts).fetchone() == (27_000, 27_000, 3)


def test_server_that_goes_away_is_waited_for(shop: Path, url: str, database: Database) -> None:
    project.sow(url, 30_000)
    started = project.process(shop, "backfill", "run", "source", "--rate", 8000)
    for _ in range(5):
        before = project.rows_done(database)
        project.until(lambda: project.rows_done(database) > before + 100)  # noqa: B023 (called before the next turn)
        database.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^provision'")

    assert project.ended(started)[0] == 0
    assert checksum(database) == project.expected(30_000)


def _state(provision: Provision) -> str:
    return str(json.loads(provision("backfill", "status", "source", "-o", "json").out)[0]["state"])

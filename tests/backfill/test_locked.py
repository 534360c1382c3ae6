"""Rows that others hold locked: left to them, told of with who holds them, visited again, named when they stay."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.project import append, beside, standing
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
ROWS = 5_000
ORDERS = {"key": "key: n\n", "uuid": "", "physical": "order: physical\n"}


@pytest.mark.parametrize("order", ORDERS)
def test_one_locked_row_holds_no_other_and_is_filled_once_it_is_free(
    shop: Path, url: str, provision: Provision, database: Database, order: str
) -> None:
    project.sow(url, ROWS)
    append(shop, ORDERS[order])
    with psycopg.connect(url, application_name="nightly") as other:
        other.execute("update orders set note = 'mine' where n = 1111")
        pid = other.info.backend_pid
        with beside(shop):
            project.until(lambda: project.rows_done(database) == 4_499)
            project.until(lambda: str(standing(provision)["throttled_by"]).startswith("1 row locked by pid "))
            told = standing(provision)
            shown = provision("backfill", "status", "source").out
            other.commit()

    assert told["blocker"] | {"age_s": 0} == {
        "pid": pid,
        "application": "nightly",
        "age_s": 0,
        "query": "update orders set note = '…' where n = 1111",
    }
    assert f"slowed by 1 row locked by pid {pid} (nightly, " in shown
    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)
    assert database.execute("select note, source from orders where n = 1111").fetchone() == ("mine", "web-1111")
    assert standing(provision)["rows_done"] == 4_500


def test_the_reason_stays_for_as_long_as_it_holds(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 500)
    with psycopg.connect(url) as other:
        other.execute("update orders set note = 'mine' where n = 111")
        with beside(shop):
            project.until(lambda: str(standing(provision)["throttled_by"]).startswith("1 row locked by pid "))
            time.sleep(11)
            late = standing(provision)["throttled_by"]
            other.commit()

    assert str(late).startswith("1 row locked by pid ")


def test_who_waits_for_a_row_of_a_batch_does_not_wait_for_whom_that_waits_for(
    shop: Path, url: str, database: Database
) -> None:
    project.sow(url, ROWS)
    append(shop, "key: n\n")
    with psycopg.connect(url) as other:
        other.execute("update orders set note = 'mine' where n = 1111")
        with beside(shop):
            project.until(lambda: project.rows_done(database) > 100)
            database.execute("set statement_timeout = '5s'; update orders set note = 'free' where n = 1110")
            other.commit()

    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)


def test_code_is_given_no_row_that_another_holds(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 300)
    (shop / "backfills" / "source.yaml").unlink()
    (shop / "backfills" / "source.py").write_text(
        '"""Sources"""\n\nstore = "postgres"\n\n\ndef collection():\n'
        "    return {'table': 'orders', 'where': 'source is null'}\n\n\ndef process(batch):\n"
        "    for row in batch.rows:\n"
        "        batch.execute('update orders set source = 1 where id = %s', (row['id'],))\n"
    )
    with psycopg.connect(url, application_name="nightly") as other:
        other.execute("update orders set note = 'mine' where n = 111")
        with beside(shop):
            project.until(lambda: project.rows_done(database) == 269)
            project.until(lambda: standing(provision)["blocker"] is not None)
            other.commit()

    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)


def test_rows_that_stay_locked_end_the_run_after_a_while_by_their_keys(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 2_000)
    append(shop, "key: n\nyield: {locked: 1s}\n")
    with psycopg.connect(url, application_name="forgotten") as other:
        other.execute("select from orders where n in (111, 222, 333) for update")
        ran = provision("backfill", "run", "source")
        assert json.loads(provision("backfill", "status", "source", "-o", "json").out)[0]["state"] == "interrupted"

    assert ran.code == 5
    assert re.fullmatch(
        r"error\[rows-locked\]: 3 rows stayed locked: 111, 222, 333\n"
        r"  where  locked by pid \d+ \(forgotten, \d+ s\): select from orders where n in \(111, 222, 333\) for upda.*\n"
        r"  fix    end that transaction, or wait for it, then `provision backfill resume source`\n",
        ran.err,
    ), ran.err
    assert project.rows_done(database) == 1_797
    assert provision("backfill", "resume", "source").code == 0
    assert standing(provision)["rows_done"] == 1_800


def test_rows_that_match_again_are_named_and_counted_once(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 50)
    path = shop / "backfills" / "source.yaml"
    path.write_text(path.read_text().replace("where: source is null", "where: source is null or n > 40") + "key: n\n")

    ran = provision("backfill", "run", "source")

    assert ran.code == 5
    assert ran.err.startswith(
        "error[rows-left]: 10 rows still match `where` after they were filled: 41, 42, 43, 44, 45, 46, 47, 48, 49, 50\n"
    )
    assert standing(provision)["rows_done"] == standing(provision)["rows_total"] == 46

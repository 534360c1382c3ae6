"""What becomes of rows that fail, of batches that give way, and of texts that are not one expression."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.project import append, standing
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def bad(shop: Path, url: str, database: Database) -> Path:
    """Two rows that cannot be filled."""
    project.sow(url, 600)
    append(shop, "key: n\n")
    database.execute("alter table orders add constraint few check (source not in ('web-111', 'web-333'))")
    return shop


def test_skip_fills_the_rest_lists_the_keys_and_is_never_complete(
    bad: Path, provision: Provision, database: Database
) -> None:
    append(bad, "on_error: skip\n")

    ran = provision("backfill", "run", "source")

    assert (ran.code, ran.err.splitlines()[0]) == (
        7,
        "error[rows-skipped]: 2 rows could not be filled and were passed over; the rest is filled",
    )
    assert standing(provision)["state"] == "incomplete"
    shown = provision("backfill", "status", "source").out
    assert "passed over 111: " in shown
    assert "passed over 333: " in shown
    assert database.execute("select n from orders where source is null").fetchall() == [(111,), (333,)]
    assert "1 blocked" in provision("status").out


def test_resume_tries_what_was_passed_over_again(bad: Path, provision: Provision, database: Database) -> None:
    append(bad, "on_error: skip\n")
    assert provision("backfill", "run", "source").code == 7
    database.execute("alter table orders drop constraint few")

    ran = provision("backfill", "resume", "source")

    assert (ran.code, ran.err) == (0, "")
    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)
    assert (standing(provision)["rows_done"], standing(provision)["state"]) == (540, "succeeded")


def test_stop_ends_at_the_first_batch_that_fails(bad: Path, provision: Provision, database: Database) -> None:
    append(bad, "on_error: stop\n")

    ran = provision("backfill", "run", "source")

    assert ran.code == 5
    assert ran.err.startswith("error[batch-failed]: a batch of 200 rows: new row for relation")
    assert project.rows_done(database) == 0
    assert provision("backfill", "resume", "source", "--skip-failed", 2).code == 7


def test_split_names_the_row(bad: Path, provision: Provision) -> None:
    append(bad, "on_error: split\n")

    assert provision("backfill", "run", "source").err.startswith("error[batch-failed]: row 111: ")


def test_a_batch_that_gives_way_too_often_ends_the_run_and_it_goes_on_later(
    shop: Path, url: str, provision: Provision
) -> None:
    project.sow(url, 3_000)
    append(shop, "retries: 2\n")
    started = project.process(shop, "backfill", "run", "source", "--rate", 500)
    with psycopg.connect(url) as other:
        project.until(lambda: standing(provision)["rows_done"] > 0)
        other.execute("lock table orders in exclusive mode")
        code, _, err = project.ended(started)

    assert code == 5
    assert re.match(
        r"error\[batch-in-the-way\]: orders locked by pid \d+ \(.+\) in a transaction for \d+ s: lock table orders in"
        r" exclusive mode\n  where  backfills/source.yaml\n",
        err,
    ), err
    assert standing(provision)["state"] == "interrupted"
    assert provision("backfill", "resume", "source").code == 0


@pytest.mark.parametrize(("retries", "code"), [("", 5), ("retries = 3\n", 0)])
def test_code_that_fails_is_tried_again_as_often_as_it_says(
    shop: Path, url: str, provision: Provision, database: Database, retries: str, code: int
) -> None:
    project.sow(url, 60)
    database.execute("create table tries (n int)")
    (shop / "backfills" / "source.yaml").unlink()
    (shop / "backfills" / "source.py").write_text(
        f'"""Sources"""\n\nstore = "postgres"\non_error = "stop"\n{retries}TRIES = []\n\n\n'
        "def collection():\n    return {'table': 'orders', 'where': 'source is null'}\n\n\n"
        "def process(batch):\n    TRIES.append(1)\n    if len(TRIES) < 3:\n        raise OSError('no answer')\n"
        "    for row in batch.rows:\n"
        "        batch.execute('update orders set source = 1 where id = %s', (row['id'],))\n"
    )

    assert provision("backfill", "run", "source").code == code


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("source is null /* (", "a string, a quoted name or a comment is not closed"),
        ("source is null and note <> 'a", "a string, a quoted name or a comment is not closed"),
        ('source is null and "n > 1', "a string, a quoted name or a comment is not closed"),
        ("source is null) or (true", "a ) closes what it did not open"),
        ("source is null; drop table orders", "a ; ends it before its end"),
        ("(source is null", "a ( is not closed"),
        ("source is null) -- (", "a ) closes what it did not open"),
        ("/* ( */ source is null)", "a ) closes what it did not open"),
        ("-- nothing", "it is empty"),
        ("n = any(array[1)]", "a ) closes what it did not open"),
    ],
)
def test_a_condition_that_leaves_its_place_is_refused_before_anything_runs(
    shop: Path, url: str, provision: Provision, database: Database, where: str, why: str
) -> None:
    project.sow(url, 20)
    path = shop / "backfills" / "source.yaml"
    path.write_text(path.read_text().replace("where: source is null", f"where: {json.dumps(where)}"))

    ran = provision("backfill", "run", "source")

    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        f"error[bad-expression]: where is not one expression: {why}",
    )
    assert database.execute("select count(*) from orders where source is null").fetchone() == (18,)


@pytest.mark.parametrize(
    "where",
    [
        "source is null and exists (select from orders o where o.n = orders.n) -- a ) in a comment",
        "source is null and note <> ') or (' /* ; ) */ and note <> $q$ ; ) $q$",
        "source is null and n = any(array[n]) and (n % 2 = 0 or n % 2 = 1)",
    ],
)
def test_subqueries_comments_and_quotes_are_read_as_the_server_reads_them(
    shop: Path, url: str, provision: Provision, where: str
) -> None:
    project.sow(url, 20)
    path = shop / "backfills" / "source.yaml"
    path.write_text(path.read_text().replace("where: source is null", f"where: {json.dumps(where)}"))

    ran = provision("backfill", "run", "source")

    assert (ran.code, ran.err) == (0, "")
    assert standing(provision)["rows_done"] == 18

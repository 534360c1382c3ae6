"""Backfills in Python, and constants that need no backfill."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
_CODE = '''"""Notes in upper case"""

store = "postgres"
requires = ["postgres/0001"]
batch = {"rows": 70}


def collection():
    return {"table": "orders", "key": "n", "where": "note <> upper(note)", "columns": ["note"]}


def process(batch):
    for row in batch.rows:
        batch.execute("update orders set note = %s where n = %s", (row["note"].upper(), row["n"]))
'''
_BAD = {
    "no process": (
        _CODE.replace("def process", "def processes"),
        "error[bad-code]: notes.py has no process\n  where  backfills/notes.py\n"
        "  fix    define collection(), which says what to walk, and process(batch)\n",
    ),
    "does not run": (
        _CODE.replace('store = "postgres"', "store = 1 / 0"),
        "error[bad-code]: notes.py raised ZeroDivisionError: division by zero\n  where  backfills/notes.py:3\n"
        "  fix    correct the code\n",
    ),
    "does not parse": (
        _CODE.replace("batch.rows:", "batch.rows"),
        "error[bad-code]: notes.py raised SyntaxError: expected ':' (notes.py, line 13)\n"
        "  where  backfills/notes.py:13\n  fix    correct the code\n",
    ),
    "unknown key": (
        _CODE.replace('"where"', '"were"'),
        "error[document-invalid]: the file has no key were\n  where  backfills/notes.py:1:1\n"
        "  fix    did you mean where?\n"
        "error[document-invalid]: the file lacks where\n  where  backfills/notes.py:1:1\n"
        "  fix    add `where:`, an SQL condition: which rows want filling\n",
    ),
}


@pytest.mark.parametrize("order", ["", ', "order": "physical"'])
def test_code_fills_rows_in_the_transaction_of_their_batch(
    shop: Path, url: str, provision: Provision, database: Database, order: str
) -> None:
    project.sow(url, 2_000)
    (shop / "backfills" / "notes.py").write_text(_CODE.replace('"columns": ["note"]', f'"columns": ["note"]{order}'))

    assert provision("backfill", "run", "notes").code == 0

    counts = "select count(*), count(*) filter (where note = 'KEPT ' || n) from orders"
    assert database.execute(counts).fetchone() == (2_000, 2_000)


def test_code_that_fails_names_the_row(shop: Path, url: str, provision: Provision, database: Database) -> None:
    project.sow(url, 500)
    failing = '        if row["n"] == 345:\n            raise ValueError("not this one")\n        batch.execute'
    (shop / "backfills" / "notes.py").write_text(_CODE.replace("        batch.execute", failing))

    refused = provision("backfill", "run", "notes")
    passed = provision("backfill", "resume", "notes", "--skip-failed", 1)

    assert refused.err.startswith("error[batch-failed]: row 345: process raised ValueError: not this one\n")
    assert (refused.code, passed.code) == (5, 7)
    assert database.execute("select n from orders where note <> upper(note)").fetchall() == [(345,)]


@pytest.mark.parametrize("case", _BAD)
def test_wrong_code_is_refused(shop: Path, provision: Provision, case: str) -> None:
    code, message = _BAD[case]
    (shop / "backfills" / "notes.py").write_text(code)

    ran = provision("backfill", "run", "notes")

    assert (ran.code, ran.err) == (2, message)


def test_a_constant_becomes_a_revision_that_touches_no_row(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 1_000)
    (shop / "alembic" / "versions" / "0002_source_is_there.py").unlink()
    (shop / "backfills" / "mode.yaml").write_text(
        "store: postgres\ntable: orders\nset: {meta: \"coalesce(meta, '{}')\"}\nwhere: meta is null\n"
    )
    before = database.execute("select pg_current_wal_insert_lsn()").fetchone()

    ran = provision("backfill", "suggest", "mode")

    assert (ran.err, ran.out) == (
        "",
        "alembic/versions/0002_orders_meta_by_default.py\n"
        "1 column gets one constant: a DEFAULT touches no row; apply it in the place of backfill/mode\n",
    )
    assert provision("up", "--allow-destructive").code == 0
    assert database.execute("select count(*) from orders where meta = '{}'").fetchone() == (1_000,)
    database.execute("insert into orders (n, tenant, place) values (-1, 'new', -1)")
    assert database.execute("select meta from orders where n = -1").fetchone() == (None,)
    assert before is not None
    written = database.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s) < 500000", before).fetchone()
    assert written == (True,)


def test_a_backfill_that_differs_by_row_is_no_constant(shop: Path, url: str, provision: Provision) -> None:
    assert shop.exists()
    project.sow(url, 10)

    ran = provision("backfill", "suggest", "source")

    assert (ran.code, ran.out) == (
        1,
        "source is a backfill: its values differ by row, or its columns are not empty and unused\n",
    )

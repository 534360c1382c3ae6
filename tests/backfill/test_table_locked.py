"""A table that another transaction has locked: it is waited for with a limit, and who has it is said meanwhile."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from provision.stores.postgres import reading
from tests.backfill import project
from tests.backfill.project import append, beside, standing
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
BY = r"pid \d+ \(postgres, nightly\) in a transaction for \d+ s: lock table orders"


@contextmanager
def locked(url: str, tables: str = "orders") -> Iterator[Database]:
    with psycopg.connect(url, application_name="nightly") as other:
        other.execute(f"lock table {tables}".encode())
        yield other


def test_table_that_is_locked_before_a_run_is_waited_for(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    assert shop.exists()
    project.sow(url, 100)
    with locked(url) as other:
        freed = threading.Timer(1.5, other.rollback)
        freed.start()
        ran = provision("backfill", "run", "source")
        freed.join()

    assert ran.code == 0, ran.err
    assert re.search(rf"^  … postgres waits for {BY}", ran.err, re.MULTILINE), ran.err
    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)


def test_table_that_stays_locked_ends_the_run_before_it_begins(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 100)
    append(shop, "yield: {locked: 1s}\n")
    with locked(url) as other:
        ran = provision("backfill", "run", "source")
        said = re.search(rf"error\[table-locked\]: a table stayed locked by {BY}", ran.err)
        assert (ran.code, bool(said)) == (5, True), ran.err
        assert "  fix    let that transaction end, or end it (select pg_terminate_backend(PID))" in ran.err
        other.rollback()

    assert provision("backfill", "run", "source").code == 0


def test_table_that_is_locked_under_a_run_is_named_and_the_run_goes_on(
    shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 3_000)
    append(shop, "key: n\n")
    with beside(shop, "--rate", 1000):
        project.until(lambda: project.rows_done(database) > 200)
        with locked(url):
            project.until(
                lambda: re.search(r"locked by pid \d+ ", str(standing(provision)["throttled_by"])) is not None
            )
            told = str(standing(provision)["throttled_by"])

    assert "(postgres, nightly)" in told
    assert database.execute("select count(*) from orders where source is null").fetchone() == (0,)


FILES = {
    "checks/s.yaml": "store: postgres\ntable: orders\nchecks:\n  - {name: one, not_null: tenant}\n",
    "partitions/parted.yaml": "store: postgres\ntable: parted\ncolumn: at\ninterval: 1 month\n",
}
PARTED = "create table parted (at timestamptz) partition by range (at); create table rest partition of parted default"
READING = (
    ("status", 0),
    ("doctor", 1),
    ("validate s --no-history", 5),
    ("validate suggest orders --store postgres", 5),
    ("partitions list", 1),
    ("partitions ensure", 5),
    ("up postgres/0001", 5),
)


@pytest.mark.parametrize(("command", "code"), READING)
def test_commands_that_read_a_locked_table_end_and_name_who_has_it(
    shop: Path,
    url: str,
    provision: Provision,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    code: int,
) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 1.2)
    for name, text in FILES.items():
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text(text)
    database.execute(PARTED.encode())
    with locked(url, "orders, parted, rest"):
        ran = provision(*command.split())

    assert ran.code == code, ran.out + ran.err
    assert "(postgres, nightly) in a transaction for " in ran.out + ran.err

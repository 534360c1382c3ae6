"""`baseline --all` adopts a database that has the schema, and refuses one that has not, by the snapshots."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import psycopg
import pytest

from provision import Project, settings
from provision.errors import RefusedError
from provision.wiring import snapshots
from tests.cli.test_settle_lock import DBA, home_leases
from tests.servers.command_line import Provision


@pytest.fixture
def forgotten(small: Path, provision: Provision) -> Path:
    """PostgreSQL has everything, and its ledger and version table are gone; schema/ holds its snapshot."""
    assert provision("up", "--only", "postgres", "postgres/0002").code == 0
    (small / "alembic" / "versions" / "0003_order_notes.py").unlink()
    (small / "clickhouse" / "002_event_counts.sql").unlink()
    (small / "clickhouse" / "002_event_counts.down.sql").unlink()
    project = settings.load(small)
    found = snapshots.taken(project, settings.resolve(project, "test"), ["postgres"])
    snapshots.write(small, found)
    execute("drop schema provision cascade", "drop table alembic_version")
    return small


def execute(*statements: str) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


@pytest.mark.usefixtures("forgotten")
def test_database_that_has_the_schema_is_adopted(provision: Provision) -> None:
    assert provision("baseline", "--all", "--only", "postgres").code == 0
    assert provision("status", "--check", "--only", "postgres").code == 0


@pytest.mark.usefixtures("forgotten")
def test_database_that_lacks_an_object_is_refused_until_it_is_made(provision: Provision) -> None:
    execute("alter table orders drop column account_id")
    ran = provision("baseline", "--all", "--only", "postgres")
    assert (ran.code, ran.err.splitlines()[:2]) == (
        3,
        [
            "error[schema-differs]: the databases do not have what all revisions make: "
            "the snapshots in schema/ say otherwise",
            "  where  postgres: constraint orders_account_id_fkey of public.orders is missing; "
            "postgres: table public.orders is another",
        ],
    )
    execute("alter table orders add column account_id bigint not null references accounts")
    assert provision("baseline", "--all", "--only", "postgres").code == 0


@pytest.mark.usefixtures("forgotten")
def test_unproved_takes_the_word(provision: Provision) -> None:
    execute("create table beside (id int)")
    assert provision("baseline", "--all", "--only", "postgres").code == 3
    assert provision("baseline", "--all", "--only", "postgres", "--unproved").code == 0


@pytest.mark.usefixtures("forgotten")
def test_library_proves_it_too() -> None:
    execute("create table beside (id int)")
    project = Project.open(".", "test")
    with pytest.raises(RefusedError) as raised:
        project.baseline(everything=True, only="postgres")
    assert raised.value.code == "schema-differs"
    assert len(project.baseline(everything=True, unproved=True, only="postgres")) == 2


@pytest.mark.usefixtures("forgotten")
def test_what_a_run_has_not_ended_is_not_called_another_schema(provision: Provision) -> None:
    execute("create table beside (id int)")
    with home_leases() as held:
        held.take("run", DBA, 60.4, 7)
    ran = provision("baseline", "--all", "--only", "postgres", "--wait", "0")
    assert (ran.code, ran.err.splitlines()[0].split(" (")[0]) == (
        6,
        "error[lease-held]: another run holds the run lock: dba@db1",
    )


@pytest.mark.usefixtures("forgotten")
def test_what_another_run_changes_before_the_lock_is_free_is_seen(provision: Provision) -> None:
    with home_leases() as held:
        held.take("run", DBA, 4, 7)
    changed = threading.Timer(2, execute, ["alter table orders drop column account_id"])
    changed.start()
    ran = provision("baseline", "--all", "--only", "postgres")
    changed.join()
    assert (ran.code, "error[schema-differs]" in ran.err) == (3, True), ran
    assert "marked" not in ran.out

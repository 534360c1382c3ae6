"""What a newer release wrote, seen by every command: refused by its number, never a defect of this one."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.servers.command_line import Provision

BACKFILL = "store: postgres\ntable: orders\nset: {account_id: account_id}\nwhere: account_id is null\n"
COMMANDS = (
    ("up",),
    ("down", "--all"),
    ("plan",),
    ("status",),
    ("history",),
    ("lock", "show"),
    ("lock", "release", "--yes"),
    ("backfill", "status"),
    ("backfill", "run", "fill"),
    ("validate", "history"),
    ("baseline", "--all"),
    ("resolve", "postgres/0001", "--pending"),
)


@pytest.fixture
def newer(small: Path, provision: Provision) -> None:
    """All is applied, and the ledger of the home store is of schema 3."""
    (small / "backfills").mkdir()
    (small / "backfills" / "fill.yaml").write_text(BACKFILL)
    assert provision("up", "--allow-destructive").code == 0
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute("UPDATE provision.ledger SET detail = detail || '{\"schema\": 3}'")


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_ledger_of_a_newer_release_is_refused(words: tuple[str, ...], provision: Provision) -> None:
    ran = provision(*words)

    assert (ran.code, ran.err.splitlines()) == (
        3,
        [
            "error[newer-schema]: written by a newer provision (schema 3, this one knows 2)",
            "  where  ledger entry 1/1 of postgres/0001",
            "  fix    install the release that wrote it, or a later one",
        ],
    )


@pytest.mark.usefixtures("newer")
def test_doctor_lists_a_ledger_of_a_newer_release(provision: Provision) -> None:
    ran = provision("doctor")

    assert ran.code == 1
    assert "written by a newer provision (schema 3, this one knows 2)" in ran.out


@pytest.mark.usefixtures("small")
def test_lock_of_a_newer_release_is_refused(provision: Provision) -> None:
    assert provision("up", "postgres/0001").code == 0
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute(
            """UPDATE provision.lease SET owner = '{"schema": 3}', expires_at = now() + interval '1 h'"""
        )

    for words in (("lock", "show"), ("up", "--allow-destructive")):
        ran = provision(*words)
        assert (ran.code, ran.err.split(":")[0]) == (3, "error[newer-schema]")


@pytest.mark.usefixtures("small")
def test_lock_that_lacks_its_holder_is_named(provision: Provision) -> None:
    assert provision("up", "postgres/0001").code == 0
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute("UPDATE provision.lease SET owner = '{\"pid\": 3}'")

    ran = provision("lock", "show")

    assert ran.code == 2
    assert ran.err.startswith(
        "error[lock-unreadable]: the record of the run lock was not written by provision: it has no actor\n"
    )

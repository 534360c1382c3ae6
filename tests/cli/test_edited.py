"""An applied PostgreSQL revision whose file was edited: refused where it would run something else, and only there."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.cli.projects import edit
from tests.servers.command_line import Provision


@pytest.fixture
def done(small: Path, provision: Provision) -> Path:
    """The project with everything applied, and nothing said of `strict`."""
    edit(small / "provision.toml", "strict = true\n", "")
    assert provision("up", "--allow-destructive").code == 0
    return small / "alembic/versions/0001_accounts.py"


def test_other_sql_is_refused_and_accepted_by_the_command_of_the_fix(done: Path, provision: Provision) -> None:
    edit(done, "CREATE TABLE accounts", "CREATE TABLE IF NOT EXISTS accounts")
    ran = provision("up")
    assert (ran.code, ran.err.split(":")[0]) == (3, "error[revision-changed]")
    status = provision("status")
    assert "edited after it was applied" in status.out
    assert "next: restore the file of postgres/0001" in status.out
    assert provision("resolve", "postgres/0001", "--accept-change").code == 0
    assert provision("up").out.splitlines()[-1] == "nothing to do"


def test_formatting_is_no_edit(done: Path, provision: Provision) -> None:
    done.write_text(f"# checked\n{done.read_text()}\n\n")
    edit(done, "def upgrade", "def upgrade")
    ran = provision("up")
    assert (ran.code, ran.err, "edited" in ran.out) == (0, "", False)
    assert "edited" not in provision("status", "--all").out


@pytest.mark.parametrize(("strict", "code"), [("true", 3), ("false", 0)])
def test_strict_says_otherwise(small: Path, provision: Provision, strict: str, code: int) -> None:
    edit(small / "provision.toml", "strict = true\n", f"strict = {strict}\n")
    assert provision("up", "--allow-destructive").code == 0
    edit(small / "alembic/versions/0001_accounts.py", "CREATE TABLE accounts", "CREATE TABLE IF NOT EXISTS accounts")
    assert provision("up").code == code


def test_entry_of_an_earlier_release_only_warns(done: Path, provision: Provision) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute("UPDATE provision.ledger SET detail = detail - 'runs'")
    edit(done, "CREATE TABLE accounts", "CREATE TABLE IF NOT EXISTS accounts")
    ran = provision("up")
    assert (ran.code, ran.err) == (0, "")
    assert "  warning: alembic/versions/0001_accounts.py was edited after it was applied\n" in ran.out

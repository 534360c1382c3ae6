"""A password, a token or what a secret file holds is in no output, ledger, plan or error, whoever repeats it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.cli.projects import edit, picture, revision, script
from tests.expected import Expected
from tests.servers.command_line import Provision

SECRET = "pa:ss w/rd%1"  # every character that a url has to escape
WRITTEN = quote(SECRET, safe="")
COMMANDS = (
    ("up",),
    ("status", "--all"),
    ("plan", "--sql"),
    ("history",),
    ("history", "-o", "json"),
    ("status", "-o", "json"),
    ("up", "-o", "json"),
    ("up", "-o", "github"),
    ("lock", "show"),
    ("doctor",),
)


@pytest.fixture
def secret(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with a password in the url of PostgreSQL, which lets in whoever comes by its socket."""
    edit(small / "alembic" / "versions" / "0003_order_notes.py", "destructive = True\n", "")
    monkeypatch.setenv("SMALL_POSTGRES", f"{os.environ['SMALL_POSTGRES']}&password={WRITTEN}")
    return small


def test_secrets_are_shown_nowhere(secret: Path, provision: Provision) -> None:
    """The server's own messages repeat the password, and so do a revision and its error."""
    script(secret, "003_more", f"SELECT throwIf(1, '{SECRET}');\n")
    revision(secret, "0004", "0003", f'raise LookupError("{SECRET} {WRITTEN}")')
    theirs = [str(urlsplit(os.environ[name]).password) for name in ("SMALL_CLICKHOUSE", "SMALL_REDIS")]
    shown = [f"{ran.out}{ran.err}" for ran in (provision(*words) for words in COMMANDS)]
    edit(secret / "clickhouse" / "003_more.sql", "throwIf(1, ", "(")
    edit(secret / "alembic" / "versions" / "0004_written.py", "raise LookupError", "str")
    plan = provision("plan", "--out", "plan.json", "--sql")
    assert plan.code == 0
    shown += [plan.out, (secret / "plan.json").read_text()]
    shown += [str(value) for name, value in picture(secret).items() if name in ("postgres", "redis")]
    found = [text for text in shown if any(each in text for each in (SECRET, WRITTEN, *theirs))]
    assert found == []
    assert "•••" in shown[0]


@pytest.mark.usefixtures("secret")
def test_error_that_nobody_foresaw(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError(f"at {WRITTEN} and {SECRET}")

    monkeypatch.setattr("provision.cli.move.move", broken)
    ran = provision("up")
    first, where, fix = ran.err.splitlines()
    assert first == "error[unexpected]: ZeroDivisionError: at ••• and •••"
    assert where.startswith("  where  ")
    assert fix == "  fix    this is a defect of provision: report these three lines"
    assert ran.code == 5


def test_secret_of_a_file(expected: Expected, secret: Path, provision: Provision) -> None:
    (secret / "secrets").mkdir()
    (secret / "secrets" / "host").write_text("hidden-host.invalid\n")
    edit(secret / "provision.toml", '"${SMALL_REDIS}"', '"redis://${file:secrets/host}/0"')
    ran = provision("up")
    expected(ran.err)
    assert ran.code == 4

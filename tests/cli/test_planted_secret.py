"""One secret, planted wherever one can be: it is in no output, ledger, file of ours, or process that we start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from provision import Project
from tests.cli.projects import edit, picture, script
from tests.servers.command_line import Provision

PLANTED = "pl4nted-hunter2"
REVISION = f'''\
"""The role of the reports"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("create role planted_small login password '{PLANTED}'")
    with op.get_context().autocommit_block():
        op.execute("alter role planted_small password '{PLANTED}'")
    op.execute("select 1/0 as a, 'password={PLANTED}' as b -- password '{PLANTED}'")


def downgrade() -> None:
    op.execute("drop role planted_small")
'''
SCRIPT = f"""\
CREATE DICTIONARY planted (x UInt64, y UInt64) PRIMARY KEY x
SOURCE(CLICKHOUSE(HOST 'h' USER 'u' PASSWORD '{PLANTED}' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1);
CREATE TABLE planted_s3 (x UInt8) ENGINE = S3('http://127.0.0.1:1/x.csv', 'AKIA{PLANTED}', '{PLANTED}', 'CSV');
SELECT throwIf(1, 'password=''{PLANTED}'''), * FROM mysql('127.0.0.1:1', 'd', 't', 'u', '{PLANTED}');
"""
COMMANDS = (
    ("plan", "--sql"),
    ("plan", "-o", "json"),
    ("plan", "--offline", "--sql"),
    ("plan", "--offline", "-o", "json"),
    ("up", "--dry-run"),
    ("up", "clickhouse/003"),
    ("up", "--only", "postgres", "-o", "json"),
    ("up", "-o", "github"),
    ("up",),
    ("status", "--all"),
    ("status", "-o", "json"),
    ("status", "-o", "github"),
    ("history",),
    ("history", "-o", "json"),
    ("graph", "-o", "json"),
    ("doctor",),
    ("doctor", "-o", "json"),
    ("lock", "show"),
    ("ledger", "verify"),
    ("ledger", "verify", "-o", "json"),
    ("plan", "--out", "plan.json", "--sql"),
    ("resolve", "clickhouse/003", "--done-to", "3", "--reason", f"password '{PLANTED}'"),
    ("history", "clickhouse/003"),
)


@pytest.fixture
def planted(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    edit(small / "alembic" / "versions" / "0003_order_notes.py", "destructive = True\n", "")
    (small / "alembic" / "versions" / "0004_reports.py").write_text(REVISION)
    script(small, "003_more", SCRIPT)
    monkeypatch.setenv("SMALL_POSTGRES", f"{os.environ['SMALL_POSTGRES']}&password={PLANTED}")
    return small


@pytest.fixture(autouse=True)
def _without_the_role(request: pytest.FixtureRequest) -> object:
    if "planted" in request.fixturenames:
        url = request.getfixturevalue("postgres_18")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop role if exists planted_small")
    return None


def test_planted_secret_is_in_no_output_ledger_or_file(planted: Path, provision: Provision) -> None:
    shown = {words: provision(*words) for words in COMMANDS}

    assert {words: ran for words, ran in shown.items() if PLANTED in ran.out + ran.err} == {}
    assert "password '•••'" in shown["plan", "--sql"].out
    assert "d@127.0.0.1:1 as user" in shown["up", "clickhouse/003"].err
    kept = {name: str(value) for name, value in picture(planted).items() if name in ("postgres", "clickhouse", "redis")}
    for name in ("postgres", "redis"):
        assert PLANTED not in kept[name]
    assert PLANTED not in _ledgers()
    assert "alter role planted_small password \\'•••" in _ledgers()
    assert "PASSWORD \\'•••" in _ledgers()
    written = [path for path in planted.rglob("*") if path.is_file() and PLANTED.encode() in path.read_bytes()]
    assert {path.suffix for path in written} <= {".py", ".sql", ".pyc"}
    assert PLANTED not in repr(Project.open(planted, "test").history())


def _ledgers() -> str:
    """All that the ledgers keep, read without our own code but for ClickHouse's."""
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        found = [str(row) for row in connection.execute("select l::text from provision.ledger l").fetchall()]
    with redis.Redis.from_url(os.environ["SMALL_REDIS"]) as client:
        found += [str(client.xrange(key)) for key in client.scan_iter("*:ledger:*")]
    import clickhouse_connect

    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as server:
        found += [str(row) for row in server.query("SELECT detail FROM provision_ledger").result_rows]
    return "\n".join(found)


def test_password_that_is_corrected_after_its_statement_failed_goes_on(small: Path, provision: Provision) -> None:
    """What is kept of a statement has no secret: the file is held against it without its own."""
    path = script(small, "003_more", f"SELECT 1;\nSELECT throwIf(1), 'a' AS x, 'IDENTIFIED BY ''{PLANTED}''';\n")
    assert provision("up").code == 5
    path.write_text(path.read_text().replace("throwIf(1)", "throwIf(0)"))
    assert provision("up").code == 0


def test_planted_secret_is_in_no_process_that_is_started(files: Path) -> None:
    """Engines get the variables that they need; no argument of any process holds a secret."""
    environment = {**os.environ, "PLANTED_URL": f"postgresql://me:{PLANTED}@h/d", "PROVISION_ENV": "local"}
    command = [sys.executable, "-m", "provision.cli.main"]
    started = subprocess.run(
        [*command, "up", "-o", "json"], cwd=files, env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        found = dict(_processes(str(files)))
        assert len(found) >= 3, found
        assert [name for name, told in found.items() if PLANTED in told] == []
    finally:
        subprocess.run([*command, "local", "stop"], cwd=files, env=environment, capture_output=True, check=True)


def _processes(folder: str) -> list[tuple[str, str]]:
    """Command line, and variables, of every process that has to do with a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            variables = (place / "environ").read_bytes().decode(errors="replace")
            here = os.readlink(place / "cwd")
        except OSError:
            continue  # it has ended, or is another user's
        if folder in words + variables + here and "pytest" not in words:
            found.append((f"{place.name} {words}", words + variables))
    return found


def test_process_of_a_lane_has_no_secret_among_its_arguments(planted: Path, provision: Provision) -> None:
    (planted / "alembic" / "versions" / "0004_reports.py").unlink()
    (planted / "clickhouse" / "003_more.sql").unlink()
    edit(planted / "provision.toml", "strict = true", "strict = true\nown_process = true")
    edit(
        planted / "alembic" / "versions" / "0001_accounts.py",
        "def upgrade() -> None:\n",
        "def upgrade() -> None:\n"
        "    from pathlib import Path\n"
        "    Path('told').write_bytes(Path('/proc/self/cmdline').read_bytes())\n",
    )
    assert provision("up").code == 0
    told = (planted / "told").read_bytes()
    assert b"own_process_child" in told
    assert PLANTED.encode() not in told
    assert json.loads(provision("history", "-o", "json").out)

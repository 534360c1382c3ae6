"""Statements that fail, and moves that are refused: what ran, what did not, and how to go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.projects import document, edit, refused, revision, script, untouched
from tests.servers.command_line import Provision

FIVE = """\
CREATE TABLE one (id UInt64) ENGINE = MergeTree ORDER BY id;
CREATE TABLE two (id UInt64) ENGINE = MergeTree ORDER BY id;
ALTER TABLE two ADD COLUMN price Decimal(10, 2) AFTER amount;
CREATE TABLE four (id UInt64) ENGINE = MergeTree ORDER BY id;
CREATE TABLE five (id UInt64) ENGINE = MergeTree ORDER BY id;
"""
NOW = "op.execute('SELECT 1')"


@pytest.fixture
def done(small: Path, provision: Provision) -> Path:
    """The project with everything applied."""
    assert provision("up").code == 0
    return small


def test_clickhouse_statement_3_of_5(done: Path, provision: Provision) -> None:
    path = script(done, "003_five", FIVE)
    refused(provision("up"), 5, "FILL", "FILL")
    with untouched(done):
        refused(provision("status"), 0, "FILL", "FILL")
    edit(path, " AFTER amount", "")
    refused(provision("up"), 0, "FILL", "FILL")


def test_clickhouse_statement_that_fails_again(done: Path, provision: Provision) -> None:
    script(done, "003_five", FIVE)
    first = provision("up")
    second = provision("up")
    assert (second.code, second.err) == (first.code, first.err)


def test_clickhouse_earlier_statement_edited_after_it_ran(done: Path, provision: Provision) -> None:
    path = script(done, "003_five", FIVE)
    assert provision("up").code == 5
    edit(path, "TABLE one (id UInt64)", "TABLE one (id UInt32)")
    with untouched(done):
        ran = provision("up")
    refused(ran, 3, "FILL", "FILL")


def test_clickhouse_failure_in_json(done: Path, provision: Provision) -> None:
    script(done, "003_five", FIVE)
    ran = provision("up", "--output", "json")
    found = json.loads(ran.out)
    assert found["failed"]["id"] == "clickhouse/003"
    assert found["failed"]["statement"] == 3
    assert found["failed"]["error"] == {}
    assert (found["applied"], found["remaining"], ran.code) == ([], ["clickhouse/003"], 5)


def test_postgres_statement_3_of_5(done: Path, provision: Provision) -> None:
    """All five are one transaction: nothing of it is kept."""
    lines = [NOW, NOW, "op.execute('ALTER TABLE orders ADD COLUMN id bigint')", NOW, NOW]
    path = revision(done, "0004", "0003", "\n    ".join(lines))
    refused(provision("up"), 5, "FILL", "FILL")
    edit(path, "COLUMN id ", "COLUMN more ")
    assert provision("up").code == 0


def test_postgres_syntax_error_in_the_statement(done: Path, provision: Provision) -> None:
    revision(done, "0004", "0003", "op.execute('CREAT TABLE x ()')")
    refused(provision("up"), 5, "FILL", "FILL")


def test_postgres_revision_that_raises(done: Path, provision: Provision) -> None:
    revision(done, "0004", "0003", "raise LookupError('no such setting')")
    refused(provision("up"), 5, "FILL", "FILL")


def test_postgres_failure_outside_a_transaction(done: Path, provision: Provision) -> None:
    lines = [NOW, "with op.get_context().autocommit_block():", "    op.execute('CREATE INDEX CONCURRENTLY i ON orders (nothing)')"]
    revision(done, "0004", "0003", "\n    ".join(lines))
    refused(provision("up"), 5, "FILL", "FILL")


def test_redis_operation_that_is_refused(done: Path, provision: Provision) -> None:
    """The key is there already and is no stream."""
    document(done, "0003_more", 'up:\n  - create_group: {stream: "small:none", name: late}\ndown: auto\n')
    refused(provision("up"), 5, "FILL", "FILL")


def test_a_failure_leaves_the_rest_for_the_next_run(small: Path, provision: Provision) -> None:
    edit(small / "alembic" / "versions" / "0002_orders.py", "REFERENCES accounts", "REFERENCES nothing")
    refused(provision("up", "--output", "github"), 5, "FILL", "FILL")
    edit(small / "alembic" / "versions" / "0002_orders.py", "REFERENCES nothing", "REFERENCES accounts")
    assert provision("up").code == 0


def test_env_py_that_raises(small: Path, provision: Provision) -> None:
    edit(small / "alembic" / "env.py", "from alembic import context", "from alembic import context\n\nraise OSError('no')")
    refused(provision("up", "--only", "postgres"), 5, "FILL", "FILL")


def test_env_py_that_is_gone(small: Path, provision: Provision) -> None:
    (small / "alembic" / "env.py").unlink()
    refused(provision("up", "--only", "postgres"), 5, "FILL", "FILL")


def test_down_without_a_target(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(provision("down"), 2, "FILL", "FILL")


def test_down_that_loses_data(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(provision("down", "--all"), 3, "FILL", "FILL")


def test_up_that_loses_data(done: Path, provision: Provision) -> None:
    script(done, "003_drop", "DROP TABLE event_counts;\nALTER TABLE events DROP COLUMN at;\n")
    with untouched(done):
        refused(provision("up"), 3, "FILL", "FILL")


def test_down_below_what_others_require(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(provision("down", "postgres/0001", "--allow-destructive"), 3, "FILL", "FILL")


def test_down_without_a_way(done: Path, provision: Provision) -> None:
    script(done, "003_more", "CREATE TABLE more (id UInt64) ENGINE = MergeTree ORDER BY id;\n")
    document(done, "0003_more", 'up:\n  - create_group: {stream: "small:sign_ins", name: late}\ndown: {irreversible: "readers keep it"}\n')
    assert provision("up").code == 0
    with untouched(done):
        refused(provision("down", "--steps", "2", "--allow-destructive"), 3, "FILL", "FILL")


def test_requirement_left_out(small: Path, provision: Provision) -> None:
    with untouched(small):
        refused(provision("up", "--only", "redis"), 3, "FILL", "FILL")

# ruff: noqa: E501 (whole messages stand here as they are printed)
"""Statements that fail, and moves that are refused: what ran, what did not, and how to go on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
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
def small(small: Path) -> Path:
    """The project without a step that loses data."""
    edit(small / "alembic" / "versions" / "0003_order_notes.py", "destructive = True\n", "")
    return small


@pytest.fixture
def done(small: Path, provision: Provision) -> Path:
    """The project with everything applied."""
    assert provision("up").code == 0
    return small


def test_clickhouse_statement_3_of_5(done: Path, provision: Provision) -> None:
    path = script(done, "003_five", FIVE)
    refused(
        provision("up"),
        5,
        """\
error[statement-failed]: Wrong column name. Cannot find column amount to insert after. (NO_SUCH_COLUMN_IN_TABLE)
  where  clickhouse/003_five.sql: statement 3 of 5 (alter table two: add column price); statements 1 to 2 are done, 2 were not sent
  fix    correct the statement and run the same command again: it goes on with this statement
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  1 to apply
  redis       redis VERSION  redis://HOST/0  up to date
  ✗ clickhouse/003  five
0 applied in N s
remaining: clickhouse/003
""",
    )
    with untouched(done):
        refused(
            provision("status"),
            0,
            "",
            """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  3 applied
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  2 applied, 1 to apply
    ✗ clickhouse/003  failed    five
                      at statement 3: Wrong column name. Cannot find column amount to insert after. (NO_SUCH_COLUMN_IN_TABLE)
  redis       redis VERSION  redis://HOST/0  2 applied
next: provision up --env test
""",
        )
    edit(path, " AFTER amount", "")
    refused(
        provision("up"),
        0,
        "",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  1 to apply
  redis       redis VERSION  redis://HOST/0  up to date
  ✓ clickhouse/003  five N ms
1 applied in N s
""",
    )


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
    refused(
        ran,
        3,
        """\
error[changed-half-way]: clickhouse/003_five was edited after its statement 1 had been sent
  where  clickhouse/003_five.sql: statement 1, sent TIME UTC
  fix    restore the statements that ran and edit only what follows, or settle it: `provision resolve clickhouse/003 --done-to 2` (the edit changes nothing that ran), `provision resolve clickhouse/003 --applied` (nothing more of it is sent) or `provision resolve clickhouse/003 --pending` (it begins again with statement 1)
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  1 to apply
  redis       redis VERSION  redis://HOST/0  up to date
""",
    )


def test_clickhouse_failure_in_json(done: Path, provision: Provision) -> None:
    script(done, "003_five", FIVE)
    ran = provision("up", "--output", "json")
    found = json.loads(ran.out)
    assert found["failed"]["id"] == "clickhouse/003"
    assert found["failed"]["statement"] == 3
    assert found["failed"]["error"] == {
        "code": "statement-failed",
        "what": "Wrong column name. Cannot find column amount to insert after. (NO_SUCH_COLUMN_IN_TABLE)",
        "where": "clickhouse/003_five.sql: statement 3 of 5 (alter table two: add column price);"
        " statements 1 to 2 are done, 2 were not sent",
        "fix": "correct the statement and run the same command again: it goes on with this statement",
    }
    assert (found["applied"], found["remaining"], ran.code) == ([], ["clickhouse/003"], 5)


def test_postgres_statement_3_of_5(done: Path, provision: Provision) -> None:
    """All five are one transaction: nothing of it is kept."""
    lines = [NOW, NOW, "op.execute('ALTER TABLE orders ADD COLUMN id bigint')", NOW, NOW]
    path = revision(done, "0004", "0003", "\n    ".join(lines))
    refused(
        provision("up"),
        5,
        """\
error[statement-failed]: column "id" of relation "orders" already exists [42701]
  where  alembic/versions/0004_written.py:12: statement 3: ALTER TABLE orders ADD COLUMN id bigint; rolled back: nothing of it was kept
  fix    correct the revision and run the same command again
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  1 to apply
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  ✗ postgres/0004  Written 0004
0 applied in N s
remaining: postgres/0004
""",
    )
    edit(path, "COLUMN id ", "COLUMN more ")
    assert provision("up").code == 0


def test_postgres_syntax_error_in_the_statement(done: Path, provision: Provision) -> None:
    revision(done, "0004", "0003", "op.execute('CREAT TABLE x ()')")
    refused(
        provision("up"),
        5,
        """\
error[statement-failed]: syntax error at or near "CREAT" [42601]
  where  alembic/versions/0004_written.py:10: statement 1: CREAT TABLE x (); rolled back: nothing of it was kept
  fix    correct the revision and run the same command again
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  1 to apply
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  ✗ postgres/0004  Written 0004
0 applied in N s
remaining: postgres/0004
""",
    )


def test_postgres_revision_that_raises(done: Path, provision: Provision) -> None:
    revision(done, "0004", "0003", "raise LookupError('no such setting')")
    refused(
        provision("up"),
        5,
        """\
error[revision-failed]: LookupError: no such setting
  where  alembic/versions/0004_written.py:10
  fix    correct the revision and run the same command again
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  1 to apply
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  ✗ postgres/0004  Written 0004
0 applied in N s
remaining: postgres/0004
""",
    )


def test_postgres_failure_outside_a_transaction(done: Path, provision: Provision) -> None:
    lines = [
        NOW,
        "with op.get_context().autocommit_block():",
        "    op.execute('CREATE INDEX CONCURRENTLY i ON orders (nothing)')",
    ]
    revision(done, "0004", "0003", "\n    ".join(lines))
    refused(
        provision("up"),
        5,
        """\
error[statement-failed]: column "nothing" does not exist [42703]
  where  alembic/versions/0004_written.py:12: statement 1: CREATE INDEX CONCURRENTLY i ON orders (nothing); statements before it are committed
  fix    correct the revision and run the same command again
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  1 to apply
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  ✗ postgres/0004  Written 0004
0 applied in N s
remaining: postgres/0004
""",
    )


def test_redis_operation_that_is_refused(done: Path, provision: Provision) -> None:
    """The key is there already and is no stream."""
    document(done, "0003_more", 'up:\n  - create_group: {stream: "small:none", name: late}\ndown: auto\n')
    refused(
        provision("up"),
        5,
        """\
error[statement-failed]: small:none is not there
  where  redis/0003_more.yaml: statement 1 of 1 (group late on stream small:none); nothing of it was done
  fix    make the server as the file says, or write what it should be
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  1 to apply
  ✗ redis/0003  more
0 applied in N s
remaining: redis/0003
""",
    )


def test_failure_in_github_form_leaves_the_rest_for_the_next_run(small: Path, provision: Provision) -> None:
    edit(small / "alembic" / "versions" / "0002_orders.py", "REFERENCES accounts", "REFERENCES nothing")
    ran = provision("up", "--output", "github")
    assert ran.out == (
        '::error file=alembic/versions/0002_orders.py,line=10,title=statement-failed::relation "nothing" does not exist'
        " [42P01]%0Aalembic/versions/0002_orders.py:10: statement 1: CREATE TABLE orders (id bigint PRIMARY KEY,"
        " account_id bigint NOT NULL REFERENC…; rolled back: nothing of it was kept%0A"
        "correct the revision and run the same command again\n"
    )
    assert "  ✗ postgres/0002   Orders of accounts\n" in ran.err
    # redis/0002 waits for nothing that failed: whether it was still done before the lanes stopped is chance.
    last = ran.err.splitlines()[-1].replace(" redis/0002,", "")
    assert last == "remaining: postgres/0002, postgres/0003, clickhouse/002"
    assert ran.code == 5
    edit(small / "alembic" / "versions" / "0002_orders.py", "REFERENCES nothing", "REFERENCES accounts")
    assert provision("up").code == 0


def test_env_py_that_raises(small: Path, provision: Provision) -> None:
    edit(
        small / "alembic" / "env.py",
        "from alembic import context",
        "from alembic import context\n\nraise OSError('no')",
    )
    refused(
        provision("up", "--only", "postgres"),
        2,
        """\
error[env-failed]: env.py of postgres failed: OSError: no
  where  alembic/env.py:5
  fix    correct the line
""",
        """\
small · test
  postgres  postgres VERSION  postgresql:///small_N  3 to apply
  ✗ postgres/0001  Accounts
0 applied in N s
remaining: postgres/0001, postgres/0002, postgres/0003
""",
    )


@pytest.mark.parametrize("place", ["alembic.ini", "alembic/alembic.ini", "db/own.ini"])
def test_env_py_that_raises_is_shown_whole_by_the_command_of_the_fix(
    small: Path, provision: Provision, place: str
) -> None:
    """Of an error that Alembic itself raises bare Alembic shows one line, unless it is asked for more."""
    raising = "from alembic.util import CommandError\n\nraise CommandError('no')\nfrom alembic import context"
    edit(small / "alembic" / "env.py", "from alembic import context", raising)
    (small / place).parent.mkdir(exist_ok=True)
    (small / place).write_text(f"[alembic]\nscript_location = {small}/alembic\n")
    if place == "db/own.ini":
        edit(small / "provision.toml", "[stores.postgres]\n", '[stores.postgres]\nini = "db/own.ini"\n')
    ran = provision("up", "--only", "postgres")
    [command] = re.findall(r"`(alembic [^`]*)` shows the whole traceback", ran.err)
    bare = [Path(sys.executable).with_name("alembic"), *command.split()[1:]]
    shown = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert "Traceback" in shown.stderr
    assert shown.stderr.endswith("CommandError: no\n")


def test_env_py_that_is_gone(small: Path, provision: Provision) -> None:
    (small / "alembic" / "env.py").unlink()
    with untouched(small):
        refused(
            provision("up", "--only", "postgres"),
            2,
            """\
error[missing-env]: postgres has revisions and no env.py
  where  alembic/env.py
  fix    restore the file from version control, or take the one that `alembic init` writes elsewhere
""",
        )


def test_down_without_a_target(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(
            provision("down"),
            2,
            """\
error[down-without-target]: down needs a target
  where  provision down
  fix    name a revision to go back to (it stays applied), or --steps N, or --all
""",
            "small · test\n",
        )


def test_down_that_loses_data(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(
            provision("down", "--all"),
            3,
            """\
error[destructive]: 7 of 7 steps would lose data
  where  clickhouse/002 drops table event_counts and its rows; postgres/0003 drops table order_notes and its rows; redis/0002 position and pending entries of group audit of small:sign_ins are lost; and 4 more
  fix    look at the plan with --dry-run, then add --allow-destructive
""",
            "small · test\n",
        )


def test_up_that_loses_data(done: Path, provision: Provision) -> None:
    script(done, "003_drop", "DROP TABLE event_counts;\nALTER TABLE events DROP COLUMN at;\n")
    with untouched(done):
        refused(
            provision("up"),
            3,
            """\
error[destructive]: 1 of 1 steps would lose data
  where  clickhouse/003 drops table event_counts and its rows, drops column at of events and its values
  fix    look at the plan with --dry-run, then add --allow-destructive
""",
            "small · test\n",
        )


def test_down_below_what_others_require(done: Path, provision: Provision) -> None:
    with untouched(done):
        refused(
            provision("down", "postgres/0001", "--allow-destructive"),
            3,
            """\
error[required-by-others]: clickhouse/002 stands on what would be reverted
  where  postgres/0002, postgres/0003
  fix    add --cascade to revert them first, or choose a later target
""",
            "small · test\n",
        )


def test_down_without_a_way(done: Path, provision: Provision) -> None:
    script(done, "003_more", "CREATE TABLE more (id UInt64) ENGINE = MergeTree ORDER BY id;\n")
    document(
        done,
        "0003_more",
        'up:\n  - create_group: {stream: "small:sign_ins", name: late}\ndown: {irreversible: "readers keep it"}\n',
    )
    assert provision("up").code == 0
    with untouched(done):
        refused(
            provision("down", "--steps", "2", "--allow-destructive"),
            3,
            """\
error[irreversible]: clickhouse/003_more has no way down: there is no 003_more.down.sql
  where  clickhouse/003_more.sql
  fix    choose a later target, or write a new revision that undoes it
error[irreversible]: redis/0003_more has no way down: readers keep it
  where  redis/0003_more.yaml
  fix    choose a later target, or write a new revision that undoes it
""",
            "small · test\n",
        )


def test_requirement_left_out(small: Path, provision: Provision) -> None:
    with untouched(small):
        refused(
            provision("up", "--only", "redis"),
            3,
            """\
error[requirement-not-met]: redis/0002 requires clickhouse/001, which is not applied and not part of this run
  where  redis/0002_second_reader.yaml
  fix    add --only clickhouse, or run without --only
""",
            "small · test\n",
        )

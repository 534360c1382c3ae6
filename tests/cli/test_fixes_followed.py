"""The commands that an error prints as its fix are run as they are printed, and lead on."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import clickhouse_connect
import psycopg
import pytest

from provision.errors import UnreachableError
from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
from tests.cli.projects import edit, script
from tests.servers.command_line import Provision, Ran

ENV = ("--env", "test")
COUNT = "SELECT count() FROM events"
MORE = "CREATE TABLE IF NOT EXISTS more (x UInt64) ENGINE = Log;\n"
Bring = Callable[[Path, Provision], Ran]


@pytest.fixture
def done(small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with everything applied; every command has to name the environment itself."""
    monkeypatch.delenv("PROVISION_ENV")
    assert provision("up", *ENV, "--allow-destructive").code == 0
    return small


def commands(ran: Ran) -> list[list[str]]:
    """The commands of the fix, as a shell would read them."""
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    return [shlex.split(each) for each in re.findall(r"`provision ([^`]*)`", fix)]


def failed(code: str, ran: Ran) -> Ran:
    assert ran.err.startswith(f"error[{code}]: "), ran.out + ran.err
    return ran


def lost_insert(root: Path, provision: Provision) -> None:
    """The connection ends in an INSERT that nothing can look up."""

    def lost(*_given: object) -> None:
        raise UnreachableError("unreachable", "nothing listens there", where="127.0.0.1:1")

    script(root, "003_fill", "INSERT INTO events SELECT 7, now();\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClickhouseStatements, "send", lost)
        assert provision("up", *ENV).code == 5


def refused_statement(root: Path, provision: Provision) -> Ran:
    script(root, "003_half", f"{MORE}INSERT INTO nowhere VALUES (1);\n")
    return failed("statement-failed", provision("up", *ENV))


def dirty(root: Path, provision: Provision) -> Ran:
    lost_insert(root, provision)
    return failed("dirty", provision("up", *ENV))


def dirty_baseline(root: Path, provision: Provision) -> Ran:
    refused_statement(root, provision)
    mended(root)
    return failed("dirty", provision("baseline", "clickhouse/003", *ENV))


def half_applied(root: Path, provision: Provision) -> Ran:
    refused_statement(root, provision)
    mended(root)
    return failed("half-applied", provision("down", "--steps", "1", *ENV))


def mended(root: Path) -> None:
    edit(root / "clickhouse" / "003_half.sql", "INSERT INTO nowhere VALUES (1)", "INSERT INTO more VALUES (1)")


def changed_half_way(root: Path, provision: Provision) -> Ran:
    refused_statement(root, provision)
    mended(root)
    edit(root / "clickhouse" / "003_half.sql", "x UInt64", "x UInt32")
    return failed("changed-half-way", provision("up", *ENV))


def alembic(root: Path, parent: str, body: str) -> Path:
    place = root / "alembic" / "versions" / "0004_kept.py"
    place.write_text(
        f"from alembic import op\n\nrevision = '0004'\ndown_revision = '{parent}'\n\n\n"
        f"def upgrade() -> None:\n    {body}\n\n\ndef downgrade() -> None:\n    pass\n"
    )
    return place


def changed_half_way_postgres(root: Path, provision: Provision) -> Ran:
    body = (
        "with op.get_context().autocommit_block():\n"
        "        op.execute('create table if not exists kept (x int)')\n"
        "    op.execute('select nothing')"
    )
    place = alembic(root, "0003", body)
    failed("statement-failed", provision("up", *ENV))
    edit(place, "select nothing", "select 1")
    edit(place, "x int", "x bigint")
    return failed("changed-half-way", provision("up", *ENV))


def revision_changed(root: Path, provision: Provision) -> Ran:
    place = root / "clickhouse" / "001_events.sql"
    place.write_text(f"{place.read_text()}-- edited\n")
    return failed("revision-changed", provision("up", *ENV))


def revision_unknown(root: Path, provision: Provision) -> Ran:
    (root / "alembic" / "versions" / "0003_order_notes.py").unlink()
    alembic(root, "0002", "pass")
    return failed("revision-unknown", provision("up", *ENV))


def ledger_illegal(_root: Path, provision: Provision) -> Ran:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO provision.ledger SELECT project, store, token, 99, revision, 'at', checksum, at, actor,"
            " duration_ms, statement, detail FROM provision.ledger WHERE revision = 'postgres/0003'"
        )
    return failed("ledger-illegal", provision("up", *ENV))


def versions_lost(_root: Path, provision: Provision) -> Ran:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        connection.execute("DELETE FROM alembic_version")
    return failed("versions-lost", provision("up", *ENV))


def already_applied(_root: Path, provision: Provision) -> Ran:
    return failed("already-applied", provision("baseline", "redis/0001", *ENV))


def nothing_to_resolve(root: Path, provision: Provision) -> Ran:
    script(root, "003_more", MORE)
    return failed("nothing-to-resolve", provision("resolve", "clickhouse/003", "--done-to", "1", *ENV))


def out_of_range(root: Path, provision: Provision) -> Ran:
    refused_statement(root, provision)
    mended(root)
    return failed("usage", provision("resolve", "clickhouse/003", "--done-to", "3", *ENV))


def number_taken(root: Path, provision: Provision) -> Ran:
    place = root / "clickhouse" / "001_events.sql"
    (place.parent / "001_happenings.sql").write_text(f"{place.read_text()}-- edited\n")
    place.unlink()
    return failed("number-taken", provision("up", *ENV))


def no_such_revision(_root: Path, provision: Provision) -> Ran:
    return failed("no-such-revision", provision("up", "redis/nothing", *ENV))


@pytest.mark.parametrize(
    ("bring", "number", "of"),
    [
        (dirty, 0, 2),
        (dirty, 1, 2),
        (dirty_baseline, 0, 3),
        (dirty_baseline, 1, 3),
        (dirty_baseline, 2, 3),
        (half_applied, 0, 3),
        (half_applied, 1, 3),
        (half_applied, 2, 3),
        (changed_half_way, 0, 3),
        (changed_half_way, 1, 3),
        (changed_half_way, 2, 3),
        (changed_half_way_postgres, 0, 3),
        (changed_half_way_postgres, 1, 3),
        (changed_half_way_postgres, 2, 3),
        (revision_changed, 0, 1),
        (revision_unknown, 0, 1),
        (ledger_illegal, 0, 2),
        (versions_lost, 0, 3),
        (already_applied, 0, 1),
        (nothing_to_resolve, 0, 2),
        (nothing_to_resolve, 1, 2),
        (out_of_range, 0, 1),
        (no_such_revision, 0, 1),
        (number_taken, 0, 1),
    ],
)
def test_command_of_the_fix_leads_on(done: Path, provision: Provision, bring: Bring, number: int, of: int) -> None:
    printed = commands(bring(done, provision))
    assert len(printed) == of, printed

    ran = provision(*printed[number])

    assert ran.code == 0, (printed[number], ran.out + ran.err)
    assert provision("up", *ENV, "--allow-destructive").code == 0
    assert provision("status", "--check", *ENV).code == 0


def out_of_order(root: Path, _provision: Provision) -> None:
    script(root, "000_first", MORE)


def nothing(_root: Path, _provision: Provision) -> None:
    """Everything is as it should be."""


@pytest.mark.parametrize(
    ("code", "arrange", "command", "option"),
    [
        ("environment-not-named", nothing, ("status",), ENV),
        ("down-without-target", nothing, ("down", *ENV, "--allow-destructive"), ("--steps", "1")),
        ("down-without-target", nothing, ("down", *ENV, "--allow-destructive"), ("--all",)),
        ("required-by-others", nothing, ("down", "postgres/0001", *ENV, "--allow-destructive"), ("--cascade",)),
        ("destructive", nothing, ("down", "--all", *ENV), ("--allow-destructive",)),
        ("out-of-order", out_of_order, ("up", *ENV), ("--out-of-order",)),
    ],
)
def test_option_of_the_fix_lets_the_same_command_through(
    done: Path,
    provision: Provision,
    code: str,
    arrange: Callable[[Path, Provision], None],
    command: tuple[str, ...],
    option: tuple[str, ...],
) -> None:
    arrange(done, provision)
    ran = failed(code, provision(*command))
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    assert option[0] in fix
    assert provision(*command, *option).code == 0


def test_dirty_done_to_sends_nothing_again_and_pending_sends_it(done: Path, provision: Provision) -> None:
    before = count()
    it_is_done, _ = commands(dirty(done, provision))
    assert provision(*it_is_done).code == 0
    assert provision("up", *ENV).code == 0
    assert count() == before


def test_dirty_pending_sends_it(done: Path, provision: Provision) -> None:
    before = count()
    _, it_is_not = commands(dirty(done, provision))
    assert provision(*it_is_not).code == 0
    assert provision("up", *ENV).code == 0
    assert count() == before + 1


def count() -> int:
    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as client:
        return int(client.query(COUNT).result_rows[0][0])


def test_statement_failed_goes_on_with_the_statement(done: Path, provision: Provision) -> None:
    ran = refused_statement(done, provision)
    assert ran.err.splitlines()[2] == (
        "  fix    correct the statement and run the same command again: it goes on with this statement"
    )
    mended(done)
    again = provision("up", *ENV)
    assert again.code == 0, again.err
    assert provision("history", "clickhouse/003", *ENV).out.count("at statement 2") == 2


def test_no_project_init_makes_one(tmp_path: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [printed] = commands(failed("no-project", provision("status")))
    ran = provision(*printed)
    assert ran.code == 0, ran.err
    assert (tmp_path / "provision.toml").is_file()


@pytest.mark.parametrize("text", ["", "{}", "stale"])
def test_plan_that_cannot_be_carried_out_is_made_again(done: Path, provision: Provision, text: str) -> None:
    saved = done / "saved.json"
    script(done, "003_more", MORE)
    if text == "stale":
        assert provision("plan", "--out", saved, *ENV).code == 0
        script(done, "004_more", MORE.replace("more", "further"))
        assert provision("up", *ENV).code == 0
        script(done, "005_more", MORE.replace("more", "last"))
    else:
        saved.write_text(text)
    ran = failed("stale-plan" if text == "stale" else "plan-invalid", provision("up", "--plan", saved, *ENV))
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    assert "provision plan --out FILE" in fix
    assert provision("plan", "--out", saved, *ENV).code == 0
    again = provision("up", "--plan", saved, *ENV)
    assert again.code == 0, again.err
    assert provision("status", "--check", *ENV).code == 0


def test_unknown_name_is_corrected_to_the_nearest(done: Path, provision: Provision) -> None:
    assert done.exists()
    ran = failed("unknown-store", provision("status", "--only", "clickhaus", *ENV))
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    [meant] = re.findall(r"did you mean '?(\w+)", fix)
    assert provision("status", "--only", meant, *ENV).code == 0

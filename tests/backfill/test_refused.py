"""What is wrong with a backfill is said before a row is touched."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.expected import Expected
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
WRONG = {
    "unknown key": (
        "tabel: orders\n",
        "error[document-invalid]: the file has no key tabel\n"
        "  where  backfills/source.yaml:10:1\n  fix    did you mean table?\n",
    ),
    "unknown table": (
        ("table: orders", "table: order"),
        "error[unknown-table]: postgres has no table order\n"
        "  where  backfills/source.yaml:3:1\n  fix    did you mean orders?\n",
    ),
    "unknown column": (
        ("score: coalesce", "scores: coalesce"),
        "error[unknown-column]: orders has no column scores\n"
        "  where  backfills/source.yaml:6:3\n  fix    did you mean score?\n",
    ),
    "unknown column in an expression": (
        ("where: source is null", "where: sourse is null"),
        'error[unknown-column]: where: column "sourse" does not exist\n'
        "  where  backfills/source.yaml:7:1\n"
        '  fix    Perhaps you meant to reference the column "orders.source".\n',
    ),
    "not boolean": (
        ("where: source is null", "where: source"),
        "error[bad-expression]: `where` is neither true nor false\n"
        "  where  backfills/source.yaml:7:1\n  fix    compare it with something\n",
    ),
    "compared with NULL": (
        ("where: source is null", "where: source = NULL"),
        "error[bad-expression]: where: `= NULL` is never true\n"
        "  where  backfills/source.yaml:7:1\n  fix    write IS NULL\n",
    ),
    "of many rows": (
        ("where: source is null", "where: count(*) > 0"),
        "error[bad-expression]: where: aggregate functions are not allowed in WHERE\n"
        "  where  backfills/source.yaml:7:1\n  fix    correct the expression\n",
    ),
    "does not parse": (
        ("coalesce(score, 0.5)", "coalesce(score, 0.5"),
        "error[bad-expression]: set.score is not one expression: a ( is not closed\n"
        "  where  backfills/source.yaml:6:3\n  fix    write one SQL expression\n",
    ),
    "wrong type": (
        ("coalesce(score, 0.5)", "note"),
        'error[bad-expression]: set.score: column "score" is of type numeric but expression is of type text\n'
        "  where  backfills/source.yaml:6:3\n  fix    You will need to rewrite or cast the expression.\n",
    ),
    "key that is not unique": (
        "key: tenant\n",
        "error[key-not-unique]: tenant of orders is not unique\n"
        "  where  backfills/source.yaml:10:1\n  fix    unique here: [id]; [n]; [tenant, place]\n",
    ),
    "store of another kind": (
        ("store: postgres", "store: postgre"),
        "error[unknown-store]: no store is called 'postgre'\n"
        "  where  backfills/source.yaml:2:1\n  fix    did you mean 'postgres'?\n",
    ),
    "target that is no time": (
        ("target: 20ms", "target: 20"),
        "error[document-invalid]: batch.target is 20\n"
        "  where  backfills/source.yaml:9:9\n  fix    write a time such as 100ms or 1s\n",
    ),
    "requirement not met": (
        ("requires: [postgres/0001]", "requires: [postgres/0002]"),
        "error[requirement-not-met]: source requires postgres/0002, which is not applied\n"
        "  where  backfills/source.yaml:8:1\n  fix    `provision up`, then run it again\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_document_is_refused(shop: Path, provision: Provision, case: str) -> None:
    change, message = WRONG[case]
    text = project.SOURCE + change if isinstance(change, str) else project.SOURCE.replace(*change)
    (shop / "backfills" / "source.yaml").write_text(text)

    ran = provision("backfill", "run", "source")

    assert ran.err == message
    assert ran.code == (3 if case == "requirement not met" else 2)


def test_a_key_that_may_be_null_is_refused(
    expected: Expected, shop: Path, provision: Provision, database: Database
) -> None:
    database.execute("alter table orders alter n drop not null")
    (shop / "backfills" / "source.yaml").write_text(project.SOURCE + "key: n\n")

    ran = provision("backfill", "run", "source")

    expected(ran.err)


@pytest.mark.usefixtures("shop")
def test_an_user_without_the_right_is_refused(
    url: str, provision: Provision, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"reader_{database.info.dbname}"
    database.execute(f"create role {name} login".encode())
    database.execute(f"grant select on orders, alembic_version to {name}".encode())
    database.execute(f"grant usage, create on schema provision to {name}".encode())
    database.execute(f"grant all on all tables in schema provision to {name}".encode())
    monkeypatch.setenv("SHOP_POSTGRES", url.replace("postgres@", f"{name}@", 1))

    ran = provision("backfill", "run", "source")

    assert ran.code == 2
    assert "error[no-privilege]: postgres: permission denied for table orders\n" in ran.err
    assert "  fix    grant select, update on orders to the user of the url\n" in ran.err


@pytest.mark.usefixtures("shop")
def test_rows_hidden_by_row_security_are_never_passed_by_unsaid(
    expected: Expected, url: str, provision: Provision, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"tenant_{database.info.dbname}"
    database.execute(f"create role {name} login".encode())
    database.execute(f"grant select, update on orders, alembic_version to {name}".encode())
    database.execute(f"grant usage, create on schema provision to {name}".encode())
    database.execute(f"grant all on all tables in schema provision to {name}".encode())
    database.execute("alter table orders enable row level security; create policy none on orders using (false)")
    monkeypatch.setenv("SHOP_POSTGRES", url.replace("postgres@", f"{name}@", 1))

    ran = provision("backfill", "run", "source")

    expected(ran.err)


def test_a_column_dropped_under_the_run_stops_it(
    expected: Expected, shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 30_000)
    started = project.process(shop, "backfill", "run", "source", "--rate", 2000)
    project.until(lambda: project.rows_done(database) > 100)
    database.execute("alter table orders drop column score")

    code, _, err = project.ended(started)

    assert code == 5
    expected(err)
    assert provision("backfill", "status", "source").out.split("\n")[1].startswith("  source  errored  ")


def test_a_document_edited_between_two_runs_is_refused(
    expected: Expected, shop: Path, url: str, provision: Provision, database: Database
) -> None:
    project.sow(url, 100)
    database.execute("alter table orders add constraint never check (source = 'shop')")
    provision("backfill", "run", "source")
    (shop / "backfills" / "source.yaml").write_text(project.SOURCE + "# edited\n")

    ran = provision("backfill", "run", "source")

    assert ran.code == 3
    assert ran.err.startswith("error[backfill-changed]: backfills/source.yaml was edited since run ")
    assert provision("backfill", "cancel", "source").code == 0
    expected(provision("backfill", "cancel", "source").err)


@pytest.mark.usefixtures("shop")
def test_a_name_that_nothing_has_is_refused_with_the_nearest(expected: Expected, provision: Provision) -> None:
    expected(provision("backfill", "run", "sources").err)


@pytest.mark.usefixtures("shop")
def test_reads_write_nothing(provision: Provision, database: Database) -> None:
    for command in (("list",), ("status",), ("status", "source", "-o", "json")):
        assert provision("backfill", *command).code == 0

    assert database.execute("select to_regclass('provision.backfill_run')").fetchone() == (None,)

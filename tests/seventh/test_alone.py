"""Every command on a project with a store of a kind that provision does not know, through the real command line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.expected import Expected
from tests.servers.command_line import Ran
from tests.seventh.shop import SUITE, Shop

ROOT = Path(__file__).parents[2]


def rows(shop: Shop, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(shop.root / "shop.db", isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def tables(shop: Shop) -> list[str]:
    return [str(name) for (name,) in rows(shop, "select name from sqlite_master where name not like 'sqlite%'")]


def revisions(ran: Ran) -> list[dict[str, object]]:
    (store,) = json.loads(ran.out)["stores"]
    found: list[dict[str, object]] = store["revisions"]
    return found


def test_no_file_of_provision_names_it() -> None:
    sources = {each: each.read_text(encoding="utf-8").lower() for each in (ROOT / "provision").rglob("*.py")}
    # A check of ArangoDB finds cycles with the sqlite3 of the standard library; influxd2 keeps its users in one.
    assert {each.name for each, text in sources.items() if "sqlite" in text} <= {"graph.py", "influx2.py"}


def test_it_is_not_installed_where_the_tests_run() -> None:
    from provision import kinds

    assert kinds.find("sqlite") is None


def test_init_and_new_begin_a_project(shop: Shop) -> None:
    begun = shop("init", "begun", "--stores", "sqlite")
    inside = Shop(shop.root / "begun", shop.site)
    drafted = inside("new", "sqlite", "orders table")

    assert (begun.code, drafted.code, drafted.err) == (0, 0, "")
    assert 'home = "sqlite"' in (inside.root / "provision.toml").read_text()
    assert drafted.out == "sqlite/0001_orders_table.yaml\n"
    assert "create table orders" in (inside.root / "sqlite" / "0001_orders_table.yaml").read_text()
    assert "orders table (draft)" in inside("graph").out


def test_up_down_up_with_the_lock_in_the_same_file(shop: Shop) -> None:
    first = shop("up")
    made = tables(shop)
    down = shop("down", "--all", "--allow-destructive")
    left = tables(shop)

    assert (first.code, down.code, shop("up").code) == (0, 0, 0)
    assert made == ["provision_ledger", "provision_fence", "orders", "by_amount"] == tables(shop)
    assert left == ["provision_ledger", "provision_fence"]
    assert rows(shop, "select revision, kind from provision_ledger order by token, n") == [
        ("sqlite/0001", "applied"),
        ("sqlite/0002", "applied"),
        ("sqlite/0002", "reverted"),
        ("sqlite/0001", "reverted"),
        ("sqlite/0001", "applied"),
        ("sqlite/0002", "applied"),
    ]
    assert shop("lock", "show").out == "nobody holds the run lock\n"


def test_status_and_plan_reach_it_and_write_nothing(shop: Shop) -> None:
    before = shop("status", "-o", "json")
    assert not (shop.root / "shop.db").exists()
    plan = shop("plan", "-o", "json")
    shop("up", "sqlite/0001")
    after = shop("status", "--only", "sqlite", "--all")

    assert [each["state"] for each in revisions(before)] == ["pending", "pending"]
    assert [each["id"] for each in json.loads(plan.out)["steps"]] == ["sqlite/0001", "sqlite/0002"]
    assert "sqlite:///shop.db" in after.out
    assert after.out.split("\n")[1].endswith("1 applied, 1 to apply")


def test_a_revision_that_outlasts_the_lock_keeps_it(shop: Shop) -> None:
    """The database is locked all the while: were the lock kept in it, its holder could show no sign of life."""
    toml = shop.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.sqlite]", 'lease = "0.5s"\n[stores.sqlite]'))
    count = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 8000000) select count(*) from n"
    (shop.root / "sqlite" / "0003_long.yaml").write_text(
        f"up:\n  - sql: {{run: create table long as {count}, undo: drop table long}}\ndown: auto\n"
    )

    ran = shop("up", "-o", "json")

    long = json.loads(ran.out)["applied"][-1]
    assert (ran.code, long["id"], rows(shop, "select * from long")) == (0, "sqlite/0003", [(8_000_000,)])
    assert rows(shop, "select duration_ms > 500 from provision_ledger where revision = 'sqlite/0003'") == [(1,)]


def test_a_statement_that_is_refused_leaves_nothing_of_its_revision(shop: Shop) -> None:
    broken = "  - sql: {run: create table a (x int)}\n  - sql: {run: insert into b values (1)}\n"
    (shop.root / "sqlite" / "0003_broken.yaml").write_text(f"up:\n{broken}down: {{irreversible: it adds up}}\n")

    ran = shop("up", "--allow-destructive")

    assert (ran.code, "a" in tables(shop)) == (5, False)
    assert "error[statement-failed]: no such table: b" in ran.err
    assert "sqlite/0003_broken.yaml: statement 2: insert into b values (1); nothing of it was kept" in ran.err
    assert [each["state"] for each in revisions(shop("status", "-o", "json"))] == ["applied", "applied", "failed"]


def test_a_revision_is_one_transaction_and_cannot_end_it(shop: Shop) -> None:
    (shop.root / "sqlite" / "0003_end.yaml").write_text("up:\n  - sql: {run: commit, undo: begin}\ndown: auto\n")

    ran = shop("up")

    assert ran.code == 2
    assert "COMMIT may not stand here: a revision is one transaction" in ran.err
    assert "sqlite/0003_end.yaml:2" in ran.err


def test_the_shell_completes_its_names(shop: Shop) -> None:
    assert shop.completed("up", "--only", "sq") == ["sqlite"]
    assert shop.completed("up", "sq") == ["sqlite/0001", "sqlite/0002"]
    assert shop.completed("schema", "sq") == ["sqlite"]
    assert shop.completed("new", "") == ["sqlite"]


def test_doctor_looks_at_it(shop: Shop) -> None:
    first = shop("doctor")
    shop("up")
    found = json.loads(shop("doctor", "-o", "json").out)["findings"]

    assert first.code == 0
    said = {each["rule"]: each["message"] for each in found if each["place"] == "sqlite"}
    assert said["writable"].endswith("shop.db can be written")
    assert said["ledger"] == "the ledger can be read: 2 entries"
    assert said["lease"] == "the run lock is free"


def test_schema_prints_what_its_documents_may_hold(shop: Shop) -> None:
    printed = json.loads(shop("schema", "sqlite").out)

    assert sorted(printed["$defs"]["operation"]["properties"]) == ["sql"]
    assert "sqlite" in shop("schema", "postgres").err  # it has none; those that have are named


def test_schema_of_checks_holds_those_of_every_kind(shop: Shop) -> None:
    assert "accepted_values" in shop("schema", "checks").out


@pytest.mark.parametrize(
    ("amounts", "bad"),
    [
        ((1, 2), {}),
        ((1, None, 0), {"amounts": [{"id": 2}], "sizes": [{"id": 3, "amount": "•••"}]}),
    ],
    ids=["fine", "bad"],
)
def test_validate_counts_bad_rows(shop: Shop, amounts: tuple[int | None, ...], bad: dict[str, object]) -> None:
    (shop.root / "checks").mkdir()
    (shop.root / "checks" / "orders.yaml").write_text(SUITE)
    shop("up")
    for each in amounts:
        rows(shop, f"insert into orders (amount) values ({'null' if each is None else each})")

    ran = shop("validate", "-o", "json")

    results = {each["check"]: each for each in json.loads(ran.out)["results"]}
    assert {name: each["samples"] for name, each in results.items() if each["bad"]} == bad
    assert {each["total"] for each in results.values()} == {len(amounts)}
    assert ran.code == (1 if bad else 0)


def test_validate_of_a_time_alone_reads_no_other_rows(shop: Shop) -> None:
    (shop.root / "checks").mkdir()
    (shop.root / "checks" / "orders.yaml").write_text(SUITE)
    shop("up")
    rows(shop, "insert into orders values (1, null, '2026-01-01 10:00:00'), (2, 1, '2026-02-01T10:00:00Z')")

    ran = shop("validate", "--since", "2026-01-15", "-o", "json")

    assert (ran.code, {each["total"] for each in json.loads(ran.out)["results"]}) == (0, {1})


def test_validate_names_what_the_table_has_not(expected: Expected, shop: Shop) -> None:
    (shop.root / "checks").mkdir()
    (shop.root / "checks" / "orders.yaml").write_text(SUITE.replace("not_null: amount", "not_null: amont"))
    shop("up")

    ran = shop("validate")

    assert ran.code == 2
    expected(ran.err)


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("sqlite:///", 2, "error[bad-url]: the url of sqlite names no file"),
        ("mysql://x/y", 2, "error[bad-url]: the url of sqlite names no file"),
        ("sqlite:///gone/shop.db", 2, "error[bad-url]: there is no folder PROJECT/gone"),
        ("sqlite:///provision.toml", 4, "error[unreachable]: SQLite: file is not a database"),
    ],
)
def test_a_url_that_names_no_database_is_refused(shop: Shop, url: str, code: int, said: str) -> None:
    toml = shop.root / "provision.toml"
    toml.write_text(toml.read_text().replace("sqlite:///shop.db", url))

    ran = shop("up")

    assert (ran.code, ran.err.split("\n")[0]) == (code, said)
    assert len(ran.err.split("\n")) == 4
    assert sorted(each.name for each in shop.root.iterdir()) == ["provision.toml", "sqlite"]

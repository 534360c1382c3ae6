"""Checks, backfills, windows and jobs on one database: what is wrong is written as the fix says, and it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backfill import project
from tests.fixes import steady
from tests.fixes.steady import Case, Steady
from tests.servers.command_line import Provision

HEAD = "store: postgres\ntable: orders\nchecks:\n  - {name: one, "
GOOD = HEAD + "not_null: tenant}\n"
S = "checks/s.yaml"
SOURCE = "backfills/source.yaml"
VALIDATE = "validate s --no-history"
RUN = "backfill run source"
SUGGEST = "validate suggest orders --store postgres --to"


def check(code: str, body: str, words: str, then: str, **more: str) -> Case:
    """A suite whose one check is corrected."""
    return Case(code, VALIDATE, words, {S: HEAD + body}, {S: HEAD + then}, **more)  # type: ignore[arg-type]


def line(code: str, wrong: str, words: str, right: str) -> Case:
    """A command line that is corrected, over a suite that holds."""
    return Case(code, wrong, words, {S: GOOD}, right=right)


def filled(code: str, old: str, new: str, words: str, then: str = "", **more: str) -> Case:
    """A backfill that is corrected."""
    right = project.SOURCE.replace(old, then) if then else project.SOURCE
    wrong = project.SOURCE.replace(old, new)
    assert wrong != project.SOURCE, old
    return Case(code, RUN, words, {SOURCE: wrong}, {SOURCE: right}, **more)  # type: ignore[arg-type]


TABLE = "table: orders"
VIEW = "create view latest as select * from orders"
SECURE = "alter table orders enable row level security; create policy none on orders using (false);"
READER = (
    "create role READER login; grant select, update on orders, alembic_version to READER;"
    " grant usage, create on schema provision to READER; grant all on all tables in schema provision to READER;"
)
GONE = "drop owned by READER; drop role READER"
OPEN = "drop policy none on orders; alter table orders disable row level security;"
PARTED = (
    "create table parted (at timestamptz not null, id int) partition by range (at);"
    "create materialized view bare as select 1 as one"
)
PARTITIONS = "store: postgres\ntable: parted\ncolumn: at\ninterval: 1 month\n"
P = "partitions/parted.yaml"
FAILS = (
    "create function one() returns int language sql as 'select 1'; create materialized view fails as select one() as a;"
    " create unique index on fails (a); create or replace function one() returns int language sql as 'select 1 / 0'"
)
LIST, ENSURE = "partitions list", "partitions ensure"
JOB = "jobs:\n  j: {{store: postgres, every: hour, {}}}\n"
M = "maintain.yaml"
JOBS = "maintain run"
UNPARTED = "drop table if exists parted cascade; drop materialized view bare; drop function if exists one() cascade"

NOTES = "backfills/notes.py"
CODE = """store = "postgres"


def collection():
    return {"table": "orders", "key": "n", "where": "note <> upper(note)", "columns": ["note"]}


def process(batch):
    for row in batch.rows:
        batch.execute("update orders set note = %s where n = %s", (row["note"].upper(), row["n"]))
"""
LEDGER = "grant usage on schema provision to READER; grant select on all tables in schema provision to READER"
RIGHTS = [
    Case("not-allowed", "history", LEDGER, sql="create role READER login", user="READER", cure=LEDGER, after=GONE),
    Case(
        "not-allowed",
        "status",
        "grant select on alembic_version to READER",
        sql=f"create role READER login; {LEDGER}",
        user="READER",
        cure="grant select on alembic_version to READER",
        after=GONE,
    ),
]
RANGED = (
    "create table ranged (like orders) partition by list (tenant); alter table ranged add primary key (n, tenant);"
    "create table ranged_all partition of ranged default"
)
CHECKS = [
    Case("no-suites", "validate --no-history", "", {}, {S: GOOD}),
    Case("empty-suite", "validate --no-history", "write its store", {S: ""}, {S: GOOD}),
    line("unknown-suite", "validate ss --no-history", "did you mean s?", VALIDATE),
    line("no-such-check", f"{VALIDATE} --only two", "one", f"{VALIDATE} --only one"),
    line("bad-moment", f"{VALIDATE} --since yesterday", "24h", VALIDATE),
    line("unknown-report", f"{VALIDATE} --report r.pdf", ".html", f"{VALIDATE} --report r.html"),
    line("report-lost", f"{VALIDATE} --report no/r.html", "", f"{VALIDATE} --report r.html"),
    line("suite-exists", f"{SUGGEST} checks/s.yaml", "name another file", f"{SUGGEST} checks/other.yaml"),
    line("suite-lost", f"{SUGGEST} provision.toml/s.yaml", "choose another place", f"{SUGGEST} third.yaml"),
    line("nothing-to-check", f"{VALIDATE} --since 24h", "leave the option out", VALIDATE),
    check("unknown-column", "bad: emial = 'x'}", "", "bad: tenant = 'x'}"),
    check("bad-expression", "bad: n}", "compare it with something", "bad: n < 0}"),
    Case(
        "no-privilege",
        VALIDATE,
        "grant select on orders",
        {S: GOOD},
        sql="create role READER login",
        user="READER",
        cure="grant select on orders to READER",
        after=GONE,
    ),
    Case(
        "hidden-rows",
        VALIDATE,
        "",
        {S: GOOD},
        sql=READER + SECURE,
        user="READER",
        cure="alter role READER bypassrls",
        after=OPEN + GONE,
    ),
]
BACKFILLS = [
    Case("duplicate-backfill", RUN, "rename one", {"backfills/source.py": ""}, {"backfills/source.py": None}),
    Case("empty-backfill", RUN, "", {SOURCE: ""}, {SOURCE: project.SOURCE}),
    Case(
        "bad-code",
        "backfill run notes",
        "define collection()",
        {NOTES: CODE.replace("def process", "def other")},
        {NOTES: CODE},
    ),
    filled("not-a-table", TABLE, "table: latest", "name the table", sql=VIEW, after="drop view latest"),
    filled(
        "key-missing",
        TABLE,
        "table: plain",
        "create a unique index on plain first",
        sql="create table plain (like orders including defaults)",
        after="drop table plain",
    ),
    filled("key-not-unique", TABLE, f"{TABLE}\nkey: tenant", "[n]", f"{TABLE}\nkey: n"),
    filled(
        "key-nullable",
        TABLE,
        f"{TABLE}\nkey: n",
        "NOT NULL",
        f"{TABLE}\nkey: id",
        sql="alter table orders alter n drop not null",
        after="alter table orders alter n set not null",
    ),
    filled(
        "order-impossible",
        TABLE,
        "table: ranged\norder: physical",
        "write `order: key`",
        "table: ranged\norder: key",
        sql=RANGED,
        after="drop table ranged",
    ),
    filled(
        "row-security", TABLE, f"{TABLE}\n", "owner of the table", sql=READER + SECURE, user="READER", after=OPEN + GONE
    ),
]
WINDOWS = [
    Case("unknown-partitions", f"{LIST} parts", "did you mean parted?", {P: PARTITIONS}, right=f"{ENSURE} parted"),
    Case("empty-partitions", LIST, "", {P: ""}, {P: PARTITIONS}, right=ENSURE),
    Case(
        "bad-partitions",
        LIST,
        "",
        {P: PARTITIONS + "retain: 1 day\n"},
        {P: PARTITIONS + "retain: 1 month\n"},
        right=ENSURE,
    ),
    Case("wrong-table", ENSURE, "", {P: PARTITIONS.replace("parted", "orders")}, {P: PARTITIONS}, right=ENSURE),
    Case("no-maintain", JOBS, "", {}, {M: JOB.format("analyze: [parted]")}),
    Case("bad-job", JOBS, "", {M: JOB.format("on: monday, analyze: all")}, {M: JOB.format("analyze: all")}),
    Case("unknown-job", f"{JOBS} jj", "did you mean j?", {M: JOB.format("analyze: all")}, right=f"{JOBS} j"),
    Case(
        "job-failed",
        JOBS,
        "see to the cause, then `provision maintain run j --env test`",
        {M: JOB.format("refresh: [fails]")},
        sql=FAILS,
        cure="create or replace function one() returns int language sql as 'select 1'",
        right=f"{JOBS} j",
    ),
    Case(
        "convert-refused",
        "partitions convert w --as-of 2026-11-30",
        "",
        {"partitions/w.yaml": PARTITIONS.replace("parted", "w")},
        sql="create table w (at text)",
        cure="alter table w alter at type timestamptz using null",
        after="drop table w cascade",
    ),
    Case(
        "window-refused",
        ENSURE,
        "run it as the owner of the table",
        {P: PARTITIONS},
        sql=f"create role READER login; {LEDGER}",
        user="READER",
        after=GONE,
    ),
    Case("no-unique-index", JOBS, "", {M: JOB.format("refresh: [bare]")}, cure="create unique index on bare (one)"),
]


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory, postgres_18: str) -> Iterator[Steady]:
    place = tmp_path_factory.mktemp("shop")
    made = steady.lay_out(place, postgres_18)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SHOP_POSTGRES", made.url)
        steady.begin(made)
        yield made


@pytest.mark.parametrize("case", [*RIGHTS, *CHECKS, *BACKFILLS, *WINDOWS], ids=lambda case: case.code)
def test_document_is_written_as_the_fix_says(
    orders: Steady, provision: Provision, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    monkeypatch.chdir(orders.place)
    if case in WINDOWS:
        case = case._replace(sql=f"{PARTED};{case.sql}", after=f"{UNPARTED};{case.after}")
    steady.follow(orders, provision, case, lambda url: monkeypatch.setenv("SHOP_POSTGRES", url))

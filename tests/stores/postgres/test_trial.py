"""What rules of lint predict of locks, rewrites and scans is what PostgreSQL does to tables with rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.flows.predictions import CONFIRMED, REFUTED, judged, strongest
from provision.model import StoreOptions
from provision.model.lint import LintFinding
from provision.model.trial import RevisionSeen
from provision.stores.postgres.lint import trial
from provision.stores.postgres.lint.reader import PostgresReader
from tests.lint import pages

MADE = """
create type mood as enum ('good', 'bad');
create table users (id int primary key, name varchar(8) not null);
create table orders (
    id int primary key generated always as identity, user_id int references users, total int, number numeric(4, 1),
    mood mood not null, note varchar(20), status text not null check (status in ('new', 'paid')), key uuid unique,
    share numeric check (share between 0 and 1), at timestamptz not null, tags text[] not null, body jsonb not null
);
create table audit (id int) partition by range (id);
"""
PREDICTS = {each.rule.name: each.rule.predicts for each in pages.every() if each.rule.predicts}
MORE = (
    ("column-type-change", "ALTER TABLE orders ALTER COLUMN total TYPE numeric;"),
    ("column-type-change", "ALTER TABLE orders ALTER COLUMN number TYPE numeric(5, 2);"),
    ("volatile-default", "ALTER TABLE orders ADD COLUMN made timestamptz DEFAULT clock_timestamp();"),
    ("index-not-concurrent", "CREATE UNIQUE INDEX ON orders (total, id);"),
    ("constraint-without-not-valid", "ALTER TABLE orders ADD FOREIGN KEY (total) REFERENCES users (id);"),
    ("key-builds-index", "ALTER TABLE orders ADD UNIQUE (number, id);"),
    ("update-whole-table", "UPDATE orders SET note = 'x';"),
    ("rename-in-use", "ALTER TABLE orders RENAME TO purchases;"),
    ("set-not-null", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL, ALTER COLUMN total SET DEFAULT 1;"),
)
CORPUS = [*((rule, pages.example(rule, "Instead of")) for rule in PREDICTS), *MORE]


# PostgreSQL writes nothing anew for these, and lint cannot know it.
REFUTED_ONES = (
    ("column-type-change", "ALTER TABLE orders ALTER COLUMN at TYPE timestamp;"),  # where the session's zone is UTC
)


@pytest.fixture
def database(postgres_18: str) -> Iterator[str]:
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("drop database if exists tried_out")
        connection.execute("create database tried_out")
        url = urlsplit(postgres_18)._replace(path="/tried_out").geturl()
        with psycopg.connect(url, autocommit=True) as made:
            made.execute(MADE.encode())
        yield url
        connection.execute("drop database tried_out with (force)")


def seen(url: str, text: str) -> tuple[RevisionSeen, list[LintFinding]]:
    script = PostgresReader().plain({"1.txt": text})[0]
    units = tuple(replace(each, in_transaction=True) for each in script.units if each.name != "TransactionStmt")
    options = StoreOptions("postgres", "postgres", "vfr", Path(), Path())
    with closing(trial.session(options, url)) as session:
        found = session.tried(replace(script, units=units))
    return found, pages.found("postgres", [text], complete=False)


@pytest.mark.parametrize(("rule", "text"), CORPUS, ids=[f"{each[0]}-{n}" for n, each in enumerate(CORPUS)])
def test_prediction_is_what_is_seen(database: str, rule: str, text: str) -> None:
    if text.startswith("DROP INDEX"):
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("create index orders_by_user on orders (user_id)")
    found, findings = seen(database, text)
    judgements = [each for each in judged(findings, PREDICTS, {"1.txt": found}) if each.rule == rule]
    assert judgements, findings
    assert {each.verdict for each in judgements} == {CONFIRMED}, (judgements, found)


@pytest.mark.parametrize(("rule", "text"), REFUTED_ONES)
def test_prediction_that_does_not_come_true_is_refuted(database: str, rule: str, text: str) -> None:
    found, findings = seen(database, text)
    [judgement] = [each for each in judged(findings, PREDICTS, {"1.txt": found}) if each.rule == rule]
    assert (judgement.verdict, judgement.seen) == (REFUTED, "public.orders: AccessExclusiveLock")


def test_trial_leaves_nothing_and_tells_the_strongest_lock(database: str) -> None:
    found, _ = seen(database, "ALTER TABLE orders ADD COLUMN x int; CREATE INDEX ON users (name); DROP TABLE audit;")
    locks = {table: lock for table, (lock, _) in strongest(found).items()}
    assert locks == {
        "public.orders": "AccessExclusiveLock",
        "public.users": "ShareLock",
        "public.audit": "AccessExclusiveLock",
    }
    assert all(held > 0 for _, held in strongest(found).values())
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (0,)
        assert connection.execute("select count(*) from pg_attribute where attname = 'x'").fetchone() == (0,)


def test_revision_that_rows_do_not_stand_is_told_and_tried_without_them(database: str) -> None:
    found, _ = seen(database, "ALTER TABLE orders ADD COLUMN x int NOT NULL;")
    assert "contains null values" in found.failed
    assert [table.rows for each in found.statements for table in each.tables] == [0]


def test_statement_that_takes_long_is_given_up(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PATIENCE", trial.PATIENCE.replace("'5s'", "'50ms'"))
    found, _ = seen(database, "ALTER TABLE orders ADD COLUMN x int; SELECT pg_sleep(9);")
    assert found.statements == ()
    assert "statement timeout" in found.not_seen[0][1]

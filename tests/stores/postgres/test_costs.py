"""What statements cost on sample rows: what they read, and what their commit gives back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.model import StoreOptions
from provision.model.stats import RevisionCost
from provision.stores.postgres.lint.cost import LARGE, cost
from provision.stores.postgres.lint.reader import PostgresReader

ROWS = {"public.orders": LARGE}


@pytest.fixture
def database(postgres_18: str) -> Iterator[str]:
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("create database costs")
        url = urlsplit(postgres_18)._replace(path="/costs").geturl()
        with psycopg.connect(url, autocommit=True) as made:
            made.execute("create table orders (id int primary key, units int not null, note text)")
        yield url
        connection.execute("drop database costs with (force)")


def costs(url: str, text: str) -> RevisionCost:
    script = PostgresReader().plain({"1.sql": text})[0]
    options = StoreOptions("postgres", "postgres", "vfr", Path(), Path())
    found = cost(options, url, script, ROWS)
    assert found is not None
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "select (select count(*) from orders), to_regnamespace('provision_cost') is null"
        ).fetchone()
    assert left == (0, True)  # all of it is taken back
    return found


def test_dropped_or_rewritten_table_is_given_back_by_the_commit(database: str) -> None:
    for text in ("drop table orders", "alter table orders alter units type bigint"):
        found = costs(database, text)
        assert [each.freed for each in found.statements] == [("public.orders",)]
        assert found.freed_ms > 0
    assert costs(database, "alter table orders add more int").freed_ms == 0


def test_rule_that_ordinary_numbers_break_is_measured_on_small_ones(database: str) -> None:
    rule = "alter table orders add constraint few check (units < 100) not valid"
    added, validated = costs(database, f"{rule}; alter table orders validate constraint few").statements
    assert not added.not_measured
    assert not validated.not_measured
    assert validated.rows == {"public.orders": LARGE - LARGE // 40}


def test_rule_that_no_made_up_row_keeps_is_named(database: str) -> None:
    [found] = costs(database, "alter table orders add check (note = 'paid')").statements
    assert "violated by some row" in found.not_measured

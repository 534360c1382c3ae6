"""What `doctor` says of row security and of constraints that were never proved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.model import Severity, StoreOptions
from provision.stores.postgres.setup.health import look

MAKE = """
create table held (tenant text, n integer);
alter table held enable row level security;
create table odd (n integer);
insert into odd values (-1);
alter table odd add constraint chk_n check (n > 0) not valid;
"""


@pytest.fixture
def pg(postgres_15: str) -> Iterator[str]:
    """The url of an empty database of this test's own."""
    with psycopg.connect(postgres_15, autocommit=True) as connection:
        connection.execute("create database health_rows")
        yield urlsplit(postgres_15)._replace(path="/health_rows").geturl()
        connection.execute("drop database health_rows with (force)")


def found(url: str, tmp_path: Path, rule: str, **extra: object) -> list[tuple[Severity, str, str]]:
    options = StoreOptions("postgres", "postgres", "shop", tmp_path / "alembic", tmp_path, extra)
    return [(each.severity, each.message, each.fix) for each in look(options, url, home=True) if each.rule == rule]


def test_owner_that_is_not_bound_is_told(pg: str, tmp_path: Path) -> None:
    with psycopg.connect(pg, autocommit=True) as connection:
        connection.execute(MAKE)
    ((severity, message, fix),) = found(pg, tmp_path, "row-security")
    assert (severity, message) == (Severity.WARNING, "row security does not bind the owner of held")
    with psycopg.connect(pg, autocommit=True) as connection:
        connection.execute(fix.split("`")[1].encode())
    ((severity, _, _),) = found(pg, tmp_path, "row-security")
    assert severity is Severity.FINE


def test_user_that_is_bound_is_told_which_role_is_not(pg: str, tmp_path: Path) -> None:
    with psycopg.connect(pg, autocommit=True) as connection:
        connection.execute(MAKE)
        connection.execute("create role bound_user; create role past_user bypassrls; grant past_user to bound_user")
        connection.execute("alter table held owner to bound_user; alter table held force row level security")
        try:
            ((severity, message, fix),) = found(pg, tmp_path, "row-security", role="bound_user")
            assert severity is Severity.WARNING
            assert message.startswith("row security hides rows of held from this user")
            assert fix == 'role = "past_user" in [stores.postgres]'
            connection.execute("revoke past_user from bound_user")
            ((_, _, fix),) = found(pg, tmp_path, "row-security", role="bound_user")
            connection.execute(fix.split("`")[1].encode())
            ((severity, _, _),) = found(pg, tmp_path, "row-security", role="bound_user")
            assert severity is Severity.FINE
        finally:
            connection.execute("drop owned by bound_user cascade; drop role bound_user, past_user")


def test_constraint_that_was_never_proved_is_named(pg: str, tmp_path: Path) -> None:
    with psycopg.connect(pg, autocommit=True) as connection:
        connection.execute(MAKE)
        ((severity, message, fix),) = found(pg, tmp_path, "constraints")
        assert (severity, message) == (Severity.WARNING, "not proved for rows from before: odd.chk_n")
        statement = fix.split("`")[1].encode()
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(statement)
        connection.execute("delete from odd")
        connection.execute(statement)
    assert found(pg, tmp_path, "constraints") == []

"""A user of PostgreSQL who may do no more than a migration needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.expected import Expected
from tests.servers.command_line import Provision

_GRANTS = """
grant create on schema public to {name};
grant usage on schema provision to {name};
grant select, insert, update on all tables in schema provision to {name};
alter table alembic_version owner to {name};
alter table accounts owner to {name};
"""


@pytest.fixture
def limited(small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Role `limited` in the url of the project, which owns nothing; lends the owner's connection."""
    owned = os.environ["SMALL_POSTGRES"]
    split = urlsplit(owned)
    with psycopg.connect(owned, autocommit=True) as connection:
        connection.execute("create role limited login")
        monkeypatch.setenv(
            "LIMITED_POSTGRES", urlunsplit(split._replace(netloc=f"limited@{split.netloc.split('@')[-1]}"))
        )
        yield connection
        connection.execute("drop owned by limited; drop role limited")
    assert small.exists()


def test_who_may_create_no_schema_runs_what_is_left(
    provision: Provision, limited: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provision("up", "--only", "postgres", "--steps", 1).code == 0
    limited.execute(_GRANTS.format(name="limited").encode())
    monkeypatch.setenv("SMALL_POSTGRES", os.environ["LIMITED_POSTGRES"])

    ran = provision("up", "postgres/0002", "--only", "postgres")

    assert (ran.code, ran.err) == (0, "")
    owners = limited.execute("select tablename, tableowner from pg_tables where tablename = 'orders'").fetchall()
    assert owners == [("orders", "limited")]


@pytest.mark.usefixtures("limited")
def test_who_cannot_make_the_ledger_is_told_what_to_grant(
    expected: Expected, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_POSTGRES", os.environ["LIMITED_POSTGRES"])

    ran = provision("up", "postgres/0002", "--only", "postgres")

    assert ran.code == 2
    expected(ran.err)

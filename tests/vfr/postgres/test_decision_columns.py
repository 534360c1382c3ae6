"""Migration 6.1 on a table that holds rows: columns at once, checks for new rows, then proof for old ones."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
import sqlalchemy.exc

from . import migrations
from .rows import insert, insert_base, refused, scalar
from .servers import Server


@pytest.fixture
def populated(server: Server, database: str) -> Iterator[psycopg.Connection]:
    migrations.upgrade(server.url(database), "0008")
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        insert_base(connection)
        insert(connection, "trading_decisions")
        yield connection


def test_columns_are_added_without_rewriting_the_table(populated: psycopg.Connection) -> None:
    query = "SELECT pg_relation_filenode('trading_decisions')"
    before = scalar(populated, query)
    migrations.upgrade(populated.info.dsn and _url(populated), "0011")
    assert scalar(populated, query) == before
    assert scalar(populated, "SELECT aggregated_confidence FROM trading_decisions") is None


def test_checks_bind_new_rows_first_and_refuse_old_ones_at_validation(populated: psycopg.Connection) -> None:
    url = _url(populated)
    migrations.upgrade(url, "0009")
    insert(populated, "trading_decisions", aggregated_confidence=Decimal("9.9"))
    migrations.upgrade(url, "0010")
    with refused(populated, "chk_aggregated_confidence"):
        insert(populated, "trading_decisions", aggregated_confidence=Decimal("9.9"))

    with pytest.raises(sqlalchemy.exc.IntegrityError, match="chk_aggregated_confidence"):
        migrations.upgrade(url, "0011")
    assert scalar(populated, "SELECT version_num FROM alembic_version") == "0010"

    populated.execute("UPDATE trading_decisions SET aggregated_confidence = NULL")
    migrations.upgrade(url, "0011")
    unproved = scalar(populated, "SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
    assert unproved == 0


def _url(connection: psycopg.Connection) -> str:
    info = connection.info
    return f"postgresql://{info.user}@/{info.dbname}?host={info.host}"

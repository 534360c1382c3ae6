"""D2 with pg_partman 4.7.2 of Debian: the document's call and names fail there; our windows need no pg_partman.

Every test is one transaction, rolled back, of a database at the head with pg_partman in a schema of its own.
"""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.servers.required import not_run

from . import migrations
from .rows import scalar
from .test_d1_partitions import bounds, expected, windows

DATABASE = "partman_defects"
TEMPLATE = "trading_decisions_probabilistic_template"
BY_HAND = {
    "trading_decisions_probabilistic_2024_01": ("2024-01-01", "2024-02-01"),
    "trading_decisions_probabilistic_2024_02": ("2024-02-01", "2024-03-01"),
}
# The document's own template copies a serial key, which is a defect of its own.
PARENT = "CREATE TABLE {} (id bigint, timestamp timestamptz NOT NULL, PRIMARY KEY (id, timestamp))"
SEED = (
    f"SELECT partman.create_parent(p_parent_table => 'public.{TEMPLATE}', p_control => 'timestamp',"
    " p_type => 'range', p_interval => 'monthly')"
)
MAINTAIN = "SELECT partman.run_maintenance()"


@pytest.fixture(scope="module")
def head(postgres_15: str) -> Iterator[psycopg.Connection]:
    url = make_conninfo(postgres_15, dbname=DATABASE)
    with psycopg.connect(postgres_15, autocommit=True) as server:
        if scalar(server, "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'") == 0:
            not_run("pg_partman of PostgreSQL 15", "apt-get install postgresql-15-partman", "postgres")
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            migrations.upgrade(postgres_15.replace("/postgres?", f"/{DATABASE}?"))
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE SCHEMA partman")
                connection.execute("CREATE EXTENSION pg_partman SCHEMA partman")
                yield connection
        finally:
            server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def partitioned(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f"{PARENT.format(name)} PARTITION BY RANGE (timestamp)")


def by_hand(connection: psycopg.Connection, parent: str, names: dict[str, tuple[str, str]]) -> None:
    for name, (first, last) in names.items():
        connection.execute(f"CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ('{first}') TO ('{last}')")


def refused(connection: psycopg.Connection, statement: str, state: str) -> str:
    with pytest.raises(psycopg.Error) as caught, connection.transaction():
        connection.execute(statement)
    assert caught.value.sqlstate == state
    return str(caught.value.diag.message_primary).splitlines()[0]


@pytest.fixture
def template(connection: psycopg.Connection) -> psycopg.Connection:
    """The document's template, with both of its hand-named months."""
    assert scalar(connection, "SELECT extversion FROM pg_extension WHERE extname = 'pg_partman'") == "4.7.2"
    partitioned(connection, TEMPLATE)
    by_hand(connection, TEMPLATE, BY_HAND)
    return connection


@pytest.fixture
def sets(template: psycopg.Connection) -> psycopg.Connection:
    """The template and a table `other`, both kept by pg_partman called rightly; `other` lacks its last month."""
    partitioned(template, "other")
    for parent in (TEMPLATE, "other"):
        template.execute(SEED.replace("'range'", "'native'").replace(f".{TEMPLATE}'", f".{parent}'"))
    template.execute("UPDATE partman.part_config SET infinite_time_partitions = true")
    template.execute(f"DROP TABLE {months(template, 'other')[-1]}")
    return template


def months(connection: psycopg.Connection, parent: str) -> list[str]:
    return [name for name, bound in bounds(connection, parent) if bound != "DEFAULT"]


def test_37_create_parent_of_the_document_is_refused(template: psycopg.Connection) -> None:
    assert refused(template, SEED, "P0001") == "range is not a valid partitioning type for pg_partman"
    assert months(template, TEMPLATE) == [*BY_HAND]


def test_37_windows_of_ours_are_made_on_that_template(template: psycopg.Connection) -> None:
    assert scalar(template, f"SELECT create_monthly_partitions('{TEMPLATE}')") == 16
    made = [each for each in bounds(template, TEMPLATE) if each[0] not in BY_HAND]
    assert made == expected(template, TEMPLATE)
    assert scalar(template, "SELECT count(*) FROM partman.part_config") == 0


def test_38_names_of_the_document_stop_the_maintenance_of_every_table(sets: psycopg.Connection) -> None:
    before = months(sets, "other")
    assert refused(sets, MAINTAIN, "P0001") == 'invalid value "roba" for "YYYY"'
    assert months(sets, "other") == before
    # The names alone are the cause: with ours, which are those of pg_partman too, months come again.
    for name in BY_HAND:
        sets.execute(f"ALTER TABLE {name} RENAME TO {name.replace('_2024', '_p2024')}")
    sets.execute(MAINTAIN)
    assert months(sets, "other")[: len(before)] == before
    assert len(months(sets, "other")) > len(before)


def test_38_windows_of_ours_are_made_beside_such_names(sets: psycopg.Connection) -> None:
    by_hand(sets, "ml_predictions", {"ml_predictions_2024_01": BY_HAND["trading_decisions_probabilistic_2024_01"]})
    refused(sets, MAINTAIN, "P0001")
    calls = [scalar(sets, "SELECT create_monthly_partitions('ml_predictions', 3, 13)") for _ in range(2)]
    assert calls == [1, 0]
    assert bounds(sets, "ml_predictions")[1:] == expected(sets, "ml_predictions", 3, 13)
    assert months(sets, "ml_predictions")[0] == "ml_predictions_2024_01"


def test_38_a_month_that_is_taken_under_another_name_is_refused_and_nothing_is_made(
    template: psycopg.Connection,
) -> None:
    ((first, last),) = windows(template, 0, 0)
    by_hand(template, TEMPLATE, {f"{TEMPLATE}_now": (first.isoformat(), last.isoformat())})
    before = bounds(template, TEMPLATE)
    assert "would overlap" in refused(template, f"SELECT create_monthly_partitions('{TEMPLATE}')", "42P17")
    assert bounds(template, TEMPLATE) == before

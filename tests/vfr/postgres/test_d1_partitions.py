"""D1: monthly partitions with bounds in UTC, made and dropped by functions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ..factories.postgres import insert, insert_ml_base
from . import migrations
from .rows import scalar
from .servers import Server

PARENTS = {
    "ml_enhancement_store": "timestamp",
    "ml_predictions": "prediction_timestamp",
    "ml_feature_store": "timestamp",
}
BOUNDS = """
    SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = %s::regclass ORDER BY relname
"""
TRIAL = "CREATE TABLE trial (t timestamptz NOT NULL, n integer) PARTITION BY RANGE (t)"


def month(today: datetime, ahead: int) -> datetime:
    """The first moment of the month that is `ahead` months after that of `today`, in UTC."""
    year, index = divmod(today.year * 12 + today.month - 1 + ahead, 12)
    return datetime(year, index + 1, 1, tzinfo=UTC)


def windows(connection: psycopg.Connection, back: int = 3, ahead: int = 12) -> list[tuple[datetime, datetime]]:
    today = scalar(connection, "SELECT now()")
    assert isinstance(today, datetime)
    today = today.astimezone(UTC)
    return [(month(today, n), month(today, n + 1)) for n in range(-back, ahead + 1)]


def bounds(connection: psycopg.Connection, parent: str) -> list[tuple[str, str]]:
    connection.execute("SET LOCAL timezone = 'UTC'")
    return connection.execute(BOUNDS, [parent]).fetchall()


def expected(connection: psycopg.Connection, parent: str, back: int = 3, ahead: int = 12) -> list[tuple[str, str]]:
    form = "%Y-%m-%d %H:%M:%S+00"
    return [
        (f"{parent}_p{first:%Y_%m}", f"FOR VALUES FROM ('{first.strftime(form)}') TO ('{last.strftime(form)}')")
        for first, last in windows(connection, back, ahead)
    ]


@pytest.mark.parametrize("parent", PARENTS)
def test_windows_reach_from_three_months_back_to_twelve_ahead(connection: psycopg.Connection, parent: str) -> None:
    assert bounds(connection, parent) == expected(connection, parent)
    assert scalar(connection, "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = %s::regclass", parent) == 0


@pytest.mark.parametrize("parent", PARENTS)
def test_every_window_takes_rows_from_its_first_to_its_last_moment(connection: psycopg.Connection, parent: str) -> None:
    insert_ml_base(connection)
    column = PARENTS[parent]
    reach = windows(connection)
    for first, last in reach:
        insert(connection, parent, **{column: first})
        insert(connection, parent, **{column: last - timedelta(microseconds=1)})
    query = f"SELECT tableoid::regclass::text, count(*) FROM {parent} GROUP BY 1 ORDER BY 1"
    assert connection.execute(query).fetchall() == [(name, 2) for name, _ in expected(connection, parent)]
    for outside in (reach[0][0] - timedelta(microseconds=1), reach[-1][1]):
        with pytest.raises(psycopg.errors.CheckViolation, match="no partition of relation"), connection.transaction():
            insert(connection, parent, **{column: outside})


def test_indexes_of_a_partition_are_those_of_the_parent(connection: psycopg.Connection) -> None:
    query = """
        SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indrelid
        WHERE relispartition AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
    """
    assert scalar(connection, query) == 0
    for parent in PARENTS:
        per_table = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
        leaf = expected(connection, parent)[0][0]
        assert scalar(connection, per_table, leaf) == scalar(connection, per_table, parent)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("style", ["ISO, MDY", "SQL, DMY"])
def test_bounds_are_equal_from_every_session(connection: psycopg.Connection, zone: str, style: str) -> None:
    connection.execute(TRIAL)
    connection.execute(f"SET LOCAL timezone = '{zone}'")
    connection.execute(f"SET LOCAL datestyle = '{style}'")
    assert scalar(connection, "SELECT create_monthly_partitions('trial', 1, 1)") == 3
    connection.execute("SET LOCAL datestyle = 'ISO'")
    assert bounds(connection, "trial") == expected(connection, "trial", 1, 1)


def test_second_run_from_another_zone_makes_only_what_is_missing(connection: psycopg.Connection) -> None:
    connection.execute(TRIAL)
    assert scalar(connection, "SELECT create_monthly_partitions('trial')") == 16
    connection.execute("SET LOCAL timezone = 'America/New_York'")
    assert scalar(connection, "SELECT create_monthly_partitions('trial')") == 0
    assert scalar(connection, "SELECT create_monthly_partitions('trial', 120, 13)") == 118
    assert bounds(connection, "trial") == expected(connection, "trial", 120, 13)


def test_names_that_need_quotes_and_other_schemas_work(connection: psycopg.Connection) -> None:
    connection.execute('CREATE SCHEMA "Trial.s"')
    connection.execute('CREATE TABLE "Trial.s"."Daily" (t date NOT NULL) PARTITION BY RANGE (t)')
    connection.execute("""SELECT create_monthly_partitions('"Trial.s"."Daily"', 0, 0)""")
    query = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname ~ '^Daily_p2'"
    assert scalar(connection, query) == '"Trial.s"'
    connection.execute("""INSERT INTO "Trial.s"."Daily" VALUES ((now() AT TIME ZONE 'UTC')::date)""")
    assert scalar(connection, """SELECT drop_old_partitions('"Trial.s"."Daily"', '1 day')""") == 0


def test_stranger_with_the_name_of_a_partition_is_not_taken_for_one(connection: psycopg.Connection) -> None:
    connection.execute(TRIAL)
    name = expected(connection, "trial", 0, 0)[0][0]
    connection.execute(f"CREATE TABLE {name} (n integer)")
    with pytest.raises(psycopg.errors.DuplicateTable), connection.transaction():
        connection.execute("SELECT create_monthly_partitions('trial', 0, 0)")


@pytest.mark.parametrize(
    ("call", "state"),
    [
        ("create_monthly_partitions('ml_models')", "42809"),
        ("create_monthly_partitions('trial', -1, 1)", "22023"),
        ("create_monthly_partitions('trial', 1, NULL)", "22023"),
        ("drop_old_partitions('ml_models', '1 year')", "42809"),
        ("drop_old_partitions('trial', '-1 year')", "22023"),
        ("drop_old_partitions('trial', NULL)", "22023"),
    ],
)
def test_call_without_sense_is_refused(connection: psycopg.Connection, call: str, state: str) -> None:
    connection.execute(TRIAL)
    with pytest.raises(psycopg.Error) as caught, connection.transaction():
        connection.execute(f"SELECT {call}")
    assert caught.value.sqlstate == state


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_drop_takes_what_ended_longer_ago_and_keeps_default_and_open_ones(
    connection: psycopg.Connection, zone: str
) -> None:
    connection.execute(TRIAL)
    connection.execute("CREATE TABLE trial_default PARTITION OF trial DEFAULT")
    connection.execute("CREATE TABLE trial_open PARTITION OF trial FOR VALUES FROM ('2090-01-01') TO (MAXVALUE)")
    connection.execute("SELECT create_monthly_partitions('trial', 6, 1)")
    connection.execute(f"SET LOCAL timezone = '{zone}'")
    # Months are of unequal length: the reach is counted to the end of the third month before this one.
    reach = "now() - (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '2 months') AT TIME ZONE 'UTC'"
    connection.execute("SET LOCAL intervalstyle = 'iso_8601'")
    assert scalar(connection, f"SELECT drop_old_partitions('trial', {reach})") == 4
    assert scalar(connection, f"SELECT drop_old_partitions('trial', {reach})") == 0
    kept = ["trial_default", "trial_open", *(name for name, _ in expected(connection, "trial", 2, 1))]
    assert sorted(name for name, _ in bounds(connection, "trial")) == sorted(kept)


@pytest.mark.usefixtures("head")
def test_readers_and_writers_go_on_while_partitions_are_made(server: Server) -> None:
    with psycopg.connect(server.url("head")) as maker, psycopg.connect(server.url("head")) as other:
        maker.execute("SELECT create_monthly_partitions('ml_predictions', 3, 13)")
        other.execute("SET lock_timeout = '2s'")
        assert scalar(other, "SELECT count(*) FROM ml_predictions") == 0
        other.execute("LOCK TABLE ONLY ml_predictions IN ROW EXCLUSIVE MODE")
        maker.rollback()


@pytest.fixture
def elsewhere(server: Server, database: str) -> Iterator[psycopg.Connection]:
    """A database whose sessions are in New York, migrated from there."""
    server.execute(f"ALTER DATABASE {database} SET timezone = 'America/New_York'")
    migrations.upgrade(server.url(database))
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        yield connection


def test_revisions_run_from_new_york_make_the_same_windows(elsewhere: psycopg.Connection) -> None:
    assert scalar(elsewhere, "SHOW timezone") == "America/New_York"
    with elsewhere.transaction():
        for parent in PARENTS:
            assert bounds(elsewhere, parent) == expected(elsewhere, parent)

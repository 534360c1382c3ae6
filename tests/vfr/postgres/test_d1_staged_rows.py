"""D1: which row of a batch is kept: a valid one is never lost to an invalid one, none is lost to another's fault."""

import itertools
from decimal import Decimal

import psycopg
import pytest

from ..factories.postgres import FEATURE, NOW, insert, insert_ml_base
from .rows import scalar
from .staged import Report, at, line, reasons, report, row, stage, store, values

TEXT = "value is not a number"
OUTSIDE = "timestamp is outside the partitions of ml_feature_store"
MATRIX = "SELECT value FROM feature_matrix('{AAPL}', %s, %s)"
STYLES = ["ISO, MDY", "German", "SQL, DMY"]
ZONES = ["UTC", "Asia/Kolkata", "America/New_York"]  # IST, as Kolkata is printed, is read as that of Israel
SCORE = "confidence_score is not a number of 0-1"


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)


@pytest.mark.parametrize(("bad", "reason"), [("x,,", TEXT), ("30,7.5,", SCORE), (",,", "value is missing")])
def test_invalid_row_never_replaces_a_valid_one(connection: psycopg.Connection, bad: str, reason: str) -> None:
    assert store(connection, line(1, "10,,,A"), line(2, "20,0.5,,B")) == (2, 2, 0)
    assert report(connection, line(2, f"{bad},A"), line(3, "30,,,C")) == (2, 1, 1, 1, 0)
    assert values(connection) == [(Decimal(10), "valid"), (Decimal(20), "valid"), (Decimal(30), "valid")]
    assert reasons(connection) == [(reason, False)]
    assert connection.execute(MATRIX, [[FEATURE], at(2)]).fetchall() == [(Decimal(20),)]


@pytest.mark.parametrize("status", ["pending", "fallback", "partial"])
def test_invalid_row_replaces_nothing_but_an_invalid_one(connection: psycopg.Connection, status: str) -> None:
    insert(connection, "ml_feature_store", timestamp=at(1), value="20", validation_status=status)
    assert report(connection, row("x")) == (1, 0, 1, 1, 0)
    assert values(connection) == [(Decimal(20), status)]
    assert store(connection, row("21")) == (1, 1, 0)
    assert values(connection) == [(Decimal(21), "valid")]


def test_later_valid_row_replaces_an_invalid_and_an_older_one(connection: psycopg.Connection) -> None:
    assert report(connection, row("x")) == (1, 1, 1, 0, 0)
    assert report(connection, row("y")) == (1, 1, 1, 0, 0)
    assert report(connection, row("20")) == (1, 1, 0, 0, 0)
    assert report(connection, row("21")) == (1, 1, 0, 0, 0)
    assert values(connection) == [(Decimal(21), "valid")]


@pytest.mark.parametrize("order", list(itertools.permutations(["1", "2", "x", ""])))
def test_of_equal_keys_the_last_valid_wins_in_every_order(
    connection: psycopg.Connection, order: tuple[str, ...]
) -> None:
    assert report(connection, *(row(value) for value in order)) == Report(4, 1, 2, rejected=2, superseded=1)
    assert values(connection) == [(Decimal(max(order, key=lambda v: v.isdigit() and order.index(v) + 1)), "valid")]
    assert [is_stored for _, is_stored in reasons(connection)] == [False, False]


def test_of_equal_keys_without_a_valid_one_the_last_wins(connection: psycopg.Connection) -> None:
    assert report(connection, line(1, "x,0.5,,A"), line(1, "y,0.6,,B")) == (2, 1, 2, 1, 0)
    assert scalar(connection, "SELECT source_provider FROM ml_feature_store") == "B"
    query = "SELECT value, is_stored FROM invalid_features ORDER BY n"
    assert connection.execute(query).fetchall() == [("x", False), ("y", True)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("zone", ZONES)
def test_row_outside_the_partitions_is_rejected_alone(connection: psycopg.Connection, style: str, zone: str) -> None:
    connection.execute(f"SET LOCAL datestyle = '{style}'")
    connection.execute(f"SET LOCAL timezone = '{zone}'")
    outside = [
        f"AAPL,{moment},{FEATURE},{value},,,A" for moment, value in (("1999-01-01T00:00Z", 1), ("infinity", "x"))
    ]
    assert report(connection, row("1", 1), *outside, row("x", 2), row("3", 3)) == (5, 3, 3, 2, 0)
    assert values(connection) == [(Decimal(1), "valid"), (None, "invalid"), (Decimal(3), "valid")]
    assert reasons(connection) == [(OUTSIDE, False), (OUTSIDE, False), (TEXT, True)]


def edges(connection: psycopg.Connection) -> tuple[str, str]:
    """First moment of the first partition and first moment after the last one, in UTC."""
    connection.execute("SET LOCAL timezone = 'UTC'")
    query = "SELECT date_trunc('month', now()) + make_interval(months => %s)"
    return str(scalar(connection, query, -3)), str(scalar(connection, query, 13))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("zone", ZONES)
def test_partitions_hold_their_lower_bound_and_not_the_upper(
    connection: psycopg.Connection, style: str, zone: str
) -> None:
    first, end = edges(connection)
    connection.execute(f"SET LOCAL datestyle = '{style}'")
    connection.execute(f"SET LOCAL timezone = '{zone}'")
    lines = [f"{ticker},{moment},{FEATURE},1,,,A" for ticker, moment in (("IN", first), ("OUT", end))]
    assert report(connection, *lines) == (2, 1, 1, 1, 0)
    assert scalar(connection, "SELECT ticker FROM ml_feature_store") == "IN"


def test_default_partition_takes_what_no_other_does_and_none_takes_nothing(connection: psycopg.Connection) -> None:
    old = f"OLD,1999-01-01T00:00Z,{FEATURE},2,,,A"
    connection.execute("CREATE TABLE others PARTITION OF ml_feature_store DEFAULT")
    assert report(connection, row("1"), old) == (2, 2, 0, 0, 0)
    leaves = scalar(connection, "SELECT string_agg(inhrelid::regclass::text, ', ') FROM pg_inherits WHERE inhparent = "
                    "'ml_feature_store'::regclass AND inhrelid <> 'others'::regclass")  # fmt: skip
    connection.execute(f"DROP TABLE {leaves}")
    assert report(connection, row("3"), old) == (2, 2, 0, 0, 0)
    connection.execute("DROP TABLE others")
    assert report(connection, row("1"), old) == (2, 0, 2, 2, 0)


def test_second_batch_of_a_transaction_tells_its_own_reasons(connection: psycopg.Connection) -> None:
    store(connection, row("x", 1), row("y", 2))
    assert scalar(connection, "SELECT count(*) FROM staged_features") == 0
    store(connection, row("", 3), row("4", 4))
    assert reasons(connection) == [(TEXT, True)]
    store(connection, row("5", 5))
    assert reasons(connection) == []


def test_role_that_may_write_the_table_may_store(connection: psycopg.Connection) -> None:
    connection.execute("SET LOCAL ROLE tenant_session")
    assert report(connection, row("1", 1), row("x", 2), f"A,1999-01-01,{FEATURE},1,,,A") == (3, 2, 2, 1, 0)


def test_row_of_no_known_feature_still_fails_its_batch(connection: psycopg.Connection) -> None:
    stage(connection, row("1"), f"AAPL,{NOW.isoformat()},11111111-1111-1111-1111-111111111111,1,,,A")
    with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
        connection.execute("SELECT store_staged_features()")

"""D1: as-of reads, batches stored through a staging table, outcomes of predictions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from ..factories.postgres import FEATURE, NOW, OTHER_FEATURE, PREDICTION, insert, insert_ml_base
from .rows import scalar
from .staged import STORED, at, line, store

FEATURES = [FEATURE, OTHER_FEATURE]
MATRIX = "SELECT ticker, value FROM feature_matrix(%s, %s, %s) ORDER BY ticker, feature_id"
ZONES = ["UTC", "America/New_York", "Asia/Tokyo"]


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)


@pytest.mark.parametrize("zone", ZONES)
def test_matrix_never_gives_a_later_value(connection: psycopg.Connection, zone: str) -> None:
    for hour, value in ((10, "10"), (16, "99")):
        insert(connection, "ml_feature_store", timestamp=at(hour), value=value)
    connection.execute(f"SET LOCAL timezone = '{zone}'")

    def seen(moment: datetime) -> list[tuple[str, Decimal]]:
        return connection.execute(MATRIX, [["AAPL"], FEATURES, moment]).fetchall()

    assert seen(at(12)) == [("AAPL", Decimal(10))]
    assert seen(at(10)) == [("AAPL", Decimal(10))]
    assert seen(at(10) - timedelta(microseconds=1)) == []
    assert seen(at(16)) == [("AAPL", Decimal(99))]


def test_matrix_passes_over_rows_that_are_not_valid(connection: psycopg.Connection) -> None:
    insert(connection, "ml_feature_store", timestamp=at(10), value="10")
    insert(connection, "ml_feature_store", timestamp=at(11), value="11", validation_status="pending")
    assert connection.execute(MATRIX, [["AAPL"], FEATURES, at(12)]).fetchall() == [("AAPL", Decimal(10))]


def test_matrix_has_one_row_for_each_ticker_and_feature_asked_for(connection: psycopg.Connection) -> None:
    for ticker in ("AAPL", "MSFT", "NVDA"):
        insert(connection, "ml_feature_store", ticker=ticker, timestamp=at(10))
        insert(connection, "ml_feature_store", ticker=ticker, timestamp=at(40), feature_id=OTHER_FEATURE)
    rows = connection.execute(MATRIX, [["AAPL", "MSFT", "AAPL"], FEATURES, NOW]).fetchall()
    assert [ticker for ticker, _ in rows] == ["AAPL", "AAPL", "MSFT", "MSFT"]
    assert len(connection.execute("SELECT * FROM feature_matrix('{AAPL}', %s)", [FEATURES]).fetchall()) == 2


def test_summary_averages_what_was_found_and_divides_by_nothing(connection: psycopg.Connection) -> None:
    insert(connection, "ml_feature_store", timestamp=at(10), confidence_score="0.8", data_quality_score="0.6")
    insert(connection, "ml_feature_store", ticker="MSFT", timestamp=at(10), confidence_score="0.4")
    query = "SELECT * FROM feature_matrix_summary(%s, %s, %s)"
    (row,) = connection.execute(query, [["AAPL", "MSFT"], FEATURES, NOW]).fetchall()
    assert row == (4, 2, Decimal("0.5"), Decimal("0.6"), Decimal("0.6"))
    (empty,) = connection.execute("SELECT * FROM feature_matrix_summary('{}', '{}')").fetchall()
    assert empty == (0, 0, None, None, None)


def test_matrix_ignores_tables_of_the_same_name_earlier_on_the_path(connection: psycopg.Connection) -> None:
    insert(connection, "ml_feature_store", timestamp=at(10))
    connection.execute("CREATE TEMP TABLE ml_feature_store (LIKE public.ml_feature_store)")
    assert len(connection.execute(MATRIX, [["AAPL"], FEATURES, NOW]).fetchall()) == 1


def test_batch_is_stored_as_valid_and_served(connection: psycopg.Connection) -> None:
    assert store(connection, line(1, '1.5,0.9,0.8,"Polygon, Inc"'), line(2, "1e-7,,,FMP")) == (2, 2, 0)
    assert connection.execute(STORED).fetchall() == [
        (Decimal("1.5"), Decimal("0.9"), "Polygon, Inc", "valid"),
        (Decimal("0.0000001"), None, "FMP", "valid"),
    ]
    assert connection.execute(MATRIX, [["AAPL"], FEATURES, NOW]).fetchall() == [("AAPL", Decimal("0.0000001"))]


def test_batch_last_of_equal_keys_wins_and_a_second_batch_replaces(connection: psycopg.Connection) -> None:
    assert store(connection, line(1, "1,,,A"), line(1, "2,,,B")) == (2, 1, 0)
    assert store(connection, line(1, "3,,,C")) == (1, 1, 0)
    assert connection.execute(STORED).fetchall() == [(Decimal(3), None, "C", "valid")]


@pytest.mark.parametrize("value", ["undefined", "NaN", "Infinity", "", "1e400", "123456789012345678901.5"])
def test_batch_value_that_is_no_number_spoils_its_row_alone(connection: psycopg.Connection, value: str) -> None:
    assert store(connection, line(1, "1,,,A"), line(2, f"{value},,,A")) == (2, 2, 1)
    assert connection.execute(STORED).fetchall() == [
        (Decimal(1), None, "A", "valid"),
        (None, None, "A", "invalid"),
    ]


@pytest.mark.parametrize("scores", ["7.5,0.9", "NaN,0.9", "0.9,-0.1", "0.9,undefined"])
def test_batch_score_out_of_range_makes_its_row_invalid(connection: psycopg.Connection, scores: str) -> None:
    assert store(connection, line(1, f"1,{scores},A")) == (1, 1, 1)
    assert scalar(connection, "SELECT validation_status FROM ml_feature_store") == "invalid"


def test_batch_largest_number_is_held(connection: psycopg.Connection) -> None:
    assert store(connection, line(1, "99999999999999999999.99999999,,,A")) == (1, 1, 0)
    assert store(connection, line(1, "-99999999999999999999,,,A")) == (1, 1, 0)


def test_batch_without_rows_stores_none(connection: psycopg.Connection) -> None:
    assert store(connection) == (0, 0, 0)


def test_batch_of_an_unknown_feature_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
        store(connection, f"AAPL,{at(1).isoformat()},{PREDICTION},1,,,A")


OUTCOME = "prediction_error, squared_error, absolute_error, direction_correct"
ACTUAL = "SELECT update_prediction_actual(%s, %s, %s, now())"


@pytest.mark.parametrize(
    ("kind", "predicted", "actual", "correct"),
    [
        ("price_target", "110", "105", True),
        ("price_target", "110", "95", False),
        ("price_target", "90", "95", True),
        ("price_target", "100", "100", True),
        ("price_target", "100", "101", False),
        ("direction", "1", "1", True),
        ("direction", "1", "-1", False),
        ("direction", "-1", "-0.3", True),
        ("volatility", "0.2", "0.3", None),
        ("probability", "0.7", "1", None),
    ],
)
def test_actual_gives_a_direction_only_where_there_is_one(
    connection: psycopg.Connection, kind: str, predicted: str, actual: str, correct: bool | None
) -> None:
    insert(connection, "ml_predictions", prediction_id=PREDICTION, prediction_type=kind, predicted_value=predicted)
    connection.execute(ACTUAL, [PREDICTION, NOW, Decimal(actual)])
    error = Decimal(actual) - Decimal(predicted)
    query = f"SELECT {OUTCOME}, actual_timestamp = now() FROM ml_predictions"
    assert connection.execute(query).fetchall() == [(error, error**2, abs(error), correct, True)]


def test_actual_of_the_dearest_share_is_held(connection: psycopg.Connection) -> None:
    insert(connection, "ml_predictions", prediction_id=PREDICTION, predicted_value="-9999999", current_price="700000")
    connection.execute(ACTUAL, [PREDICTION, NOW, Decimal(9999999)])
    assert scalar(connection, "SELECT squared_error FROM ml_predictions") == Decimal(19999998) ** 2


def test_actual_of_a_price_of_zero_is_held(connection: psycopg.Connection) -> None:
    insert(connection, "ml_predictions", prediction_id=PREDICTION, current_price="0")
    connection.execute(ACTUAL, [PREDICTION, NOW, Decimal(1)])
    assert scalar(connection, "SELECT actual_value FROM ml_predictions") == 1


def test_actual_without_a_prediction_is_an_error(connection: psycopg.Connection) -> None:
    insert(connection, "ml_predictions", prediction_id=PREDICTION)
    for moment in (NOW + timedelta(seconds=1), datetime(2000, 1, 1, tzinfo=UTC)):
        with pytest.raises(psycopg.errors.NoDataFound, match="no prediction"), connection.transaction():
            connection.execute(ACTUAL, [PREDICTION, moment, Decimal(1)])
    with pytest.raises(psycopg.errors.NullValueNotAllowed), connection.transaction():
        connection.execute(ACTUAL, [PREDICTION, NOW, None])
    with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
        connection.execute(ACTUAL, [PREDICTION, NOW, Decimal("NaN")])


def test_actual_reads_one_partition(connection: psycopg.Connection) -> None:
    query = "EXPLAIN UPDATE ml_predictions SET cache_hit = true WHERE prediction_id = %s AND prediction_timestamp = %s"
    plan = connection.execute(query, [PREDICTION, NOW]).fetchall()
    assert sum("Scan" in step for (step,) in plan) == 1

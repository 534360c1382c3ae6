"""D1: what a staged text is: every number that the server's own numeric input takes, and nothing else."""

from decimal import ROUND_HALF_UP, Context, Decimal

import psycopg
import pytest

from ..factories.postgres import insert_ml_base
from .rows import scalar
from .staged import at, line, reasons, report, row, stage, store, values

PLACES = Decimal("0.00000001")  # of numeric(28,8)
EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
SHORT = ["1e+2", "1.5E5", ".5", "-.5", "+.5e1", "5.", "5.e1", "-5.", " 5", "5 ", "\t-5\n", "+5", "007", "1E0", "-0"]
LONG = ["1.5e+06", "1e-400", "12345678901234567890.5", "99999999999999999999.99999999", "-1" + "0" * 19 + "e0"]
MISSING, TEXT, LARGE = "value is missing", "value is not a number", "value is too large for numeric(28,8)"


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)


@pytest.mark.parametrize("text", [*SHORT, *LONG])
def test_number_of_every_form_is_stored_and_valid(connection: psycopg.Connection, text: str) -> None:
    assert store(connection, row(text)) == (1, 1, 0)
    assert values(connection) == [(Decimal(text.strip()).quantize(PLACES, context=EXACT), "valid")]


@pytest.mark.parametrize(("text", "number"), [("1_000", 1000), ("0x1F", 31), ("-0o17", -15), ("0b11", 3)])
def test_number_of_a_newer_server_is_one_there_alone(connection: psycopg.Connection, text: str, number: int) -> None:
    store(connection, row(text))
    newer = connection.info.server_version >= 160000
    assert values(connection) == [(Decimal(number), "valid") if newer else (None, "invalid")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [(text, TEXT) for text in ("", " ", "undefined", "NaN", " nan ", "1,5", "--1", "1 2", "1e", ".", "+", "$5", "5;")]
    + [(text, LARGE) for text in ("Infinity", "-Infinity", " inf", "1e20", "-1e20", "1e400", "1e131071", "1e400000")]
    + [("99999999999999999999.999999995", LARGE)],
)
def test_value_that_is_none_spoils_its_row_alone(connection: psycopg.Connection, text: str, reason: str) -> None:
    counts = report(connection, row("1", hour=1), row(text, hour=2), row("3", hour=3))
    assert counts == (3, 3, 1, 0, 0)
    assert values(connection) == [(Decimal(1), "valid"), (None, "invalid"), (Decimal(3), "valid")]
    assert reasons(connection) == [(reason, True)]


@pytest.mark.parametrize("scores", [" .5,1.", "1e-1,5E-1", "+0,1e0"])
def test_score_of_every_form_is_read(connection: psycopg.Connection, scores: str) -> None:
    assert store(connection, line(1, f"1,{scores},A")) == (1, 1, 0)
    wanted = [Decimal(score.strip()) for score in scores.split(",")]
    query = "SELECT confidence_score, data_quality_score FROM ml_feature_store"
    assert connection.execute(query).fetchall() == [tuple(wanted)]


def test_reason_names_each_part_of_the_row(connection: psycopg.Connection) -> None:
    store(connection, line(1, ",,,A"), line(2, "x,1.00001,-.1,A"), line(3, "1,NaN,1e999999,A"))
    scores = [f"{score} is not a number of 0-1" for score in ("confidence_score", "data_quality_score")]
    assert [reason for reason, _ in reasons(connection)] == [
        MISSING,
        "; ".join([TEXT, *scores]),
        "; ".join(scores),
    ]


PRINTED = """
    SELECT {how}::text FROM (
        SELECT (random() - 0.5) * 10 ^ (random() * 36 - 17) AS x, n FROM generate_series(1, 2000) n
    ) drawn
"""


@pytest.mark.parametrize("digits", [-5, 0, 1, 3])
@pytest.mark.parametrize("how", ["x::float4", "x::float8", "x::numeric", "x::numeric(40,15)", "round(x::numeric, -2)"])
def test_number_that_the_server_prints_is_stored_as_that(connection: psycopg.Connection, how: str, digits: int) -> None:
    connection.execute(f"SET LOCAL extra_float_digits = {digits}")
    connection.execute("SELECT setseed(0.25)")
    texts = [text for (text,) in connection.execute(PRINTED.format(how=how)).fetchall()]
    assert store(connection, *(row(text, hour=n / 60) for n, text in enumerate(texts))) == (2000, 2000, 0)
    wanted = [(Decimal(text).quantize(PLACES, context=EXACT), "valid") for text in texts]
    assert values(connection) == wanted


def test_number_is_read_whatever_is_on_the_path(connection: psycopg.Connection) -> None:
    stage(connection, row(" 5."))
    connection.execute("SET LOCAL search_path = pg_catalog")
    assert scalar(connection, "SELECT stored - invalid FROM public.store_staged_features()") == 1
    query = "SELECT value FROM public.ml_feature_store WHERE timestamp = %s"
    assert scalar(connection, query, at(1)) == 5

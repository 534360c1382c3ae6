"""validate_probability_data() finds what the checks would refuse, once the checks are out of the way."""

import psycopg
import pytest

from .rows import GLOBEX_USER, insert, insert_base, scalar
from .test_checks import MEASURED, PREFERENCES

ISSUES = [
    ("trading_decisions.aggregated_confidence outside 0-1", "HIGH"),
    ("trading_decisions.uncertainty_score outside 0-1", "HIGH"),
    ("trading_decisions without confidence or uncertainty", "MEDIUM"),
    ("trading_decisions without probability_metadata", "MEDIUM"),
    ("probabilistic_models.accuracy outside 0-1", "HIGH"),
    ("probabilistic_models.calibration_score outside 0-1", "HIGH"),
    ("probabilistic_models.brier_score outside 0-1", "HIGH"),
    *((f"user_probability_preferences.{column} missing or outside 0-1", "HIGH") for column in PREFERENCES),
]


def found(connection: psycopg.Connection) -> dict[str, int]:
    """Issues with a row or more, and how many."""
    rows = connection.execute("SELECT validation_issue, affected_records FROM validate_probability_data()")
    return {issue: records for issue, records in rows if records}


def plant(connection: psycopg.Connection, table: str, column: str, *values: str | None) -> None:
    """Insert a row for each value of `column` after its check and its NOT NULL are gone, until the rollback."""
    connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT chk_{column}, ALTER {column} DROP NOT NULL")
    for n, value in enumerate(values):
        if table == "user_probability_preferences":
            user = scalar(
                connection, f"INSERT INTO users (tenant_id, email) VALUES ('acme', 'planted@{n}') RETURNING id"
            )
            insert(connection, table, user_id=user, **{column: value})
        elif table == "trading_decisions":
            row = {"aggregated_confidence": 0, "uncertainty_score": 0, "probability_metadata": {"source": "test"}}
            insert(connection, table, **(row | {column: value}))
        else:
            insert(connection, table, version=f"planted {n}", **{column: value})


def test_validation_of_good_rows_reports_every_check_with_zero(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(
        connection,
        "trading_decisions",
        aggregated_confidence=0,
        uncertainty_score=1,
        probability_metadata={"source": "ensemble"},
    )
    insert(connection, "probabilistic_models", accuracy=0, calibration_score=1, brier_score="0.5")
    insert(connection, "user_probability_preferences")
    rows = connection.execute("SELECT * FROM validate_probability_data()")
    assert [column.name for column in rows.description or ()] == ["validation_issue", "affected_records", "severity"]
    assert rows.fetchall() == [(issue, 0, severity) for issue, severity in ISSUES]


def test_validation_of_empty_tables_reports_every_check_with_zero(connection: psycopg.Connection) -> None:
    rows = connection.execute("SELECT * FROM validate_probability_data()").fetchall()
    assert rows == [(issue, 0, severity) for issue, severity in ISSUES]


@pytest.mark.parametrize(
    ("table", "column"),
    [(t, c) for t in ("trading_decisions", "probabilistic_models") for c in MEASURED[t]],
)
def test_validation_finds_measured_values_out_of_range(connection: psycopg.Connection, table: str, column: str) -> None:
    insert_base(connection)
    plant(connection, table, column, "-0.1", "1.1", "NaN", "0.5")
    assert found(connection) == {f"{table}.{column} outside 0-1": 3}


@pytest.mark.parametrize("column", PREFERENCES)
def test_validation_finds_preferences_missing_or_out_of_range(connection: psycopg.Connection, column: str) -> None:
    insert_base(connection)
    table = "user_probability_preferences"
    plant(connection, table, column, "-0.1", "1.1", "NaN", None, "0.5")
    assert found(connection) == {f"{table}.{column} missing or outside 0-1": 4}


def test_validation_finds_decisions_never_computed(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(connection, "trading_decisions")
    insert(connection, "trading_decisions", aggregated_confidence=1, uncertainty_score=0, probability_metadata={})
    assert found(connection) == {
        "trading_decisions without confidence or uncertainty": 1,
        "trading_decisions without probability_metadata": 2,
    }


def test_validation_reads_each_table_once(connection: psycopg.Connection) -> None:
    plan = connection.execute("EXPLAIN SELECT * FROM validate_probability_data()").fetchall()
    scans = [line.split(" on ")[1].split()[0] for (line,) in plan if " on " in line and "Values" not in line]
    tables = ["probabilistic_models", "trading_decisions", "user_probability_preferences"]
    assert sorted(scan for scan in scans if scan in tables) == tables


def test_validation_ignores_tables_of_the_same_name_earlier_on_the_path(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(connection, "trading_decisions")
    connection.execute("CREATE TEMP TABLE trading_decisions (LIKE public.trading_decisions)")
    assert found(connection)["trading_decisions without confidence or uncertainty"] == 1


def test_validation_run_by_a_tenant_counts_its_own_rows(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(connection, "trading_decisions")
    insert(connection, "trading_decisions", tenant_id="globex", user_id=GLOBEX_USER)
    assert found(connection)["trading_decisions without probability_metadata"] == 2
    connection.execute("SET LOCAL ROLE tenant_session")
    connection.execute("SET LOCAL app.tenant = 'acme'")
    assert found(connection)["trading_decisions without probability_metadata"] == 1

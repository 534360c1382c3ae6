"""Keys, foreign keys and the triggers that keep the time of the last change."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from .rows import ACME_USER, GLOBEX_USER, insert, insert_base, refused, scalar

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_base(connection)


def test_model_of_the_platform_is_unique_though_its_tenant_is_null(connection: psycopg.Connection) -> None:
    insert(connection, "probabilistic_models", tenant_id=None)
    with refused(connection, "uq_probabilistic_models_name_version_tenant"):
        insert(connection, "probabilistic_models", tenant_id=None)
    insert(connection, "probabilistic_models", tenant_id="acme")
    insert(connection, "probabilistic_models", tenant_id="globex")
    insert(connection, "probabilistic_models", tenant_id=None, version="2")


def test_model_with_history_cannot_be_deleted(connection: psycopg.Connection) -> None:
    insert(connection, "model_training_history")
    with refused(connection, "fk_model_training_history_model"):
        connection.execute("DELETE FROM probabilistic_models")
    connection.execute("DELETE FROM model_training_history")
    connection.execute("DELETE FROM probabilistic_models")


def test_history_needs_its_model(connection: psycopg.Connection) -> None:
    with refused(connection, "fk_model_training_history_model"):
        insert(connection, "model_training_history", model_id=NOBODY)
    with pytest.raises(psycopg.errors.NotNullViolation, match="model_id"), connection.transaction():
        insert(connection, "model_training_history", model_id=None)


def test_user_deleted_takes_preferences_along_and_leaves_templates(connection: psycopg.Connection) -> None:
    insert(connection, "user_probability_preferences")
    insert(connection, "probability_config_templates", created_by=ACME_USER)
    connection.execute("DELETE FROM users WHERE id = %s", [ACME_USER])
    assert scalar(connection, "SELECT count(*) FROM user_probability_preferences") == 0
    assert connection.execute("SELECT created_by, tenant_id FROM probability_config_templates").fetchall() == [
        (None, "acme")
    ]


def test_user_with_decisions_cannot_be_deleted(connection: psycopg.Connection) -> None:
    insert(connection, "trading_decisions")
    with refused(connection, "fk_trading_decisions_user"):
        connection.execute("DELETE FROM users WHERE id = %s", [ACME_USER])


def test_tenant_with_users_cannot_be_deleted(connection: psycopg.Connection) -> None:
    with refused(connection, "fk_users_tenant"):
        connection.execute("DELETE FROM tenants WHERE slug = 'globex'")


@pytest.mark.parametrize(
    ("table", "constraint"),
    [
        ("users", "fk_users_tenant"),
        ("probabilistic_models", "fk_probabilistic_models_tenant"),
        ("model_training_history", "fk_model_training_history_tenant"),
        ("probability_config_templates", "fk_probability_config_templates_tenant"),
    ],
)
def test_tenant_must_exist(connection: psycopg.Connection, table: str, constraint: str) -> None:
    with refused(connection, constraint):
        insert(connection, table, tenant_id="hooli")


@pytest.mark.parametrize("table", ["trading_decisions", "user_probability_preferences"])
def test_user_of_another_tenant_cannot_be_named(connection: psycopg.Connection, table: str) -> None:
    with refused(connection, f"fk_{table}_user"):
        insert(connection, table, tenant_id="acme", user_id=GLOBEX_USER)


def test_email_is_unique_in_its_tenant_whatever_its_case(connection: psycopg.Connection) -> None:
    insert(connection, "users", tenant_id="globex")
    insert(connection, "users", tenant_id="acme")
    with refused(connection, "uq_users_tenant_email"):
        insert(connection, "users", tenant_id="acme", email="SomeOne@acme.example")


@pytest.mark.parametrize(
    ("table", "changed", "assignment"),
    [
        ("user_probability_preferences", "updated_at", "risk_tolerance = 0.6"),
        ("probability_config_templates", "updated_at", "usage_count = usage_count + 1"),
        ("probabilistic_models", "last_updated", "accuracy = 0.6"),
    ],
)
def test_update_sets_the_time_of_change(
    connection: psycopg.Connection, table: str, changed: str, assignment: str
) -> None:
    connection.execute(f"DELETE FROM {table}")
    insert(connection, table, **{changed: LONG_AGO, "created_at": LONG_AGO})
    connection.execute(f"UPDATE {table} SET {assignment}")
    row = connection.execute(f"SELECT {changed} = now(), created_at FROM {table}").fetchone()
    assert row == (True, LONG_AGO)

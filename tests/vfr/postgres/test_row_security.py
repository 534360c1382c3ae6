"""Two tenants on one database, each in a session of a role that owns nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from .rows import ACME_USER, GLOBEX_USER, MODEL, insert, insert_base, scalar

GLOBEX_MODEL = UUID(int=0xD)
TABLES = (
    "users",
    "trading_decisions",
    "probabilistic_models",
    "user_probability_preferences",
    "model_training_history",
    "probability_config_templates",
)


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(connection, "probabilistic_models", id=GLOBEX_MODEL, tenant_id="globex", model_name="base")
    for tenant, user, model in (("acme", ACME_USER, MODEL), ("globex", GLOBEX_USER, GLOBEX_MODEL)):
        insert(connection, "trading_decisions", tenant_id=tenant, user_id=user)
        insert(connection, "user_probability_preferences", tenant_id=tenant, user_id=user)
        insert(connection, "model_training_history", tenant_id=tenant, model_id=model)
        insert(connection, "probability_config_templates", tenant_id=tenant)


@contextmanager
def session(connection: psycopg.Connection, tenant: str | None) -> Iterator[None]:
    """The block runs as a role without rights of its own, for that tenant; None leaves the setting as it is."""
    connection.execute("SET LOCAL ROLE tenant_session")
    if tenant is not None:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
    yield
    connection.execute("RESET ROLE")


def count(connection: psycopg.Connection, table: str) -> object:
    return scalar(connection, f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_tenant_sees_its_own_rows(connection: psycopg.Connection, table: str) -> None:
    assert count(connection, table) == 2
    for tenant in ("acme", "globex"):
        with session(connection, tenant):
            assert connection.execute(f"SELECT tenant_id FROM {table}").fetchall() == [(tenant,)]


def test_tenant_sees_itself_and_cannot_change_itself(connection: psycopg.Connection) -> None:
    with session(connection, "acme"):
        assert connection.execute("SELECT slug FROM tenants").fetchall() == [("acme",)]
        assert connection.execute("UPDATE tenants SET name = 'other'").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            insert(connection, "tenants")


@pytest.mark.parametrize("tenant", [None, "", "hooli"])
@pytest.mark.parametrize("table", [*TABLES, "tenants"])
def test_session_without_its_tenant_sees_nothing(
    connection: psycopg.Connection, table: str, tenant: str | None
) -> None:
    with session(connection, tenant):
        assert count(connection, table) == 0


@pytest.mark.parametrize("tenant", [None, ""])
def test_session_without_tenant_sees_nothing_shared(connection: psycopg.Connection, tenant: str | None) -> None:
    connection.execute("UPDATE probabilistic_models SET is_shared = true")
    connection.execute("UPDATE probability_config_templates SET is_public = true")
    with session(connection, tenant):
        assert count(connection, "probabilistic_models") == 0
        assert count(connection, "probability_config_templates") == 0


@pytest.mark.parametrize("table", TABLES)
def test_rows_of_another_tenant_cannot_be_written(connection: psycopg.Connection, table: str) -> None:
    refusal = pytest.raises(psycopg.errors.InsufficientPrivilege, match="violates row-level security policy")
    with session(connection, "acme"):
        with refusal, connection.transaction():
            insert(connection, table, tenant_id="globex")
        with refusal, connection.transaction():
            connection.execute(f"UPDATE {table} SET tenant_id = 'globex'")
        assert connection.execute(f"UPDATE {table} SET created_at = now() WHERE tenant_id = 'globex'").rowcount == 0
        assert connection.execute(f"DELETE FROM {table} WHERE tenant_id = 'globex'").rowcount == 0


def test_tenant_writes_its_own_rows(connection: psycopg.Connection) -> None:
    with session(connection, "acme"):
        insert(connection, "users", email="second@acme.example")
        insert(connection, "trading_decisions")
        insert(connection, "probabilistic_models")
        insert(connection, "model_training_history")
        insert(connection, "probability_config_templates", created_by=ACME_USER)
        assert connection.execute("UPDATE user_probability_preferences SET risk_tolerance = 1").rowcount == 1


@pytest.mark.parametrize("owner", ["globex", None])
def test_shared_model_is_read_by_every_tenant_and_trained_and_changed_by_none_other(
    connection: psycopg.Connection, owner: str | None
) -> None:
    insert(connection, "probabilistic_models", tenant_id=owner, model_name="shared", is_shared=True)
    with session(connection, "acme"):
        shared = scalar(connection, "SELECT id FROM probabilistic_models WHERE model_name = 'shared'")
        # A row that names it would keep its owner from deleting it.
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"), connection.transaction():
            insert(connection, "model_training_history", model_id=shared)
        assert connection.execute("UPDATE probabilistic_models SET accuracy = 1 WHERE is_shared").rowcount == 0
        assert connection.execute("DELETE FROM probabilistic_models WHERE is_shared").rowcount == 0


@pytest.mark.parametrize("owner", ["globex", None])
def test_public_template_is_read_by_every_tenant_and_changed_by_none_other(
    connection: psycopg.Connection, owner: str | None
) -> None:
    insert(connection, "probability_config_templates", tenant_id=owner, name="public", is_public=True)
    with session(connection, "acme"):
        assert scalar(connection, "SELECT count(*) FROM probability_config_templates WHERE name = 'public'") == 1
        assert connection.execute("DELETE FROM probability_config_templates WHERE is_public").rowcount == 0


def test_platform_rows_cannot_be_written_by_a_tenant(connection: psycopg.Connection) -> None:
    with session(connection, "acme"):
        for table in ("probabilistic_models", "model_training_history", "probability_config_templates"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                insert(connection, table, tenant_id=None)


def test_history_of_a_model_that_cannot_be_read_is_refused(connection: psycopg.Connection) -> None:
    with (
        session(connection, "globex"),
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        connection.transaction(),
    ):
        insert(connection, "model_training_history", tenant_id="globex", model_id=MODEL)


def test_template_by_a_user_of_another_tenant_is_refused(connection: psycopg.Connection) -> None:
    with (
        session(connection, "acme"),
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        connection.transaction(),
    ):
        insert(connection, "probability_config_templates", created_by=GLOBEX_USER)


def test_owner_without_bypass_is_held_to_the_policies(connection: psycopg.Connection) -> None:
    connection.execute("ALTER TABLE users OWNER TO tenant_session")
    with session(connection, None):
        assert count(connection, "users") == 0
    with session(connection, "acme"):
        assert count(connection, "users") == 1


def test_owner_role_sees_every_row(connection: psycopg.Connection) -> None:
    connection.execute("SET LOCAL ROLE vfr_owner")
    assert [count(connection, table) for table in TABLES] == [2] * len(TABLES)
    connection.execute("RESET ROLE")

"""Rows that every check accepts, and what is inserted instead of single values."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

ACME_USER = UUID("00000000-0000-4000-8000-00000000000a")
GLOBEX_USER = UUID("00000000-0000-4000-8000-00000000000b")
MODEL = UUID("00000000-0000-4000-8000-00000000000c")

VALID: dict[str, dict[str, object]] = {
    "tenants": {"slug": "initech", "name": "Initech"},
    "users": {"tenant_id": "acme", "email": "someone@acme.example"},
    "trading_decisions": {"tenant_id": "acme", "user_id": ACME_USER, "symbol": "AAPL", "decision": "BUY"},
    "probabilistic_models": {
        "model_name": "xgboost",
        "model_type": "ensemble",
        "version": "1",
        "parameters": {},
        "tenant_id": "acme",
    },
    "user_probability_preferences": {"user_id": ACME_USER, "tenant_id": "acme"},
    "model_training_history": {
        "model_id": MODEL,
        "training_session_id": MODEL,
        "started_at": "2026-01-01T00:00:00Z",
        "status": "running",
        "tenant_id": "acme",
    },
    "probability_config_templates": {"name": "calm", "config": {}, "tenant_id": "acme"},
}


def insert(connection: psycopg.Connection, table: str, **values: object) -> None:
    """Insert a valid row of `table` in which `values` stand for single columns."""
    row = {
        name: Jsonb(value) if isinstance(value, dict | list) else value
        for name, value in (VALID[table] | values).items()
    }
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    connection.execute(statement, row)


def insert_base(connection: psycopg.Connection) -> None:
    """Insert tenants acme and globex with a user each, and a model of acme."""
    for tenant, user in (("acme", ACME_USER), ("globex", GLOBEX_USER)):
        insert(connection, "tenants", slug=tenant)
        insert(connection, "users", id=user, tenant_id=tenant, email=f"first@{tenant}.example")
    insert(connection, "probabilistic_models", id=MODEL, model_name="base")


def scalar(connection: psycopg.Connection, query: str, *parameters: object) -> object:
    """The only value of the only row of `query`."""
    (row,) = connection.execute(query, parameters).fetchall()
    return row[0]


@contextmanager
def refused(connection: psycopg.Connection, constraint: str) -> Iterator[None]:
    """The block is refused by the constraint, key or unique index of that name."""
    with pytest.raises(psycopg.IntegrityError) as caught, connection.transaction():
        yield
    assert caught.value.diag.constraint_name == constraint

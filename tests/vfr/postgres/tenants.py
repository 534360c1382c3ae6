"""A database at the head with two tenants, each with a login of its own that is a member of vfr_app, rows committed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from . import migrations
from .rows import ACME_USER, GLOBEX_USER, MODEL, insert, insert_base
from .servers import Server

GLOBEX_MODEL = UUID(int=0xD)
SHARED = UUID(int=0xE)
DECISION, TEMPLATE, TRAINING = UUID(int=0x60), UUID(int=0x61), UUID(int=0x62)
TABLES = (
    "users",
    "trading_decisions",
    "probabilistic_models",
    "model_training_history",
    "user_probability_preferences",
    "probability_config_templates",
)


@dataclass(frozen=True)
class Tenants:
    """`acme` is attacked, `globex` attacks; the logins are those names with _app behind them."""

    server: Server
    database: str

    @contextmanager
    def login(self, name: str) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.server.url(self.database).replace("postgres@", f"{name}@")) as connection:
            connection.execute("SET lock_timeout = '5s'")
            connection.commit()
            yield connection
            connection.rollback()

    def owner(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url(self.database), autocommit=True)

    def rows_of_acme(self) -> dict[str, str]:
        """Table → all that it holds of acme, tenants of nobody too, as text."""
        with self.owner() as owner:
            found = {}
            for table in TABLES:
                query = sql.SQL(
                    "SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {} t"
                    " WHERE tenant_id IS DISTINCT FROM 'globex'"
                ).format(sql.Identifier(table))
                ((found[table],),) = owner.execute(query).fetchall()
            return found


@contextmanager
def populated(server: Server, database: str) -> Iterator[Tenants]:
    """Rows of both in every table, a shared model and a public template of acme; then the database is dropped."""
    server.execute(f"CREATE DATABASE {database}")
    logins = ("acme_app", "globex_app", "pooled_app", "some_report")
    try:
        migrations.upgrade(server.url(database))
        with psycopg.connect(server.url(database), autocommit=True) as owner:
            for login in logins:
                group = "vfr_report" if login == "some_report" else "vfr_app"
                owner.execute(f"CREATE ROLE {login} LOGIN IN ROLE {group}".encode())
            _fill(owner)
        yield Tenants(server, database)
    finally:
        server.execute(f"DROP DATABASE {database} WITH (FORCE)")
        for login in logins:
            server.execute(f"DROP ROLE IF EXISTS {login}")


def _fill(owner: psycopg.Connection) -> None:
    insert_base(owner)
    owner.execute("INSERT INTO tenant_roles VALUES ('acme_app', 'acme'), ('globex_app', 'globex')")
    insert(owner, "probabilistic_models", id=GLOBEX_MODEL, tenant_id="globex", model_name="base")
    insert(owner, "probabilistic_models", id=SHARED, model_name="shared", is_shared=True, accuracy="0.5")
    insert(owner, "trading_decisions", id=DECISION, user_id=ACME_USER, symbol="SECRET")
    insert(owner, "trading_decisions", tenant_id="globex", user_id=GLOBEX_USER)
    insert(owner, "model_training_history", id=TRAINING, model_id=MODEL)
    insert(owner, "user_probability_preferences", user_id=ACME_USER, tenant_id="acme")
    insert(owner, "probability_config_templates", id=TEMPLATE, name="public", is_public=True, created_by=ACME_USER)

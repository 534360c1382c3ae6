"""PostgreSQL through Alembic, on Debian's 15 and the embedded 18."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.postgres.lease import PostgresLeases
from provision.stores.postgres.ledger import PostgresLedger
from provision.stores.postgres.migrate.session import Session
from provision.testing.contract.case import Case

_ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
url = context.config.get_main_option("sqlalchemy.url") or "postgresql+psycopg://"
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
"""
_FILE = '''"""{slug}"""
from alembic import op

revision = "{number}"
down_revision = {parent!r}


def upgrade():
    {up}


def downgrade():
    {down}
'''
_BODIES = {
    "001": (["op.execute('create table a (x int)')"], ["op.execute('drop table a')"]),
    "002": (
        ["op.execute('create table b1 (x int)')", "op.execute('create table b2 (x int)')"],
        ["op.execute('drop table b2')", "op.execute('drop table b1')"],
    ),
    "003": (
        ["with op.get_context().autocommit_block():", "    op.execute('create index concurrently a_x on a (x)')"],
        ["with op.get_context().autocommit_block():", "    op.execute('drop index concurrently a_x')"],
    ),
}
_SPOILT = (["op.execute('create table b1 (x int)')", "op.execute('create table a (x int)')"], _BODIES["002"][1])
_SLUGS = {"001": "first", "002": "second", "003": "third"}
_OBJECTS = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1
"""
_NAMES = count(1)


class PostgresCase(Case):
    name = kind = "postgres"
    peer = True
    statements = False
    in_flight = ("create index concurrently a_x on a (x)", "create index concurrently a_y on a (x)")
    keeps_connection = True
    transactional = True
    crash_stride = 5
    crash_points = ((Session, "end"), (PostgresLedger, "append"), (PostgresLeases, "take"))

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self._database = f"contract_{next(_NAMES)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"create database {self._database}".encode())
        head, _, tail = server_url.partition("?")
        self.url = f"{head.rpartition('/')[0]}/{self._database}?{tail}"
        self._connection = psycopg.connect(self.url, autocommit=True)

    def build(self, options: StoreOptions) -> Store:
        return kinds.build(options)

    def write(self, folder: Path) -> None:
        (folder / "versions").mkdir(exist_ok=True)
        (folder / "env.py").write_text(_ENV)
        for number, bodies in _BODIES.items():
            self._write(folder, number, bodies)

    def spoil(self, folder: Path) -> None:
        self._write(folder, "002", _SPOILT)

    def seen(self) -> list[str]:
        return [name for name in self._names() if name.startswith("public.") and "alembic_version" not in name]

    def everything(self) -> list[str]:
        return self._names()

    def wipe(self) -> None:
        self._connection.execute(
            "drop schema public cascade; create schema public; drop schema if exists provision cascade"
        )

    def delete_lease(self, project: str, name: str) -> None:
        self._connection.execute("delete from provision.lease where project = %s and name = %s", (project, name))

    def cut(self) -> None:
        self._connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        self._connection.close()
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(f"drop database {self._database} with (force)".encode())

    def apply_outside(self, folder: Path, number: str) -> None:
        command.upgrade(self._config(folder), number)

    def revert_outside(self, folder: Path, number: str) -> None:
        command.downgrade(self._config(folder), number)

    def forget_outside(self) -> None:
        self._connection.execute("delete from alembic_version")

    def _config(self, folder: Path) -> Config:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option(
            "sqlalchemy.url", self.url.replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")
        )
        return config

    def _names(self) -> list[str]:
        return [row[0] for row in self._connection.execute(_OBJECTS).fetchall()]

    def _write(self, folder: Path, number: str, bodies: tuple[list[str], list[str]]) -> None:
        parent = None if number == "001" else f"{int(number) - 1:03}"
        up, down = ("\n    ".join(lines) for lines in bodies)
        text = _FILE.format(slug=_SLUGS[number], number=number, parent=parent, up=up, down=down)
        (folder / "versions" / f"{number}_{_SLUGS[number]}.py").write_text(text)


class Postgres15Case(PostgresCase):
    server = "postgres_15"


class Postgres18Case(PostgresCase):
    server = "postgres_18"

"""The project that is deployed: six related tables with rows, and forty revisions of them, the same for both tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg

CONNECTIONS = 50
# In which order the application finds them is its own affair, and another one in each transaction.
TABLES = ("customers", "products", "orders", "order_items", "payments", "shipments")
_ROW = "id int primary key, note text, n int not null default 0"
SCHEMA = f"""
create table customers ({_ROW});
create table products ({_ROW});
create table orders ({_ROW}, customer_id int references customers);
create table order_items ({_ROW}, order_id int references orders, product_id int references products);
create table payments ({_ROW}, order_id int references orders);
create table shipments ({_ROW}, order_id int references orders);
insert into customers select i from generate_series(1, {CONNECTIONS}) i;
insert into products select i from generate_series(1, {CONNECTIONS}) i;
insert into orders select i, null, 0, i from generate_series(1, {CONNECTIONS}) i;
insert into order_items select i, null, 0, i, i from generate_series(1, {CONNECTIONS}) i;
insert into payments select i, null, 0, i from generate_series(1, {CONNECTIONS}) i;
insert into shipments select i, null, 0, i from generate_series(1, {CONNECTIONS}) i;
"""
TOML = """\
[project]
name = "noon"
home = "postgres"
[stores.postgres]
[environments.noon]
postgres.url = "${NOON_URL}"
"""
_ENV = """\
import os

from sqlalchemy import create_engine, pool

from alembic import context

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    url = os.environ["NOON_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
"""
_REVISION = '''\
"""{title}"""

from alembic import op

revision = "{number:04d}"
down_revision = {parent!r}
destructive = {destructive}


def upgrade() -> None:
{body}


def downgrade() -> None:
    raise NotImplementedError
'''
_CONCURRENTLY = "with op.get_context().autocommit_block():"


def prepare(url: str) -> None:
    """Make the tables and their rows in an empty database."""
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA.encode())


def write(folder: Path) -> int:
    """Write the project; how many revisions it has."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (folder / "provision.toml").write_text(TOML)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\n")
    (folder / "alembic" / "env.py").write_text(_ENV)
    revisions = list(changes())
    for number, (title, statements) in enumerate(revisions, 1):
        lines = [f"op.execute({each!r})" for each in statements]
        if "concurrently" in title:
            lines = [_CONCURRENTLY, *(f"    {each}" for each in lines)]
        text = _REVISION.format(
            title=title.capitalize(),
            number=number,
            parent=f"{number - 1:04d}" if number > 1 else None,
            destructive="drop" in title,
            body="\n".join(f"    {each}" for each in lines),
        )
        (versions / f"{number:04d}_step.py").write_text(text)
    return len(revisions)


def changes() -> Iterator[tuple[str, list[str]]]:
    """Title and statements of each revision: eight for each of five tables."""
    stays = TABLES[:-1]
    for place, table in enumerate(stays):
        other, third = stays[(place + 1) % 5], stays[(place + 3) % 5]
        kept = f"kept_{table}"
        yield (
            f"add columns to {table} and {other}",
            [f"alter table {each} add a_{table} int not null default 0" for each in (table, other)],
        )
        yield f"add a constraint to {table}", [f"alter table {table} add constraint c_{table} check (n >= 0) not valid"]
        yield f"validate it in {table}", [f"alter table {table} validate constraint c_{table}"]
        yield f"index {table} concurrently", [f"create index concurrently i_{table} on {table} (n)"]
        yield (
            f"add a table of {table} and {third}",
            [f"create table {kept} (id int primary key, x int references {table}, y int references {third})"],
        )
        yield (
            f"add a foreign key from {table} to {other}",
            [
                f"alter table {table} add f_{table} int",
                f"alter table {table} add constraint k_{table} foreign key (f_{table}) references {other}",
            ],
        )
        dropped = "shipments" if place == 2 else kept
        yield f"drop table {dropped}", [f"drop table {dropped}"]
        yield (
            f"drop columns of {table} and {other}",
            [f"alter table {table} drop note", f"alter table {other} drop a_{table}"],
        )

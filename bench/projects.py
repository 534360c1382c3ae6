"""Writes the projects that are timed: one revision a file, the same files for both tools."""

from __future__ import annotations

from pathlib import Path

_TOML = """\
[project]
name = "bench"
home = "{home}"
[stores.{store}]
[environments.bench]
{store}.url = "${{BENCH_URL}}"
"""
_INI = """\
[alembic]
script_location = %(here)s/alembic
path_separator = os
{url}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
# What `alembic init` writes, with a transaction for each revision, as provision has it.
_ENV = """\
from logging.config import fileConfig

from sqlalchemy import engine_from_config, pool

from alembic import context

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)

connectable = engine_from_config(
    config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with connectable.connect() as connection:
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
_TABLE = '''\
"""Table {number}."""

import sqlalchemy as sa

from alembic import op

revision = "{number:04d}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "t{number:04d}",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("t{number:04d}")
'''
_COLUMN = '''\
"""A column of table {other}."""

import sqlalchemy as sa

from alembic import op

revision = "{number:04d}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("t{other:04d}", sa.Column("score", sa.Float))


def downgrade() -> None:
    op.drop_column("t{other:04d}", "score")
'''


def postgres(folder: Path, count: int) -> Path:
    """A project of `count` Alembic revisions: tables and columns in turn. Returns `folder`."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (folder / "provision.toml").write_text(_TOML.format(store="postgres", home="postgres"))
    (folder / "alembic.ini").write_text(_INI.format(url=""))
    (folder / "alembic" / "env.py").write_text(_ENV)
    for number in range(1, count + 1):
        text = _TABLE if number % 2 else _COLUMN
        before = f'"{number - 1:04d}"' if number > 1 else None
        (versions / f"{number:04d}_change.py").write_text(text.format(number=number, other=number - 1, before=before))
    return folder


def postgres_ini(folder: Path, url: str) -> Path:
    """An ini for bare `alembic`, which takes its url from there."""
    place = folder / f"alembic-{url.rsplit('/', 1)[1].split('?', 1)[0]}.ini"
    driver = url.replace("postgresql://", "postgresql+psycopg://", 1).replace("%", "%%")
    place.write_text(_INI.format(url=f"sqlalchemy.url = {driver}"))
    return place


def clickhouse(folder: Path, count: int) -> Path:
    """A project of `count` clickhouse-migrations files: tables and columns in turn. Returns `folder`."""
    (folder / "clickhouse").mkdir(parents=True)
    # Without a run lock, as clickhouse-migrations takes none unless it is asked to.
    (folder / "provision.toml").write_text(_TOML.format(store="clickhouse", home="none"))
    for number in range(1, count + 1):
        if number % 2:
            text = f"CREATE TABLE t{number:04d} (id UInt64, name String, at DateTime) ENGINE = MergeTree ORDER BY id;\n"
        else:
            text = f"ALTER TABLE t{number - 1:04d} ADD COLUMN score Float64 DEFAULT 0;\n"
        (folder / "clickhouse" / f"{number:04d}_change.sql").write_text(text)
    return folder

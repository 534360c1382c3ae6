"""Alembic's environment for the databases of this project: `provision` and bare `alembic` both run it.

Under `provision` the url is set already. Bare `alembic` asks provision.toml for it, by the same rule as `provision`
itself: an environment must be named (PROVISION_ENV) when output is not a terminal.
"""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def url() -> str:
    """The url of this project's PostgreSQL; starts the embedded engine where the environment has one."""
    given = config.get_main_option("sqlalchemy.url")
    if given:
        return given
    from provision.cli.url import of

    return of("postgres").replace("postgresql://", "postgresql+psycopg://", 1)


if context.is_offline_mode():
    context.configure(
        url=config.get_main_option("sqlalchemy.url") or "postgresql+psycopg://",
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},  # the driver's own style would double every percent sign
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url(), poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()

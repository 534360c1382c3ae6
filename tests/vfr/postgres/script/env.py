"""Runs the shipped revisions on the url given, without anything of provision in between."""

import sqlalchemy
from alembic import context

engine = sqlalchemy.create_engine(context.config.attributes["url"], poolclass=sqlalchemy.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        transaction_per_migration=context.config.attributes["transaction_per_migration"],
    )
    with context.begin_transaction():
        context.run_migrations()

"""What Phoenix's start-up gives env.py: a connection. Its own is one of asyncio; env.py takes any other as well."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.config import Config
from sqlalchemy import NullPool, create_engine


@contextmanager
def prepare(config: Config) -> Iterator[None]:
    url = config.get_main_option("sqlalchemy.url")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        config.attributes["connection"] = connection
        yield

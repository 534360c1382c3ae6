"""A PostgreSQL 15 with pg_cron, for the tests of one file: cron has one database, which is fixed when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.databases import Postgres15

SETTINGS = {"cron.database_name": "postgres", "cron.use_background_workers": "on"}


@contextmanager
def postgres_with_cron() -> Iterator[str]:
    """The url of its database."""
    with Postgres15(None, "pg_cron", settings=SETTINGS) as server:
        yield server.url

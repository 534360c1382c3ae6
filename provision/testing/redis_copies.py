"""Databases of one Redis server, each with the keys of a migrated one."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

ONCE = 500  # keys that are copied with one request


class RedisCopies:
    """The database of this process: it gets the keys of the migrated one again whenever a test asks.

    Each process of pytest-xdist has the database of its own number; a server has 16 as it comes, one is the model.
    """

    def __init__(self, url: str) -> None:
        """`url` is the migrated database. Raises RuntimeError where the server has none for this process."""
        import redis

        self._model = redis.Redis.from_url(url)
        used = int(self._model.connection_pool.connection_kwargs.get("db") or 0)
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        self._number = number + (number >= used)
        has = int(self._model.config_get("databases")["databases"] or 0)
        if self._number >= has:
            raise RuntimeError(f"the Redis of the tests has {has} databases: run at most {has - 1} processes (-n)")
        self.url = urlsplit(url)._replace(path=f"/{self._number}").geturl()
        self._copy = redis.Redis.from_url(self.url)

    def renew(self) -> str:
        """The url of the copy, which has every key of the model and no other."""
        self._copy.flushdb()
        cursor = 0
        while True:
            cursor, keys = self._model.scan(cursor, count=ONCE)
            requests: Any = self._model.pipeline(transaction=False)
            for key in keys:
                requests.execute_command("COPY", key, key, "DB", self._number, "REPLACE")
            requests.execute()
            if not cursor:
                return self.url

    def close(self) -> None:
        self._copy.flushdb()
        self._copy.close()
        self._model.close()

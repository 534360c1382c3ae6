"""Results of data checks in a stream, one entry a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from provision.errors import ConfigError
from provision.model.checks import Result, StoredResult, ValidationRun
from provision.model.schema import not_ours
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server
from provision.validate.kept import from_json, to_json

PAGE = 1000
# Some 500 bytes each: half a gigabyte would be too much for a cache.
MOST = 200_000


class RedisHistory:
    """`provision.ports.validate.History`; keeps about the last 200,000 results, since Redis keeps all in memory."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server

    def create(self) -> None:
        """Nothing: the first entry makes the stream."""

    def add(self, run: ValidationRun, results: Sequence[Result]) -> None:
        """Raises FailedError."""
        trim = ("MAXLEN", "~", MOST)
        with self._server().writing():
            self._server().together(
                *(("XADD", self._keys.validation, *trim, "*", "result", to_json(run, each)) for each in results)
            )

    def read(
        self, suite: str | None = None, check: str | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Sequence[StoredResult]:
        """Raises UnreachableError, or ConfigError (history-unreadable)."""
        wanted = {"suite": suite, "check": check}

        def asked(kept: StoredResult) -> bool:
            alike = all(value in (None, getattr(kept.result, name)) for name, value in wanted.items())
            return alike and (since is None or kept.run.at >= since)

        with self._server().reading():
            newest = list(islice(filter(asked, self._entries()), limit))
        # Within one run the order of the suite.
        oldest_first = newest[::-1]
        return sorted(oldest_first, key=lambda kept: kept.run.id, reverse=True)

    def _entries(self) -> Iterator[StoredResult]:
        end = "+"
        while True:
            page = self._server().call("XREVRANGE", self._keys.validation, end, "-", "COUNT", PAGE)
            for entry_id, fields in page:
                yield self._kept(entry_id, fields)
            if len(page) < PAGE:
                return
            end = f"({page[-1][0]}"

    def _kept(self, entry_id: str, fields: dict[str, str]) -> StoredResult:
        try:
            return from_json(fields["result"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                "history-unreadable",
                not_ours(f"entry {entry_id} of {self._keys.validation}", error),
                where=self._server().shown,
                fix="remove the entry with XDEL",
            ) from None

"""Queries that only read, each with its time limit, and what their refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from provision.errors import FailedError
from provision.model.checks import Scope
from provision.net.guard import streamed
from provision.stores.clickhouse.server import Client, ServerRefused

TIMEOUT, TOO_SLOW = 159, 160
# Beyond this a GROUP BY or a sort goes to disk, so that a check of a large table never starves the server.
# What a profile may say so that fewer rows are counted, or those of a minute ago, and nobody is told.
_ALL_ROWS = {
    **{f"{each}_overflow_mode": "throw" for each in ("timeout", "read", "group_by", "sort", "result")},
    **{f"{each}_overflow_mode": "throw" for each in ("set", "join", "distinct")},
    **dict.fromkeys(
        ("skip_unavailable_shards", "limit", "offset", "use_query_cache", "empty_result_for_aggregation_by_empty_set"),
        "0",
    ),
    "additional_table_filters": "{}",
}
_IN_MEMORY = {"max_bytes_before_external_group_by": "400000000", "max_bytes_before_external_sort": "400000000"}


class ReadOnlyQueries:
    """A client of its own, made when first needed. Safe to use from several threads."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def ask(self, sql: str, scope: Scope) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises Refused as the server says it, and UnreachableError."""
        client = self._open()
        driver, settings = client.driver(), _settings(scope)
        found = client.ask(lambda: driver.query(sql, settings=settings, tz_mode="aware").result_rows)
        return [tuple(row) for row in found]

    def rows(self, sql: str, scope: Scope) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises FailedError (check-timeout, check-failed) and UnreachableError."""
        try:
            return self.ask(sql, scope)
        except ServerRefused as error:
            raise _explained(error, scope) from None

    def stream(self, sql: str, scope: Scope) -> Iterator[tuple[Any, ...]]:
        """As `rows`, block by block: never all of them in memory."""
        client = self._open()
        driver, settings = client.driver(), _settings(scope)
        try:
            with streamed():
                answer = client.ask(lambda: driver.query_row_block_stream(sql, settings=settings))
            with answer as blocks:
                listed = iter(blocks)
                while (block := client.ask(lambda: next(listed, None))) is not None:
                    yield from block
        except ServerRefused as error:
            raise _explained(error, scope) from None

    def _open(self) -> Client:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _settings(scope: Scope) -> dict[str, str]:
    return {"readonly": "1", "max_execution_time": str(max(1, round(scope.seconds))), **_ALL_ROWS, **_IN_MEMORY}


def _explained(error: ServerRefused, scope: Scope) -> FailedError:
    if error.number in (TIMEOUT, TOO_SLOW):
        what = f"a statement took longer than {scope.seconds:g} s"
        return FailedError("check-timeout", what, fix="raise --timeout, or narrow with --since")
    return FailedError("check-failed", error.what, fix="correct the check")

"""Latency of a question in GraphQL, which only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model.checks import Check, Scope, Table
from provision.stores.weaviate.server import Server
from provision.validate.stopwatch import times


class WeaviateTimed:
    """`provision.ports.validate.Timed`."""

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server

    def refused(self, query: str, _table: Table, check: Check) -> Sequence[ProvisionError]:
        why = self._asked(query)
        if not why:
            return ()
        what = f"{check.name}: the server refuses the query: {why}"
        return [
            ConfigError("bad-expression", what, where=check.place, fix="write GraphQL: {Get {Collection {property}}}")
        ]

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        def ask() -> None:
            if why := self._asked(query):
                raise FailedError("check-failed", f"the server refuses the query: {why}", fix="correct the check")

        return times(ask, runs, time.monotonic() + scope.seconds)

    def plan(self, _query: str, _scope: Scope) -> Sequence[str]:
        return ()  # it tells none

    def _asked(self, query: str) -> str:
        """What the server has against it; empty where it answers."""
        server = self._server()
        with server.reading():
            status, body, text = server.graphql(query)
        errors = body.get("errors") if isinstance(body, dict) else None
        if errors:
            return str(errors[0].get("message", errors[0]))
        return text[:200] if status >= 400 else ""

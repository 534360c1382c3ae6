"""Latency of a command that only reads."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence

from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model.checks import Check, Scope, Table
from provision.stores.redis.server import Server
from provision.validate.stopwatch import times

_STRINGS = ("EXISTS", "GET", "GETRANGE", "MGET", "PING", "PTTL", "STRLEN", "TTL", "TYPE")
_HASHES = ("HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HVALS")
_LISTS = ("LINDEX", "LLEN", "LRANGE", "SCARD", "SISMEMBER", "SMEMBERS")
_SORTED = ("XLEN", "XRANGE", "XREVRANGE", "ZCARD", "ZRANGE", "ZREVRANGE", "ZSCORE")
READS = frozenset((*_STRINGS, *_HASHES, *_LISTS, *_SORTED))


class RedisTimed:
    """`provision.ports.validate.Timed`."""

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server

    def refused(self, query: str, table: Table, check: Check) -> Sequence[ProvisionError]:
        try:
            words = shlex.split(query)
        except ValueError as error:
            return [_bad(check, f"{query!r} is no command: {error}", "close the quotes")]
        if not words or words[0].upper() not in READS:
            what = f"{words[0] if words else query!r} is no command that only reads one key or some"
            return [_bad(check, what, f"use one of {', '.join(sorted(READS))}")]
        with self._server().reading():
            answer = self._server().together(words)
        del answer, table
        return ()

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        words, server = shlex.split(query), self._server()
        import redis

        try:
            with server.reading():
                return times(lambda: server.call(*words), runs, time.monotonic() + scope.seconds)
        except redis.ResponseError as error:
            raise FailedError("check-failed", f"the server refuses the command: {error}", fix="correct it") from None

    def plan(self, _query: str, _scope: Scope) -> Sequence[str]:
        return ()  # it plans nothing


def _bad(check: Check, what: str, fix: str) -> ConfigError:
    return ConfigError("bad-expression", f"{check.name}: {what}", where=check.place, fix=fix)

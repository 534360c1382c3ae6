"""Named run locks in Redis: every method is one script on the server's own clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from provision.errors import ConfigError
from provision.model import Holding, Owner
from provision.stores.redis import scripts
from provision.stores.redis.keys import Keys
from provision.stores.redis.server import Server


class RedisLeases:
    """One hash a lease; its field `highest` survives a release, so that no token is given out twice."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys = keys
        self._server = server

    def create(self) -> None:
        """Leases need nothing made. Raises ConfigError (home-evicts) for a server that may throw them away."""
        self._refuse_eviction()

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> Holding:
        """Take the lease if it is free or expired; the holding that is in force afterwards.

        Raises ConfigError (home-evicts), FailedError.
        """
        self._refuse_eviction()
        with self._server().writing():
            holder = json.dumps(asdict(owner), sort_keys=True, ensure_ascii=False)
            answer = self._server().script(
                scripts.TAKE_LEASE, [self._keys.lease(name)], holder, _milliseconds(seconds), floor
            )
        return _holding(name, answer)

    def extend(self, name: str, token: int, seconds: float) -> bool:
        with self._server().writing():
            key = self._keys.lease(name)
            return bool(self._server().script(scripts.EXTEND_LEASE, [key], token, _milliseconds(seconds)))

    def release(self, name: str, token: int) -> bool:
        with self._server().writing():
            return bool(self._server().script(scripts.RELEASE_LEASE, [self._keys.lease(name)], token))

    def read(self, name: str) -> Holding | None:
        with self._server().reading():
            answer = self._server().script(scripts.READ_LEASE, [self._keys.lease(name)])
        return _holding(name, answer) if answer else None

    def _refuse_eviction(self) -> None:
        server = self._server()
        with server.reading():
            memory = server.call("INFO", "memory")
        policy = memory.get("maxmemory_policy", "noeviction")
        if int(memory.get("maxmemory", 0)) and policy != "noeviction":
            raise ConfigError(
                "home-evicts",
                f"this server may throw leases away: maxmemory-policy is {policy}",
                where=server.shown,
                fix="set maxmemory-policy to noeviction, or name another home in provision.toml",
            )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _holding(name: str, answer: Sequence[str]) -> Holding:
    holder, token, taken_at, left = answer
    whole, micros = taken_at.split(".")
    taken = datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=int(micros))
    return Holding(name, Owner(**json.loads(holder)), int(token), taken, int(left) / 1000)

"""Named run locks in Redis: every method is one script on the server's own clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from provision.errors import ConfigError
from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.model.stores import lock_unreadable
from provision.stores.redis import scripts
from provision.stores.redis.names import Keys
from provision.stores.redis.server import Server

_FIELDS = ("holder", "token", "taken_at", "expires", "asked_back_by")


class RedisLeases:
    """One hash a lease; its field `highest` survives a release, so that no token is given out twice."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys = keys
        self._server = server

    def create(self) -> None:
        """Leases need nothing made. Raises ConfigError (home-evicts) for a server that may throw them away."""
        self._refuse_eviction()

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        """Take the lease if it is free or expired; the holding that is in force afterwards.

        Raises ConfigError (home-evicts), FailedError.
        """
        self._refuse_eviction()
        with self._server().writing():
            keys = [self._keys.lease(name), self._keys.highest(name)]
            words = (_kept(owner), _milliseconds(seconds), floor, _kept(UNKNOWN_HOLDER))
            answer = self._server().script(scripts.TAKE_LEASE, keys, *words)
        return _holding(name, answer)

    def extend(self, name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        answer = self._of_holder(scripts.EXTEND_LEASE, name, owner, token, _milliseconds(seconds))
        return {1: Heartbeat.KEPT, 2: Heartbeat.ASKED_BACK}.get(answer, Heartbeat.LOST)

    def ask_back(self, name: str, owner: Owner, token: int, by: str) -> bool:
        return bool(self._of_holder(scripts.ASK_BACK_LEASE, name, owner, token, by))

    def release(self, name: str, owner: Owner, token: int) -> bool:
        return bool(self._of_holder(scripts.RELEASE_LEASE, name, owner, token))

    def read(self, name: str) -> LeaseRecord | None:
        with self._server().reading():
            answer = self._server().script(scripts.READ_LEASE, [self._keys.lease(name)])
        return _holding(name, answer) if answer else None

    def _of_holder(self, script: str, name: str, owner: Owner, token: int, *words: str | int) -> int:
        with self._server().writing():
            told = json.dumps(owner.told(), ensure_ascii=False)
            return int(self._server().script(script, [self._keys.lease(name)], told, token, *words))

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


def _kept(owner: Owner) -> str:
    return json.dumps(owner.kept(), sort_keys=True, ensure_ascii=False)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _holding(name: str, answer: Sequence[str | None]) -> LeaseRecord:
    if lacking := [field for field, value in zip(_FIELDS, answer, strict=True) if value is None]:
        raise lock_unreadable(KeyError(" and no ".join(lacking)))
    holder, token, taken_at, left, asked_back_by = map(str, answer)
    try:
        kept = json.loads(holder)
        whole, micros = taken_at.split(".")
        taken = datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=int(micros))
    except ValueError as error:
        raise lock_unreadable(error) from None
    return LeaseRecord(name, Owner.of(kept), int(token), taken, int(left) / 1000, asked_back_by)

"""Redis documents, on the embedded 6.2 and Debian's 7."""

from __future__ import annotations

from pathlib import Path

import redis

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.redis.fence import Fence
from provision.stores.redis.lease import RedisLeases
from provision.testing.contract.case import Case

_STREAM = "  - create_stream: {{name: 'app:{0}', maxlen: 100, owner: team, description: events}}\n"
_GROUP = "  - create_group: {{stream: 'app:{0}', name: {1}, start: 0}}\n"
_FILES = {
    "001_first": [_STREAM.format("a")],
    "002_second": [_STREAM.format("b"), _GROUP.format("b", "readers"), _GROUP.format("b", "audit")],
    "003_third": [_GROUP.format("a", "late")],
}
_SPOILT = [_FILES["002_second"][0], _GROUP.format("nowhere", "readers"), _FILES["002_second"][2]]


class RedisCase(Case):
    name = kind = "redis"
    crash_stride = 3
    crash_points = ((Fence, "apply"), (Fence, "batch"), (Fence, "transaction"), (RedisLeases, "take"))

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self._client = redis.Redis.from_url(server_url, decode_responses=True)
        self.wipe()

    def build(self, options: StoreOptions) -> Store:
        return kinds.build(options)

    def write(self, folder: Path) -> None:
        for name, operations in _FILES.items():
            self._write(folder, name, operations)

    def spoil(self, folder: Path) -> None:
        self._write(folder, "002_second", _SPOILT)

    def seen(self) -> list[str]:
        names = sorted(str(key) for key in self._client.scan_iter("app:*"))
        return [f"{name}: {sorted(group['name'] for group in self._client.xinfo_groups(name))}" for name in names]

    def everything(self) -> list[str]:
        return sorted(str(key) for key in self._client.scan_iter())

    def wipe(self) -> None:
        self._client.flushall()

    def delete_lease(self, project: str, name: str) -> None:
        assert self._client.delete(f"provision:{project}:lease:{name}") == 1

    def close(self) -> None:
        self.wipe()
        self._client.close()

    @staticmethod
    def _write(folder: Path, name: str, operations: list[str]) -> None:
        (folder / f"{name}.yaml").write_text(f"description: {name}\nup:\n{''.join(operations)}down: auto\n")


class Redis6Case(RedisCase):
    server = "redis_6"


class Redis7Case(RedisCase):
    server = "redis_7"

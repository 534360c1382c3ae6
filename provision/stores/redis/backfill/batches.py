"""Backfills in Redis: keys that should expire and do not get their time, page by page of SCAN.

A page that is done holds nothing more to do, so that a page done again does no harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provision.backfill.log import LoggedBatches, LoggedRuns, LoggedWork, RunLogEntry, Stepped
from provision.errors import ConfigError, ProvisionError
from provision.model.backfills import NAMED, SMALL, Backfill, Left, ServerSignal
from provision.stores.redis.names import OWN, Keys
from provision.text.durations import DURATION, seconds

if TYPE_CHECKING:
    from provision.stores.redis.server import Server

_TTL = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": DURATION}],
    "description": "seconds, or a duration such as 15m, 2h or 1d",
}
KEYS: Mapping[str, Mapping[str, Any]] = {
    "pattern": {"type": "string", "minLength": 1, "description": "the keys, as SCAN matches them: vfr:*:prefs:*"},
    "ttl": _TTL,
}
REQUIRED = ("pattern", "ttl")
# KEYS[1] hash, ARGV: field, version, JSON. Adds an entry if its version is the next one.
_ADD = """
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local version = kept and tonumber(string.match(kept, '^(%d+) ')) or -1
if version + 1 ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return 1
"""
# ARGV: seconds, then keys. Sets a time only where there is none; answers how many.
_EXPIRE = """
local set = 0
for i = 2, #ARGV do
  if redis.call('PTTL', ARGV[i]) == -1 then set = set + redis.call('EXPIRE', ARGV[i], ARGV[1]) end
end
return set
"""


class RedisBatches(LoggedBatches):
    """`provision.ports.backfill.Batches`."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server
        self.runs = LoggedRuns(_Hash(keys, server), self.now, keys.store)

    def work(self, backfill: Backfill) -> RedisWork:
        return RedisWork(self.runs, backfill, self._server)

    def now(self) -> datetime:
        with self._server().reading():
            whole, micros = self._server().call("TIME")
        return datetime.fromtimestamp(int(whole) + int(micros) / 1e6, UTC)


class RedisWork(LoggedWork):
    """`provision.ports.backfill.Work`: the keys of a pattern without an expiry."""

    def __init__(self, runs: LoggedRuns, backfill: Backfill, server: Callable[[], Server]) -> None:
        super().__init__(runs)
        body: Mapping[str, Any] = backfill.body
        self._backfill, self._server = backfill, server
        self._pattern, self._ttl = str(body["pattern"]), seconds(body["ttl"])

    def refused(self) -> Sequence[ProvisionError]:
        if not self._pattern.startswith(OWN):
            return []
        what = f"{self._pattern} are provision's own keys"
        where = self._backfill.place("pattern")
        return [ConfigError("own-keys", what, where=where, fix="name keys of the application")]

    def warnings(self) -> Sequence[str]:
        return [f"keys {self._pattern} are deleted by the server when {self._ttl} s have passed"]

    def total(self) -> int | None:
        """Nobody can tell without reading every key."""
        return None

    def size(self) -> int | None:
        with self._server().reading():
            keys = int(self._server().call("DBSIZE"))
        return min(keys, SMALL)

    def cursors(self, _parts: int) -> Sequence[object]:
        return [{"scan": "0"}]

    def left(self, _run: str) -> Left:
        rows, named = 0, list[str]()
        for page in self._pages():
            found = self._endless(page)
            rows += len(found)
            named += found[: NAMED - len(named)]
        return Left(rows, tuple(named))

    def step(self, cursor: object, rows: int) -> Stepped:
        assert isinstance(cursor, dict)
        server = self._server()
        with server.writing():
            following, found = server.call("SCAN", cursor["scan"], "MATCH", self._pattern, "COUNT", max(rows, 10))
            keys = [key for key in found if not key.startswith(OWN)]
            changed = sum(int(server.script(_EXPIRE, [], self._ttl, *some)) for some in _some(keys))
        # SCAN looks at about COUNT keys, whether or not they match.
        return Stepped({"scan": str(following)}, str(following) == "0", max(rows, len(keys)), changed)

    def seen(self) -> ServerSignal:
        """Patience while the server writes its memory to disk: every page that is changed then is copied."""
        server = self._server()
        with server.reading():
            persistence = server.call("INFO", "persistence")
        busy = int(persistence.get("rdb_bgsave_in_progress", 0)) or int(persistence.get("aof_rewrite_in_progress", 0))
        return ServerSignal("a background save", 0.1) if busy else ServerSignal()

    def _pages(self) -> Iterator[list[str]]:
        with self._server().reading():
            for page in self._server().pages(self._pattern):
                yield [key for key in page if not key.startswith(OWN)]

    def _endless(self, keys: list[str]) -> list[str]:
        if not keys:
            return []
        times = self._server().together(*[("PTTL", key) for key in keys])
        return [key for key, ms in zip(keys, times, strict=True) if ms == -1]


class _Hash:
    """`provision.backfill.log.Entries`: field `run:n` → version and JSON; a version is written once."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._name = f"{OWN}{keys.project}:backfills:{keys.store}"
        self._server = server

    def create(self) -> None:
        """Nothing: the first field makes the hash."""

    def newest(self, run: str | None = None) -> Iterator[RunLogEntry]:
        with self._server().reading():
            pairs = self._server().pairs("HGETALL", self._name)
        for name, value in pairs.items():
            of, n = name.rsplit(":", 1)
            if run in (None, of):
                version, body = re.split(" ", value, maxsplit=1)
                yield RunLogEntry(of, int(n), int(version), json.loads(body))

    def add(self, entry: RunLogEntry) -> bool:
        body = json.dumps(dict(entry.body), ensure_ascii=False)
        with self._server().writing():
            return bool(self._server().script(_ADD, [self._name], f"{entry.run}:{entry.n}", entry.version, body))


def _some(keys: list[str], most: int = 500) -> Iterator[list[str]]:
    yield from (keys[start : start + most] for start in range(0, len(keys), most))

"""`provision.ports.maintain.Upkeep` of Redis: keeps streams, lists and sorted sets short, and gives keys their time.

Everything is done page by page of SCAN and may be done again: two runs at once do no harm, so none waits for a turn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from provision import process
from provision.errors import ConfigError
from provision.model import Owner
from provision.model.maintain import Job, JobRun, RunState, Task
from provision.ports.maintain import Say
from provision.stores.redis.maintain.keys import DECLARED
from provision.stores.redis.names import OWN, Keys
from provision.stores.redis.patterns import PLACEHOLDER
from provision.stores.redis.server import PAGE, Server

MOST = 5000  # runs that are kept, some 300 bytes each
_PAGE = 10_000  # entries of a stream that one command removes: the server does nothing else meanwhile
# KEYS: keys, ARGV: seconds. Gives a time to those that have none; answers how many.
_EXPIRE = """
local done = 0
for _, key in ipairs(KEYS) do
    if redis.call('TTL', key) == -1 then done = done + redis.call('EXPIRE', key, ARGV[1]) end
end
return done
"""


class RedisUpkeep:
    scheduler = None  # Redis runs nothing by its own clock

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server

    def tasks(self, job: Job) -> Sequence[Task]:
        if job.body != DECLARED:
            pattern = job.body["keys"]
            if pattern.startswith(OWN):
                what = f"the keys {pattern} are provision's own"
                raise ConfigError("bad-job", what, where=job.shown, fix="name keys of your applications")
            return [_task("trim", pattern, job.body["length"])]
        with self._server().reading():
            streams, families = self._declared(self._keys.streams), self._declared(self._keys.families)
        lengths = [_task("trim", name, each["maxlen"]) for name, each in sorted(streams.items())]
        times = sorted(
            (PLACEHOLDER.sub("*", each["pattern"]), int(each["ttl"])) for each in families.values() if each.get("ttl")
        )
        return [*lengths, *(_task("expire", pattern, seconds) for pattern, seconds in times)]

    def carry_out(self, _job: Job, task: Task, say: Say, _wait: float) -> str:
        verb, pattern, number = json.loads(task.statement)
        with self._server().writing():
            if verb == "trim":
                return self._trimmed(pattern, number, say)
            given = sum(self._server().script(_EXPIRE, page, number) for page in self._pages(pattern, None))
            return f"{given:,} key{'' if given == 1 else 's'} had no time and got {number} s" if given else ""

    def turn(self, _job: Job) -> AbstractContextManager[None]:
        return nullcontext()

    def begin(self, job: Job) -> str:
        owner = process.owner(os.environ)
        entry = {"job": job.name, "actor": owner.actor, "pid": owner.pid, "process": owner.process, **_now("began")}
        with self._server().writing():
            return str(self._server().call("XADD", self._keys.maintenance, "MAXLEN", "~", MOST, "*", *_flat(entry)))

    def end(self, key: str, error: str) -> None:
        entry = {"of": key, "error": error, **_now("ended")}
        with self._server().writing():
            self._server().call("XADD", self._keys.maintenance, "MAXLEN", "~", MOST, "*", *_flat(entry))

    def runs(self, limit: int) -> Sequence[JobRun]:
        with self._server().reading():
            entries = self._server().call("XREVRANGE", self._keys.maintenance, "+", "-", "COUNT", MOST)
        ends, found, seen = dict[str, Mapping[str, str]](), list[JobRun](), dict[str, int]()
        for key, fields in entries:
            if "of" in fields:
                ends[fields["of"]] = fields
            elif seen.setdefault(fields["job"], 0) < limit:
                seen[fields["job"]] += 1
                found.append(_run(fields, ends.get(key)))
        return found

    def _declared(self, catalogue: str) -> dict[str, dict[str, Any]]:
        found = self._server().pairs("HGETALL", catalogue)
        return {name: json.loads(text) for name, text in found.items()}

    def _pages(self, pattern: str, kind: str | None) -> Iterator[list[str]]:
        for page in self._server().pages(pattern, kind):
            if mine := [key for key in page if not key.startswith(OWN)]:
                yield mine

    def _trimmed(self, pattern: str, length: int, say: Say) -> str:
        server, keys, removed = self._server(), 0, 0
        for kind, cut in (("stream", _stream), ("list", _list), ("zset", _sorted_set)):
            for page in self._pages(pattern, kind):
                for key in page:
                    gone = cut(server, key, length)
                    keys, removed = keys + (gone > 0), removed + gone
                if removed > PAGE:
                    say(f"{removed:,} entries removed so far")
        return f"{removed:,} entries of {keys:,} key{'' if keys == 1 else 's'} removed" if removed else ""


def _stream(server: Server, key: str, length: int) -> int:
    """Whole nodes alone: the last one is not cut open."""
    removed = 0
    while gone := int(server.call("XTRIM", key, "MAXLEN", "~", length, "LIMIT", _PAGE)):
        removed += gone
    return removed


def _list(server: Server, key: str, length: int) -> int:
    """What was pushed last by LPUSH stays."""
    before = int(server.call("LLEN", key))
    server.call("LTRIM", key, 0, length - 1)
    return max(before - length, 0)


def _sorted_set(server: Server, key: str, length: int) -> int:
    """The highest scores stay."""
    return int(server.call("ZREMRANGEBYRANK", key, 0, -length - 1))


def _task(verb: str, pattern: str, number: int) -> Task:
    words = f"trim {pattern} to {number:,} entries" if verb == "trim" else f"give {pattern} its {number} s"
    return Task(words, json.dumps([verb, pattern, number]), fixed=False)


def _now(name: str) -> dict[str, str]:
    return {name: datetime.now(UTC).isoformat()}


def _flat(entry: Mapping[str, object]) -> list[str]:
    return [str(part) for pair in entry.items() for part in pair]


def _run(fields: Mapping[str, str], end: Mapping[str, str] | None) -> JobRun:
    error = end["error"] if end else ""
    state = RunState.FAILED if error else RunState.DONE
    if end is None:
        gone = process.dead(Owner(fields["actor"], int(fields["pid"]), fields["process"]))
        state = RunState.CUT_SHORT if gone else RunState.RUNNING
    ended = datetime.fromisoformat(end["ended"]) if end else None
    return JobRun(fields["job"], fields["actor"], datetime.fromisoformat(fields["began"]), ended, state, error)

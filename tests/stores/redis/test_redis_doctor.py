"""What `doctor` finds of a Redis that is full, or cannot write its files; each fix is done as it is printed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

import redis

from provision.model import Finding, Severity, StoreOptions
from provision.stores.redis.setup import health


def odd(url: str, path: Path) -> Sequence[Finding]:
    found = health.look(StoreOptions("jobs", "redis", "shop", path, path), url, home=False)
    return [each for each in found if each.severity is not Severity.FINE and each.rule != "persistence"]


def follow(client: redis.Redis, fix: str) -> None:
    for command in re.findall(r"`([^`]*)`", fix):
        client.execute_command(*command.split())


def test_memory_that_is_nearly_full_is_raised_by_the_command_of_the_fix(redis_7: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_7) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.05))
        try:
            [found] = odd(redis_7, tmp_path)
            assert (found.rule, found.severity) == ("memory", Severity.WARNING)
            follow(client, found.fix)
            assert odd(redis_7, tmp_path) == []
        finally:
            client.config_set("maxmemory", 0)


def test_snapshot_that_failed_is_made_by_the_command_of_the_fix(redis_7: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_7, decode_responses=True) as client:
        place = Path(client.config_get("dir")["dir"], client.config_get("dbfilename")["dbfilename"])
        place.unlink(missing_ok=True)
        (place / "in-the-way").mkdir(parents=True)  # no file can take that name
        client.bgsave()
        _ended(client)
        [found] = odd(redis_7, tmp_path)
        assert (found.rule, found.severity) == ("disk", Severity.ERROR)
        assert found.message == "the last snapshot failed: the server may refuse writes (MISCONF)"
        (place / "in-the-way").rmdir()
        place.rmdir()
        follow(client, found.fix)
        _ended(client)
        assert odd(redis_7, tmp_path) == []
        place.unlink()


def _ended(client: redis.Redis) -> None:
    for _ in range(500):
        if not client.info("persistence")["rdb_bgsave_in_progress"]:
            return
        time.sleep(0.01)

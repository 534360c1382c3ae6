"""The cache as a whole: warmed with bounded concurrency, measured by sample, and freed of what nobody reads."""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vfr_data.cache import Cache, Client
from vfr_data.catalogue import FAMILIES
from vfr_data.errors import BadInput
from vfr_data.tasks import together

Key = TypeVar("Key")
_PATTERNS = {
    name: re.compile(re.sub(r"\\\{\w+\\\}", "[^:]+", re.escape(each.pattern))) for name, each in FAMILIES.items()
}
_STEP = 500


@dataclass(frozen=True)
class Warmed:
    """How many of the keys were loaded, and how many failed, by kind of error."""

    loaded: int
    failed: dict[str, int]


@dataclass(frozen=True)
class FamilyStatistics:
    """Of a sample: keys of the family, their mean size in bytes, and how many of them never expire."""

    keys: int
    mean_bytes: float
    without_expiry: int


class CacheManager:
    """Never asks for all keys at once: Redis serves others between any two steps."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def warm(
        self,
        service: str,
        keys: Iterable[Key],
        load: Callable[[Key], Awaitable[object]],
        *,
        concurrency: int = 8,
        progress: Callable[[int], None] | None = None,
    ) -> Warmed:
        """Call `load` for each key, `concurrency` at a time; one that fails is counted and the others go on.

        `progress` is told after each how many are done. Readers see how far it is under the family cache_warming.
        """
        if concurrency < 1:
            raise BadInput(f"concurrency is {concurrency}; give 1 or more")
        failed: Counter[str] = Counter()
        done = 0
        waiting = iter(keys)

        async def work() -> None:
            nonlocal done
            for key in waiting:  # shared: each worker takes the next one
                try:
                    await load(key)
                except Exception as error:
                    failed[type(error).__name__] += 1
                done += 1
                if progress:
                    progress(done)

        await self._tell(service, "warming")
        await together(*(work() for _ in range(concurrency)))
        await self._tell(service, "warm" if done and not failed else "cold")
        return Warmed(done - failed.total(), dict(failed))

    async def statistics(self, sample: int = 1000) -> dict[str, FamilyStatistics] | None:
        """Figures by family of about `sample` keys, by SCAN; None when Redis is away. Keys of no family: `other`."""
        return await self._cache.ask(lambda client: _statistics(client, sample))

    async def evict_cold(self, family: str, *, idle_seconds: int, budget: int) -> int:
        """Remove at most `budget` keys of a family that nobody read for `idle_seconds`; how many were removed.

        Where Redis keeps frequencies instead (a maxmemory-policy of LFU) it does not know, and nothing is removed:
        that is counted as failed.
        """
        if family not in FAMILIES:
            raise BadInput(f"there is no family {family!r}; give one of {', '.join(sorted(FAMILIES))}")
        found = await self._cache.ask(lambda client: _evict(client, FAMILIES[family].glob(), idle_seconds, budget))
        return found or 0

    async def _tell(self, service: str, state: str) -> None:
        family = FAMILIES["cache_warming"]
        await self._cache.ask(lambda client: client.set(family.key(service=service), state, ex=family.ttl))


def family_of(key: bytes | str) -> str:
    """The family of a key, `other` for none."""
    text = key if isinstance(key, str) else key.decode(errors="replace")
    return next((name for name, pattern in _PATTERNS.items() if pattern.fullmatch(text)), "other")


async def _steps(client: Client, pattern: str | None = None) -> AsyncIterator[Sequence[bytes | str]]:
    cursor = 0
    while True:
        cursor, keys = await client.scan(cursor, match=pattern, count=_STEP)
        yield keys
        if not cursor:
            return


async def _statistics(client: Client, sample: int) -> dict[str, FamilyStatistics]:
    sizes: dict[str, list[int]] = defaultdict(list)
    endless: Counter[str] = Counter()
    seen = 0
    async for keys in _steps(client):
        async with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.memory_usage(key)
                pipeline.ttl(key)
            answers = await pipeline.execute()
        for key, size, ttl in zip(keys, answers[::2], answers[1::2], strict=True):
            if size is not None:  # else it ended meanwhile
                sizes[family_of(key)].append(size)
                endless[family_of(key)] += ttl == -1
        seen += len(keys)
        if seen >= sample:
            break
    return {name: FamilyStatistics(len(each), sum(each) / len(each), endless[name]) for name, each in sizes.items()}


async def _evict(client: Client, pattern: str, idle_seconds: int, budget: int) -> int:
    removed = 0
    async for keys in _steps(client, pattern):
        async with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.object("IDLETIME", key)
            idle = await pipeline.execute()
        cold = [key for key, each in zip(keys, idle, strict=True) if each is not None and each >= idle_seconds]
        cold = cold[: budget - removed]
        if cold:
            removed += await client.unlink(*cold)
        if removed >= budget:
            break
    return removed

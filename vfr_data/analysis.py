"""Analyses of stocks in Redis, computed once for many askers; health of services, and which are passed by."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from vfr_data.cache import Cache
from vfr_data.catalogue import FAMILIES, Family
from vfr_data.errors import BadInput
from vfr_data.moments import Clock, milliseconds, now

Analysis = dict[str, Any]


class AnalysisCache:
    """Objects of the families analysis_…, enhancement, service_health and service_fallback.

    With Redis away reads find nothing, writes give False, and no service is passed by.
    """

    def __init__(self, cache: Cache, clock: Clock = now) -> None:
        self._cache, self._clock = cache, clock
        self._flights: dict[str, asyncio.Task[Analysis]] = {}

    async def put(self, symbol: str, analysis: Mapping[str, Any], *, enhanced: bool = False) -> bool:
        """Keep an analysis until the end of its life, 15 minutes; readers find it in the window of now."""
        family = _family(enhanced)
        return await self._cache.set(family.key(self._clock(), symbol=symbol), analysis, family.ttl)

    async def get(self, symbol: str, *, prefer_enhanced: bool = False) -> Analysis | None:
        """The analysis of this quarter of an hour; with `prefer_enhanced` the enhanced one where there is one."""
        at = self._clock()
        if prefer_enhanced:
            enhanced = await self._cache.get(_family(True).key(at, symbol=symbol))
            if enhanced is not None:
                return enhanced
        return await self._cache.get(_family(False).key(at, symbol=symbol))

    async def get_or_compute(
        self, symbol: str, compute: Callable[[], Awaitable[Analysis]], *, enhanced: bool = False
    ) -> Analysis:
        """The cached analysis, else what `compute` gives, kept. Those who ask meanwhile wait for that one computation.

        It goes on when one who waits is cancelled. What it raises is raised to all who wait, and nothing is kept.
        """
        family = _family(enhanced)
        key = family.key(self._clock(), symbol=symbol)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._compute(key, family.ttl, compute))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def put_enhancement(self, symbol: str, factor: str, enhancement: Mapping[str, Any]) -> bool:
        """Keep what the models add to a factor, 5 minutes."""
        family = FAMILIES["enhancement"]
        return await self._cache.set(family.key(self._clock(), symbol=symbol, factor=factor), enhancement, family.ttl)

    async def enhancement(self, symbol: str, factor: str) -> Analysis | None:
        """What the models add to a factor, of these five minutes."""
        return await self._cache.get(FAMILIES["enhancement"].key(self._clock(), symbol=symbol, factor=factor))

    async def report_health(self, service: str, health: Mapping[str, Any]) -> bool:
        """Keep the health of a service, 30 seconds; `last_check` is added. `status` is healthy, degraded or down."""
        if health.get("status") not in ("healthy", "degraded", "down"):
            raise BadInput(f"{service}: status is {health.get('status')!r}; give healthy, degraded or down")
        family = FAMILIES["service_health"]
        whole = {**health, "last_check": milliseconds(self._clock())}
        return await self._cache.set(family.key(service=service), whole, family.ttl)

    async def health(self, service: str) -> Analysis | None:
        """The last health that the service reported; None when it has not for 30 seconds."""
        return await self._cache.get(FAMILIES["service_health"].key(service=service))

    async def fall_back(self, service: str, reason: str, seconds: int | None = None) -> bool:
        """Pass a service by for some seconds, a minute if not given; the others are asked as before."""
        family = FAMILIES["service_fallback"]
        duration = family.ttl if seconds is None else seconds
        if duration < 1:
            raise BadInput(f"{service}: cannot be passed by for {duration} s; give 1 or more")
        since = milliseconds(self._clock())
        state = {"reason": reason, "since": since, "estimated_recovery": since + duration * 1000}
        return await self._cache.set(family.key(service=service), state, duration)

    async def falls_back(self, service: str) -> bool:
        """Whether that service is passed by now: one EXISTS."""
        key = FAMILIES["service_fallback"].key(service=service)
        return bool(await self._cache.ask(lambda client: client.exists(key)))

    async def _compute(self, key: str, ttl: int, compute: Callable[[], Awaitable[Analysis]]) -> Analysis:
        text = await self._cache.text(key)
        found = None if text is None else self._cache.decoded(text)
        if found is not None:
            return found
        computed = await compute()
        await self._cache.fill(key, text, computed, ttl)
        return computed


def _family(enhanced: bool) -> Family:
    return FAMILIES["analysis_enhanced" if enhanced else "analysis_classic"]

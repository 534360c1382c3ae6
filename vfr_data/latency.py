"""What the models add to an answer: the last hundred latencies of each symbol and hour."""

from vfr_data.cache import Cache, Client
from vfr_data.catalogue import FAMILIES
from vfr_data.errors import BadInput
from vfr_data.moments import Clock, now
from vfr_data.numbers import is_finite

KEPT = 100
_FAMILY = FAMILIES["enhancement_latency"]


class LatencyTracker:
    """Latencies in milliseconds, by the hour of UTC."""

    def __init__(self, cache: Cache, clock: Clock = now) -> None:
        self._cache, self._clock = cache, clock

    async def track(self, symbol: str, milliseconds: float) -> bool:
        """Add one; False when Redis did not take it. Raises BadInput for what is no time."""
        if not is_finite(milliseconds) or milliseconds < 0:
            raise BadInput(f"{symbol}: {milliseconds} is no latency; give milliseconds, 0 or more")
        key = _FAMILY.key(self._clock(), symbol=symbol)

        async def add(client: Client) -> bool:
            # In one MULTI: a list that is not bounded, or never ends, cannot be left.
            async with client.pipeline(transaction=True) as pipeline:
                pipeline.lpush(key, f"{milliseconds:g}")
                pipeline.ltrim(key, 0, KEPT - 1)
                pipeline.expire(key, _FAMILY.ttl)
                await pipeline.execute()
            return True

        return bool(await self._cache.ask(add))

    async def average(self, symbol: str) -> float | None:
        """Mean of what is kept of this hour, milliseconds; None where there is none. What is no number is counted."""
        key = _FAMILY.key(self._clock(), symbol=symbol)
        found = await self._cache.ask(lambda client: client.lrange(key, 0, -1))
        numbers = [each for each in map(_number, found or []) if each is not None]
        self._cache.counts["wrong"] += len(found or []) - len(numbers)
        return sum(numbers) / len(numbers) if numbers else None


def _number(text: bytes | str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if is_finite(number) else None

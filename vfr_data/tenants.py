"""What belongs to a tenant in Redis: the families of probabilities, confidences, settings and learning."""

from collections.abc import Mapping
from typing import Any

from vfr_data.cache import Cache, Client
from vfr_data.catalogue import FAMILIES, Family
from vfr_data.errors import BadInput
from vfr_data.moments import Clock, now


class TenantCache:
    """Entries of one tenant: every key has it, and no method takes another. Windows are those of now."""

    def __init__(self, cache: Cache, tenant_id: str, clock: Clock = now) -> None:
        self._cache, self._tenant, self._clock = cache, tenant_id, clock

    async def put(self, family: str, value: Mapping[str, Any], **parts: str) -> bool:
        """Write an object of a JSON family whole; False when Redis did not take it. Raises BadInput."""
        of = _of(family, "json")
        return await self._cache.set(self._key(of, parts), value, of.ttl)

    async def get(self, family: str, **parts: str) -> dict[str, Any] | None:
        """The object of a JSON family; None where there is none."""
        return await self._cache.get(self._key(_of(family, "json"), parts))

    async def update(self, family: str, fields: Mapping[str, str | float], **parts: str) -> bool:
        """Write some fields of a hash family; the others stay. False when Redis did not take them. Raises BadInput."""
        of = _of(family, "hash")
        key = self._key(of, parts)
        if not fields:
            raise BadInput(f"{family}: no fields to write; give one or more")
        texts: dict[Any, Any] = {**fields}

        async def write(client: Client) -> bool:
            # In one MULTI: a hash that never ends cannot be left.
            async with client.pipeline(transaction=True) as pipeline:
                pipeline.hset(key, mapping=texts)
                pipeline.expire(key, of.ttl)
                await pipeline.execute()
            return True

        return bool(await self._cache.ask(write))

    async def fields(self, family: str, **parts: str) -> dict[str, str]:
        """The fields of a hash family as texts; empty where there is none."""
        key = self._key(_of(family, "hash"), parts)
        found: Mapping[Any, Any] = await self._cache.ask(lambda client: client.hgetall(key)) or {}
        return {_text(name): _text(value) for name, value in found.items()}

    def _key(self, of: Family, parts: Mapping[str, str]) -> str:
        return of.key(self._clock(), **{**parts, "tenant_id": self._tenant})


def _of(name: str, kind: str) -> Family:
    found = FAMILIES.get(name)
    if found is None or found.type != kind or "{tenant_id}" not in found.pattern:
        right = [each.name for each in FAMILIES.values() if each.type == kind and "{tenant_id}" in each.pattern]
        raise BadInput(f"{name!r} is no {kind} family of a tenant; give one of {', '.join(right)}")
    return found


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")

"""Fields of hashes from Redis, in one pipeline with what others ask for meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from vfr_data.cache import Cache, Client

Texts = list[bytes | None]
_Wanted = list[tuple[Sequence[str], Sequence[bytes]]]
"""Keys, and the fields of each of them."""

CHUNK = 1000
"""How many callers share a pipeline."""


class _Batch(NamedTuple):
    """What callers of one moment want, and the task that gives each its texts."""

    wanted: _Wanted
    answers: asyncio.Task[list[Texts]]


class Reads:
    """Reads of one cache. A round trip costs a client more than what it reads: callers of one moment share one."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._next: _Batch | None = None

    async def entries(self, keys: Sequence[str], fields: Sequence[bytes]) -> Sequence[Mapping[str, Any] | None]:
        """The fields of each hash in turn; None for what is no object or not there. Empty when Redis gave no answer."""
        return self.cache.decoded_all(await self._shared(keys, fields))

    async def _shared(self, keys: Sequence[str], fields: Sequence[bytes]) -> Texts:
        loop = asyncio.get_running_loop()
        batch = self._next
        if batch is None or batch.answers.get_loop() is not loop or len(batch.wanted) == CHUNK:
            wanted: _Wanted = []
            batch = self._next = _Batch(wanted, loop.create_task(self._send(wanted)))
        number = len(batch.wanted)
        batch.wanted.append((keys, fields))
        # A caller that is cancelled leaves the others theirs.
        answers = await asyncio.shield(batch.answers)
        return answers[number]

    async def _send(self, wanted: _Wanted) -> list[Texts]:
        """Ask for what has come together until the loop came to this."""
        if self._next and self._next.wanted is wanted:
            self._next = None
        return await self.cache.ask(partial(_fetch, wanted=wanted)) or [[]] * len(wanted)


async def _fetch(client: Client, wanted: _Wanted) -> list[Texts]:
    """Of each caller the fields of each hash in turn; None for one that is not there, or in a key of another type."""
    if len(wanted) == 1 and len(wanted[0][0]) == 1:
        [([key], fields)] = wanted
        with suppress(ResponseError):
            return [await client.hmget(key, fields)]  # type: ignore[list-item]
        return [[None] * len(fields)]
    async with client.pipeline(transaction=False) as pipeline:
        for keys, fields in wanted:
            for key in keys:
                pipeline.hmget(key, fields)
        answers = iter(await pipeline.execute(raise_on_error=False))
    return [_texts([next(answers) for _ in keys], len(fields)) for keys, fields in wanted]


def _texts(answers: Sequence[object], width: int) -> Texts:
    return [text for each in answers for text in (each if isinstance(each, list) else [None] * width)]

"""Fields of hashes from Redis, in one pipeline with what others ask for meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.exceptions import ResponseError

from vfr_data.cache import Cache, Client, is_wrong_type

Texts = list[bytes | None]
_Wanted = list[tuple[Sequence[str], Sequence[bytes]]]
"""Keys, and the fields of each of them."""

FIELDS = 5000
"""How many fields share a pipeline: who wants few does not wait for all that others want."""


@dataclass
class _Batch:
    """What callers of one moment want, how many fields, and the task that gives each its texts."""

    wanted: _Wanted
    answers: asyncio.Task[list[Texts]]
    fields: int = 0

    def takes(self, loop: asyncio.AbstractEventLoop, fields: int) -> bool:
        """Whether so many more fields are asked for with it."""
        return self.answers.get_loop() is loop and not self.answers.done() and self.fields + fields <= FIELDS


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
        batch, more = self._next, len(keys) * len(fields)
        if batch is None or not batch.takes(loop, more):
            wanted: _Wanted = []
            batch = self._next = _Batch(wanted, loop.create_task(self._send(wanted)))
        number = len(batch.wanted)
        batch.wanted.append((keys, fields))
        batch.fields += more
        try:
            # A caller that is cancelled leaves the others theirs.
            answers = await asyncio.shield(batch.answers)
        except asyncio.CancelledError:
            if _is_cancelled() or not batch.answers.cancelled():
                raise
            return []  # the task was, and the caller was not
        return answers[number]

    async def _send(self, wanted: _Wanted) -> list[Texts]:
        """Ask for what has come together until the loop came to this."""
        await asyncio.sleep(0)  # an eager task begins before the first is in it
        if self._next and self._next.wanted is wanted:
            self._next = None
        return await self.cache.ask(partial(_fetch, wanted=wanted, counts=self.cache.counts)) or [[]] * len(wanted)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _fetch(client: Client, wanted: _Wanted, counts: Counter[str]) -> list[Texts]:
    """Of each caller the fields of each hash in turn; None for one that is not there, or in a key of another type.

    Raises redis.RedisError, for any other refusal too.
    """
    if len(wanted) == 1 and len(wanted[0][0]) == 1:  # a pipeline costs more
        [([key], fields)] = wanted
        try:
            return [_texts(await client.hmget(key, fields), len(fields), counts)]
        except ResponseError as error:
            return [_texts(error, len(fields), counts)]
    async with client.pipeline(transaction=False) as pipeline:
        for keys, fields in wanted:
            for key in keys:
                pipeline.hmget(key, fields)
        answers = iter(await pipeline.execute(raise_on_error=False))
    return [[text for _ in keys for text in _texts(next(answers), len(fields), counts)] for keys, fields in wanted]


def _texts(answer: object, width: int, counts: Counter[str]) -> Texts:
    if isinstance(answer, list):
        return answer
    if isinstance(answer, Exception) and not is_wrong_type(answer):
        raise answer
    counts["wrong"] += 1
    return [None] * width

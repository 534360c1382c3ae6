"""Tasks that are not left behind, and steps that a cancelled caller does not leave half done."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

Result = TypeVar("Result")
_FINISHING: set[asyncio.Task[Any]] = set()


async def together(*work: Coroutine[Any, Any, Result]) -> list[Result]:
    """What each gives. When one fails, or the caller is cancelled, the others have ended before that is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """What it gives; a caller that is cancelled goes, and the work goes on to its end."""
    task = asyncio.create_task(work)
    _FINISHING.add(task)  # a loop alone would not keep it
    task.add_done_callback(_FINISHING.discard)
    return await asyncio.shield(task)


async def committed(transaction: AsyncExitStack, then: Callable[[], Awaitable[object]]) -> None:
    """End the transaction, and do what follows a commit: one step, which a cancelled caller does not interrupt."""

    async def both() -> None:
        await transaction.aclose()
        await then()

    await to_the_end(both())

"""Redis as a cache: whatever happens to it, a read is then a miss and a write is not done; both are counted."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from types import NoneType
from typing import Any, TypeGuard, TypeVar

import orjson
import redis.asyncio as aioredis
from redis.exceptions import RedisError, ResponseError

from vfr_data.circuit import Circuit
from vfr_data.errors import BadInput

Result = TypeVar("Result")
# Between texts that are read as one list; no text has it, so that none is taken for its neighbour's.
_MARK = secrets.token_hex(8)
_BETWEEN = f',"{_MARK}",'.encode()
Client = aioredis.Redis
FAULTS = (RedisError, OSError, TimeoutError)
# Written where nobody has since: what is there is what was read before, ARGV[1], or as then no text at all.
_FILL = """
local now = redis.pcall('GET', KEYS[1])
if type(now) == 'string' and now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class Cache:
    """What every part of the data path asks Redis through. `client` must not decode, and should have short timeouts.

    One event loop uses it, until it is closed; there it is skipped from then on, and another may use it. Raises
    BadInput in another before.

    `counts` has hits, misses, wrong (a cached value of another type or shape), failed (Redis refused or is away) and
    skipped (not asked, as the circuit was open).
    """

    def __init__(self, client: Client, circuit: Circuit | None = None) -> None:
        self.client = client
        self._circuit = circuit or Circuit()
        self.counts: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed_in: asyncio.AbstractEventLoop | None = None

    @classmethod
    def of(cls, url: str, *, timeout: float = 0.25, connections: int = 64) -> "Cache":
        """A cache at `url`, whose calls and connections may take `timeout` seconds. Raises BadInput."""
        limits = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "timeout": timeout}
        try:
            pool = aioredis.BlockingConnectionPool.from_url(url, max_connections=connections, **limits)
        except ValueError as error:
            raise BadInput(f"this is no url of Redis: {error}; give redis://…") from error
        return cls(Client(connection_pool=pool))

    @property
    def is_skipped(self) -> bool:
        """True while Redis is left alone after failures."""
        return self._circuit.is_open

    async def aclose(self) -> None:
        """End its connections; calls under way fail, and are counted."""
        self._loop, self._closed_in = None, asyncio.get_running_loop()
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def ask(self, call: Callable[[Client], Awaitable[Result]]) -> Result | None:
        """What `call` returns; None when Redis failed, or is left alone.

        A wrong type of key is an answer of a healthy server: it is counted as wrong and the circuit stays as it is.
        """
        if not self._bind() or not self._circuit.allows():
            self.counts["skipped"] += 1
            return None
        try:
            answer = await call(self.client)
        except ResponseError as error:
            self._circuit.succeeded()
            self.counts["wrong" if is_wrong_type(error) else "failed"] += 1
            return None
        except Exception as error:
            # A connection that is closed while it is being made fails in the middle of the client.
            if not isinstance(error, FAULTS) and self._loop is not None:
                raise
            self._circuit.failed()
            self.counts["failed"] += 1
            return None
        self._circuit.succeeded()
        return answer

    async def get(self, key: str) -> dict[str, Any] | None:
        """The JSON object under a key; None for none, and for what is no object."""
        found = await self.text(key)
        return None if found is None else self.decoded(found)

    async def text(self, key: str) -> bytes | str | None:
        """What is under a key, to be decoded; None, a counted miss, for none."""
        found: bytes | str | None = await self.ask(lambda client: client.get(key))
        if found is None:
            self.counts["misses"] += 1
        return found

    async def set(self, key: str, value: Mapping[str, Any], ttl: int) -> bool:
        """Write a JSON object for `ttl` seconds in one step; False when it was not written. Raises BadInput."""
        text = encoded(value)
        return bool(await self.ask(lambda client: client.set(key, text, ex=ttl)))

    async def fill(self, key: str, before: bytes | str | None, value: Mapping[str, Any], ttl: int) -> bool:
        """As set, for what was computed since `before` was read there: a value that was written meanwhile stays."""
        given = [b"" if before is None else before, encoded(value), ttl]
        return bool(await self.ask(lambda client: client.register_script(_FILL)(keys=[key], args=given)))

    def refuse(self, *, wrong: bool = True) -> None:
        """Count the last hit as a miss: what was cached is of another shape, or, not `wrong`, was withdrawn."""
        self.counts.update({"hits": -1, "wrong": int(wrong), "misses": 1})

    def decoded(self, text: bytes | str) -> dict[str, Any] | None:
        """The object of a cached text, a hit; None for anything else, a counted miss."""
        try:
            value = _DECODER.decode(text if isinstance(text, str) else text.decode())
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            self.counts["hits"] += 1
            return value
        self.counts["wrong"] += 1
        self.counts["misses"] += 1
        return None

    def decoded_all(self, texts: Sequence[bytes | None]) -> list[dict[str, Any] | None]:
        """The same of many; None is a counted miss too. They are read as one list, unless one of them is broken.

        Integers beyond 64 bits come as the nearest float.
        """
        misses = texts.count(None)
        self.counts["misses"] += misses
        values: list[Any] = []
        with suppress(ValueError):
            values = orjson.loads(b"[" + _BETWEEN.join([b"null" if each is None else each for each in texts]) + b"]")
        marks, values = values[1::2], values[::2]
        if marks.count(_MARK) != len(marks):
            values = []
        if len(values) == len(texts) and values.count(None) == misses and set(map(type, values)) <= {dict, NoneType}:
            self.counts["hits"] += len(texts) - misses
            return values
        return [None if each is None else self.decoded(each) for each in texts]

    def _bind(self) -> bool:
        """Belong to the running loop; False in the one in which it was closed."""
        running = asyncio.get_running_loop()
        if running is self._closed_in:
            return False
        if self._loop not in (None, running):
            raise BadInput("this Cache is used by another event loop; make one in each, or close it there first")
        self._loop = running
        return True


def is_wrong_type(answer: object) -> bool:
    """Whether Redis says that a key is of another type."""
    return isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE")


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of JSON is a finite number."""
    if type(value) is float:
        return isfinite(value)
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def encoded(value: Mapping[str, Any]) -> str:
    """The text of a JSON object. Raises BadInput for NaN, infinity, and what JSON has no form for."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(
            f"this cannot be cached as JSON: {error}; give finite numbers, texts, lists and objects"
        ) from error


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number


# As `encoded` writes it: integers of any size, and no number that is none.
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)

"""The five streams of the probability services: appended within their length, read by groups, and taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError, ResponseError

from vfr_data.cache import Client
from vfr_data.catalogue import STREAMS, Stream
from vfr_data.errors import BadInput, DataPathError
from vfr_data.moments import Clock, milliseconds, now


class EventsUnavailable(DataPathError):
    """Redis did not take or give events. What was to be appended may be there or not; what was read stays pending."""


@dataclass(frozen=True)
class Event:
    """One entry. `fields` are texts; tenant_id and at (milliseconds since 1970-01-01 UTC) stand apart."""

    id: str
    tenant_id: str
    at: int
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """What a consumer got: events to work on and acknowledge, and the ids of entries that are none of ours.

    Those stay pending, for a person to look at.
    """

    events: tuple[Event, ...]
    broken: tuple[str, ...] = ()


class Events:
    """Events are no cache: what Redis does not take is an error of the caller. Names are those of catalogue.STREAMS."""

    def __init__(self, client: Client, clock: Clock = now) -> None:
        self._client, self._clock = client, clock

    async def append(self, stream: str, tenant_id: str, fields: Mapping[str, str | float]) -> str:
        """Append an event of a tenant; its id. Raises BadInput for a stream or fields that the catalogue has not."""
        of = _stream(stream)
        if not tenant_id or fields.keys() != of.fields:
            wanted = ", ".join(sorted(of.fields))
            raise BadInput(f"an event of {stream} has a tenant_id and {wanted}; got {tenant_id!r} and {sorted(fields)}")
        at = milliseconds(self._clock())
        values: dict[Any, Any] = {"tenant_id": tenant_id, **fields, "at": at}
        appended = await self._call(of, self._client.xadd(of.key, values, maxlen=of.maxlen, approximate=True))
        return _text(appended)

    async def make_groups(self) -> None:
        """Make the streams and groups that are missing. The shipped revisions make them; this is for after a loss."""
        for of in STREAMS.values():
            for group in of.groups:
                try:
                    await self._client.xgroup_create(of.key, group, id="0", mkstream=True)
                except ResponseError as error:
                    if not str(error).startswith("BUSYGROUP"):  # else it is there
                        raise _unavailable(of, error) from error
                except RedisError as error:
                    raise _unavailable(of, error) from error

    async def read(self, stream: str, group: str, consumer: str, *, count: int = 100, wait: float = 0) -> Read:
        """New events for a consumer of a group, at most `count`, to be acknowledged when worked on.

        Waits at most `wait` seconds for the first one: fewer than the client's own socket_timeout.
        """
        of = _stream(stream, group)
        block = round(wait * 1000) or None
        asked = self._client.xreadgroup(group, consumer, {of.key: ">"}, count=count, block=block)
        found: Any = await self._call(of, asked)
        streams = found.items() if isinstance(found, dict) else found or []
        entries = [entry for _, each in streams for entry in _flat(each)]
        return _read(entries)

    async def claim(self, stream: str, group: str, consumer: str, *, idle: float, count: int = 100) -> Read:
        """Take over events that another consumer read and did not acknowledge for `idle` seconds, at most `count`.

        Nobody else gets them meanwhile. Ids of entries that the length of the stream has cut off are acknowledged.
        """
        of = _stream(stream, group)
        # XPENDING and XCLAIM rather than XAUTOCLAIM: one form in every version, and the entries cut off are told.
        pending: Any = await self._call(
            of, self._client.xpending_range(of.key, group, "-", "+", count, idle=round(idle * 1000))
        )
        ids = [each["message_id"] for each in pending]
        if not ids:
            return Read(())
        claiming = self._client.xclaim(of.key, group, consumer, min_idle_time=round(idle * 1000), message_ids=ids)
        claimed: Any = await self._call(of, claiming)
        here = [entry for entry in claimed if entry[1] is not None]
        await self._drop_cut(of, group, ids)
        return _read(here)

    async def ack(self, stream: str, group: str, events: Sequence[Event]) -> int:
        """Acknowledge what was worked on; how many were pending."""
        of = _stream(stream, group)
        if not events:
            return 0
        return int(await self._call(of, self._client.xack(of.key, group, *(each.id for each in events))))

    async def _drop_cut(self, of: Stream, group: str, ids: Sequence[bytes]) -> None:
        """Redis 6 keeps ids pending whose entries are gone; nobody could ever acknowledge them."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for each in ids:
                pipeline.xrange(of.key, each, each)
            found = await self._call(of, pipeline.execute())
        gone = [each for each, entries in zip(ids, found, strict=True) if not entries]
        if gone:
            await self._call(of, self._client.xack(of.key, group, *gone))

    async def _call(self, of: Stream, asked: Any) -> Any:
        try:
            return await asked
        except (RedisError, OSError) as error:
            raise _unavailable(of, error) from error


def _stream(name: str, group: str | None = None) -> Stream:
    found = STREAMS.get(name)
    if found is None:
        raise BadInput(f"there is no stream {name!r}; give one of {', '.join(STREAMS)}")
    if group is not None and group not in found.groups:
        raise BadInput(f"{name} has no group {group!r}; give one of {', '.join(found.groups)}")
    return found


def _unavailable(of: Stream, error: Exception) -> EventsUnavailable:
    hint = "run make_groups()" if str(error).startswith("NOGROUP") else "look at the server and try again"
    return EventsUnavailable(f"{of.key}: {error}; {hint}")


def _read(entries: Sequence[Any]) -> Read:
    events, broken = [], []
    for key, raw in entries:
        fields = {_text(name): _text(value) for name, value in raw.items()}
        tenant, at = fields.pop("tenant_id", ""), fields.pop("at", "")
        if tenant and at.isdecimal():
            events.append(Event(_text(key), tenant, int(at), fields))
        else:
            broken.append(_text(key))
    return Read(tuple(events), tuple(broken))


def _flat(entries: Any) -> list[Any]:
    """The entries of one stream: RESP3 clients put them into one list more."""
    if entries and isinstance(entries[0], list):
        return [entry for each in entries for entry in each]
    return list(entries)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")

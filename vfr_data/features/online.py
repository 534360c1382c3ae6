"""The newest value of a feature in its window, in Redis, as the shipped families `features_…` have it.

A hash holds, of one ticker and one window, the newest value of each feature that PostgreSQL knows in that window, and
ends with the window. So it answers a read as of a moment of the window, unless its value is later: then PostgreSQL
does.
Entries are versioned: of two of one field the one with the later time stays, and of one time the one committed last.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from vfr_data.cache import Cache, Client, is_number
from vfr_data.catalogue import FAMILIES, Family, is_segment
from vfr_data.features.matrix import Cell
from vfr_data.moments import EPOCH, TICK, microseconds, window

CHUNK = 1000
Place = tuple[str, int]
"""Key of a hash, and the second in which its window ends."""

# KEYS[1]: hash; ARGV: the second in which its window ends, then for each entry field, time, version, JSON. Times are
# microseconds, and shorter than the digits that a number of Lua holds.
_REPLACE = """
for i = 2, #ARGV, 4 do
  local newer, old = true, redis.call('HGET', KEYS[1], ARGV[i])
  if old then
    local read, was = pcall(cjson.decode, old)
    if read and type(was) == 'table' and type(was.at) == 'number' and type(was.version) == 'number' then
      local at, version = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
      newer = at > was.at or (at == was.at and version > was.version)
    end
  end
  if newer then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3]) end
end
return redis.call('EXPIREAT', KEYS[1], ARGV[1])
"""

# The fields ARGV of each hash, as two texts: lengths with commas, -1 for none, and what is there, one after the other.
# A client reads two texts in a fraction of the time of thousands.
_TOGETHER = """
local lengths, texts = {}, {}
for _, key in ipairs(KEYS) do
  local found = redis.pcall('HMGET', key, unpack(ARGV))
  for place = 1, #ARGV do
    local text = not found.err and found[place]
    lengths[#lengths + 1] = text and #text or -1
    if text then texts[#texts + 1] = text end
  end
end
return {table.concat(lengths, ','), table.concat(texts)}
"""
FIELDS = 5000
"""How many fields one script reads: Redis serves nobody else meanwhile."""
MANY = 64
"""From so many fields on they are read by the script."""


class Entry(NamedTuple):
    """A value of one ticker and feature; `version` is the microsecond in which PostgreSQL had written it."""

    ticker: str
    feature: UUID
    kind: str
    cell: Cell
    source: str | None
    version: int


def family(kind: str) -> Family | None:
    """The family of a type of feature; None for types that are not cached."""
    return FAMILIES.get(f"features_{kind}")


class Window(NamedTuple):
    """The window of a type of features that is open at a moment: `start` belongs to it, `end` does not."""

    kind: str
    start: datetime
    end: datetime


def windows(now: datetime) -> list[Window]:
    """Those of every type of features that is cached. A window is as long as the family's time to live, or shorter."""
    found = []
    for name, each in FAMILIES.items():
        if name.startswith("features_") and each.window:
            found.append(Window(name.removeprefix("features_"), *window(now, each.window)))
    return found


async def write(cache: Cache, entries: Iterable[Entry]) -> bool:
    """Replace what is older; False when Redis did not take all of it."""
    hashes: dict[Place, list[Entry]] = defaultdict(list)
    for each in entries:
        if (found := family(each.kind)) and is_segment(each.ticker):
            at = EPOCH + each.cell.at * TICK
            _, end = window(at, found.window or found.ttl)
            hashes[found.key(at, symbol=each.ticker), int(end.timestamp())].append(each)
    places = list(hashes.items())
    done = True
    for start in range(0, len(places), CHUNK):
        taken = await cache.ask(partial(_replace, hashes=places[start : start + CHUNK]))
        done = taken is not None and done
    return done


async def read(
    cache: Cache, tickers: Sequence[str], kinds: Mapping[UUID, str], as_of: datetime, now: datetime
) -> list[tuple[str, UUID, Cell]]:
    """What Redis has as of a moment of the open window; never a value later than it. `kinds`: feature → its type."""
    open_now = {each.kind for each in windows(now) if each.start <= as_of < each.end}
    by_family: dict[Family, list[UUID]] = defaultdict(list)
    for feature, kind in kinds.items():
        if kind in open_now and (found := family(kind)):
            by_family[found].append(feature)
    limit, cells = microseconds(as_of), []
    fitting = [each for each in tickers if is_segment(each)]
    for each, features in by_family.items():
        size = max(1, FIELDS // len(features))
        for start in range(0, len(fitting), size):
            chunk = fitting[start : start + size]
            keys = [each.key(as_of, symbol=ticker) for ticker in chunk]
            texts = await cache.ask(partial(_fetch, keys=keys, fields=[str(feature) for feature in features]))
            entries = cache.decoded_all(texts or [])
            for (ticker, feature), entry in zip(product(chunk, features), entries, strict=False):
                cell = None if entry is None else _cell(cache, entry)
                if cell is not None and cell.at <= limit:
                    cells.append((ticker, feature, cell))
    return cells


async def _fetch(client: Client, keys: Sequence[str], fields: Sequence[str]) -> list[bytes | None]:
    """The fields of each hash in turn; None for one that is not there, or in a key of another type."""
    if len(keys) * len(fields) < MANY or len(fields) > FIELDS:
        async with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hmget(key, fields)
            answers = await pipeline.execute(raise_on_error=False)
        none = [None] * len(fields)
        return [text for answer in answers for text in (answer if isinstance(answer, list) else none)]
    lengths, whole = await client.register_script(_TOGETHER)(keys=keys, args=fields)
    return list(_cut(whole, map(int, lengths.split(b","))))


def _cut(whole: bytes, lengths: Iterable[int]) -> Iterator[bytes | None]:
    start = 0
    for length in lengths:
        if length < 0:
            yield None
            continue
        yield whole[start : start + length]
        start += length


async def _replace(client: Client, hashes: Sequence[tuple[Place, list[Entry]]]) -> bool:
    script = client.register_script(_REPLACE)
    async with client.pipeline(transaction=False) as pipeline:
        for (key, end), entries in hashes:
            arguments: list[str | int] = [end]
            for each in entries:
                arguments += [str(each.feature), each.cell.at, each.version, _text(each)]
            await script(keys=[key], args=arguments, client=pipeline)
        await pipeline.execute()
    return True


def _text(entry: Entry) -> str:
    cell = entry.cell
    return json.dumps(
        {
            "value": cell.value,
            "confidence": cell.confidence,
            "quality": cell.quality,
            "source": entry.source,
            "timestamp": cell.at // 1000,
            "at": cell.at,
            "version": entry.version,
        },
        separators=(",", ":"),
    )


def _cell(cache: Cache, found: Mapping[str, Any]) -> Cell | None:
    """The value of an entry; None, counted, for what is none of ours."""
    value, confidence, quality, at = (found.get(name) for name in ("value", "confidence", "quality", "at"))
    fine = is_number(value) and type(at) is int and abs(at) < 1 << 63
    if fine and all(each is None or is_number(each) for each in (confidence, quality)):
        return Cell(value, confidence, quality, at)  # type: ignore[arg-type]
    cache.refuse()
    return None

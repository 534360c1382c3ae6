"""The newest value of a feature in its window, in Redis, as the shipped families `features_…` have it.

A hash holds, of one ticker and one window, the newest value of each feature that PostgreSQL knows in that window, and
ends with the window. So it answers a read as of a moment of the window, unless its value is later: then PostgreSQL
does.
Entries are versioned: of two of one field the one with the later time stays, and of one time the one committed last.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
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
    asked = [
        (ticker, each, features) for ticker in tickers for each, features in by_family.items() if is_segment(ticker)
    ]
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        answers = await cache.ask(partial(_fetch, asked=chunk, as_of=as_of))
        for (ticker, _, features), texts in zip(chunk, answers or [], strict=False):
            for feature, text in zip(features, texts, strict=True):
                cell = _cell(cache, text)
                if cell is not None and cell.at <= limit:
                    cells.append((ticker, feature, cell))
    return cells


async def _fetch(
    client: Client, asked: Sequence[tuple[str, Family, list[UUID]]], as_of: datetime
) -> list[list[bytes | None]]:
    async with client.pipeline(transaction=False) as pipeline:
        for ticker, each, features in asked:
            pipeline.hmget(each.key(as_of, symbol=ticker), [str(feature) for feature in features])
        answers = await pipeline.execute(raise_on_error=False)
    return [
        answer if isinstance(answer, list) else [None] * len(features)
        for answer, (_, _, features) in zip(answers, asked, strict=True)
    ]


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


def _cell(cache: Cache, text: bytes | None) -> Cell | None:
    """The value of a field; None for none, and, counted, for what is none of ours."""
    if text is None:
        cache.counts["misses"] += 1
        return None
    found = cache.decoded(text)
    if found is None:
        return None
    value, confidence, quality, at = (found.get(name) for name in ("value", "confidence", "quality", "at"))
    if is_number(value) and type(at) is int and all(each is None or is_number(each) for each in (confidence, quality)):
        return Cell(value, confidence, quality, at)
    cache.refuse()
    return None

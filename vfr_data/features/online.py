"""The newest value of a feature in its window, in Redis, as the shipped families `features_…` have it.

A hash holds, of one ticker and one window, the newest value of each feature that PostgreSQL knows in that window, and
ends with the window. So it answers a read as of a moment of the window, unless its value is later: then PostgreSQL
does.
Entries are versioned: of two of one field the one with the later time stays, and of one time the one committed last.
Before a batch is committed what it replaces is withdrawn: an entry without a value, which is a miss, holds its place
until the value follows. So one who ends in between leaves a miss, and nothing that is older than PostgreSQL's.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from vfr_data.cache import Cache, Client, is_number
from vfr_data.catalogue import FAMILIES, Family, is_segment
from vfr_data.features.matrix import NO_TIME, Cell, Cells, Filling
from vfr_data.features.reads import Reads
from vfr_data.moments import EPOCH, TICK, microseconds, window

CHUNK = 1000
FIELDS = 5000
"""How many fields are read at once."""
MANY = 64
"""From so many values on they are put in as arrays."""
Place = tuple[str, int]
"""Key of a hash, and the second in which its window ends."""

# KEYS[1]: hash; ARGV: the second in which its window ends, then for each entry field, time, version, JSON. Times are
# microseconds, and shorter than the digits that a number of Lua holds. What is no entry, NaN too, is never newer.
_REPLACE = """
local function stays(old, at, version)
  local read, was = pcall(cjson.decode, old)
  if not read or type(was) ~= 'table' or type(was.at) ~= 'number' or type(was.version) ~= 'number' then return false end
  if was.value ~= nil and type(was.value) ~= 'number' then return false end
  if not (was.at < ARGV[1] * 1000000 and was.version < 2^53) then return false end
  if was.at ~= at then return was.at > at end
  return was.version > version or (was.version == version and was.value ~= nil)
end
for i = 2, #ARGV, 4 do
  local old = redis.call('HGET', KEYS[1], ARGV[i])
  if not (old and stays(old, tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]))) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3])
  end
end
return redis.call('EXPIREAT', KEYS[1], ARGV[1])
"""

_ALL = 1 << 63
_WITHDRAWN = {"at", "version"}
_PARTS = itemgetter("value", "confidence", "quality", "at")
_NUMBERS = frozenset((float, int))
_KINDS = (_NUMBERS, _NUMBERS | {type(None)}, _NUMBERS | {type(None)}, frozenset((int,)))


class Entry(NamedTuple):
    """A value of one ticker and feature; `version` is the microsecond in which the batch had written it.

    0: it was written by another, and fills a gap alone.
    """

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


async def withdraw(cache: Cache, entries: Iterable[Entry]) -> bool:
    """Let what is older than these, and about to be replaced, be a miss; False when Redis did not take all of it."""
    return await _sent(cache, (each for each in entries if each.version), _withdrawn)


async def write(cache: Cache, entries: Iterable[Entry]) -> bool:
    """Replace what is older; False when Redis did not take all of it."""
    return await _sent(cache, entries, _text)


async def _sent(cache: Cache, entries: Iterable[Entry], text: Callable[[Entry], str]) -> bool:
    hashes: dict[Place, list[Entry]] = defaultdict(list)
    for each in entries:
        if (found := family(each.kind)) and is_segment(each.ticker):
            at = EPOCH + each.cell.at * TICK
            _, end = window(at, found.window or found.ttl)
            hashes[found.key(at, symbol=each.ticker), int(end.timestamp())].append(each)
    places = list(hashes.items())
    done = True
    for start in range(0, len(places), CHUNK):
        taken = await cache.ask(partial(_replace, hashes=places[start : start + CHUNK], text=text))
        done = taken is not None and done
    return done


async def read(reads: Reads, filling: Filling, kinds: Mapping[UUID, str], as_of: datetime, now: datetime) -> None:
    """Put in what Redis has as of a moment of the open window; never a value later. `kinds`: feature → its type."""
    by_kind: dict[str, list[UUID]] = defaultdict(list)
    for feature, kind in kinds.items():
        by_kind[kind].append(feature)
    limit = microseconds(as_of)
    fitting = [each for each in filling.tickers if is_segment(each)]
    for kind, features in by_kind.items():
        each = family(kind)
        if each is None or not each.window:
            continue
        begun, end = window(now, each.window)
        if not begun <= as_of < end:
            continue
        # Bytes are sent as they are; of a text the client asks for each hash again what it is.
        fields = [str(feature).encode() for feature in features]
        columns = [filling.column[feature] for feature in features]
        size = max(1, FIELDS // len(features))
        for start in range(0, len(fitting), size):
            chunk = fitting[start : start + size]
            keys = [each.key(as_of, symbol=ticker) for ticker in chunk]
            entries = await reads.entries(keys, fields)
            _put(reads.cache, filling, [filling.row[ticker] for ticker in chunk], columns, entries, limit)


async def _replace(client: Client, hashes: Sequence[tuple[Place, list[Entry]]], text: Callable[[Entry], str]) -> bool:
    script = client.register_script(_REPLACE)
    async with client.pipeline(transaction=False) as pipeline:
        for (key, end), entries in hashes:
            arguments: list[str | int] = [end]
            for each in entries:
                arguments += [str(each.feature), each.cell.at, each.version, text(each)]
            await script(keys=[key], args=arguments, client=pipeline)
        await pipeline.execute()
    return True


def _withdrawn(entry: Entry) -> str:
    return f'{{"at":{entry.cell.at},"version":{entry.version}}}'


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


def _put(
    cache: Cache,
    filling: Filling,
    rows: Sequence[int],
    columns: Sequence[int],
    entries: Sequence[Mapping[str, Any] | None],
    limit: int,
) -> None:
    """Put in what the entries hold, row by row, None for none, unless it is later: thousands at once, if all fit."""
    width = len(columns)
    cells = _plain([each for each in entries if each is not None]) if len(entries) >= MANY else None
    if cells is None:
        for n, each in enumerate(entries):
            cell = None if each is None else _cell(cache, each)
            if cell is not None and cell.at <= limit:
                filling.put(rows[n // width], columns[n % width], cell, online=True)
        return
    fitting = cells.at <= limit
    places = np.array([n for n, each in enumerate(entries) if each is not None], dtype=np.int64)[fitting]
    row, column = np.array(rows)[places // width], np.array(columns)[places % width]
    filling.put_all(row, column, *cells.where(fitting), online=True)


def _arrays(parts: Sequence[Sequence[Any]]) -> Cells:
    """Values, confidences, qualities and times; NaN for None. Raises OverflowError, TypeError, ValueError."""
    values, confidence, quality = (np.array(each, dtype=np.float64) for each in parts[:3])
    return Cells(values, confidence, quality, np.array(parts[3], dtype=np.int64))


def _plain(there: Sequence[Mapping[str, Any]]) -> Cells | None:
    """The values, where each is of a type that it may have, and finite."""
    try:
        parts = list(zip(*map(_PARTS, there), strict=True))
        cells = _arrays(parts)
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    typed = all(set(map(type, part)) <= kinds for part, kinds in zip(parts, _KINDS, strict=True))
    floats = zip(cells[:3], parts, strict=False)
    finite = all(np.isfinite(array).sum() == len(part) - part.count(None) for array, part in floats)
    return cells if typed and finite and bool((cells.at > NO_TIME).all()) else None


def _cell(cache: Cache, found: Mapping[str, Any]) -> Cell | None:
    """The value of an entry; None, counted, for what is none of ours."""
    get = found.get
    value, confidence, quality, at = get("value"), get("confidence"), get("quality"), get("at")
    fine = is_number(value) and type(at) is int and -_ALL < at < _ALL
    if fine and (confidence is None or is_number(confidence)) and (quality is None or is_number(quality)):
        return Cell(value, confidence, quality, at)  # type: ignore[arg-type]
    cache.refuse(wrong=found.keys() != _WITHDRAWN)
    return None

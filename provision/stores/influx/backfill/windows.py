"""The windows of a document's rollups on a server: which are missing, and how they are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from provision.backfill.log import schema_changed
from provision.errors import FailedError
from provision.model.backfills import Backfill
from provision.stores.influx.backfill.flux import BackfillFlux
from provision.stores.influx.backfill.influxql import BackfillInfluxql
from provision.stores.influx.backfill.place import Slice, Stride, Words
from provision.stores.influx.backfill.range import Range, RangeRequest
from provision.stores.influx.backfill.runs import SECONDS, sending
from provision.stores.influx.migrate.model import Rollup, Tier
from provision.stores.influx.validate.place import Ask, Record

if TYPE_CHECKING:
    from provision.stores.influx.server import Server

_LANGUAGES: Mapping[str, Callable[[Ask], Words]] = {"influxql": BackfillInfluxql, "flux": BackfillFlux}


def names(backfill: Backfill) -> tuple[str, ...]:
    """The rollups of a document, in its order."""
    body: Mapping[str, Any] = backfill.body
    return (body["rollup"],) if isinstance(body["rollup"], str) else tuple(body["rollup"])


class Windows:
    """Asks the server for its rollups anew each time; one that is not what it was when first read is told."""

    def __init__(self, backfill: Backfill, server: Callable[[], Server]) -> None:
        self._backfill, self._server = backfill, server
        self._database = str(backfill.body["database"])
        self._read: dict[str, Rollup] = {}

    def rollup(self, name: str) -> Rollup:
        """Raises FailedError (schema-changed)."""
        return self._known(name)[0]

    def range(self, name: str, as_of: int) -> Range:
        """Raises FailedError (schema-changed)."""
        rollup, tiers = self._known(name)
        return Range.of(rollup, tiers, as_of, int(time.time()))

    def oldest(self, rollup: Rollup) -> int | None:
        """When the oldest point is that a rollup reads."""
        return self._words().oldest(rollup)

    def bounds(self, name: str, as_of: int, at: int | None = None) -> tuple[int, int]:
        """From when to when there are windows to look at, from `at` on; the same moment twice where there are none.

        Raises FailedError (schema-changed).
        """
        oldest = self.oldest(self.rollup(name)) if at is None else at
        start, stop = self.range(name, as_of).within(RangeRequest.of(self._backfill.body), oldest)
        return (stop, stop) if oldest is None or start is None else (min(start, stop), stop)

    def slice(self, rollup: Rollup, start: int, stop: int, *, remake: bool = False) -> Slice:
        """What lies between two moments; with `remake` as if nothing were there that can be written again."""
        words = self._words()
        tags = words.tags(rollup, start, stop)
        # What is there last: a window that the rollup writes meanwhile is not taken for a missing one.
        expected = frozenset(words.expected(rollup, tags, start, stop))
        there = frozenset() if remake else frozenset(words.there(rollup, tags, start, stop))
        return Slice(start, stop, rollup.every, tags, expected, there)

    def slices(self, name: str, as_of: int, *, remake: bool = False) -> Iterator[Slice]:
        """All of a rollup, slice by slice. Raises FailedError (schema-changed)."""
        rollup, stride = self.rollup(name), Stride()
        at, stop = self.bounds(name, as_of)
        while at < stop:
            upto = min(at + stride.length(Stride.MANY) * rollup.every, stop)
            found = self.slice(rollup, at, upto, remake=remake)
            stride.saw(found.rows)
            yield found
            at = upto

    def fill(self, rollup: Rollup, found: Slice) -> None:
        """Write what is missing. Raises documents.refused.Refused, UnreachableError."""
        words, server = self._words(), self._server()
        for stretch in found.stretches():
            with sending():
                server.run(words.fill(rollup, found.tags, stretch))

    def _words(self) -> Words:
        server = self._server()

        def ask(text: str) -> Iterator[Record]:
            yield from server.records(text, SECONDS)

        return _LANGUAGES[server.language](ask)

    def _known(self, name: str) -> tuple[Rollup, tuple[Tier, Tier]]:
        server = self._server()
        rollup = server.made(self._database).get(name)
        if not isinstance(rollup, Rollup):
            raise self._changed(f"rollup {name} of {self._database} is not there any more")
        tiers = server.tiers(self._database) or {}
        gone = [each.tier for each in (rollup.source, rollup.target) if each.tier not in tiers]
        if gone:
            raise self._changed(f"tier {gone[0]} of {self._database} is not there any more")
        if self._read.setdefault(name, rollup) != rollup:
            raise self._changed(f"rollup {name} of {self._database} is not what it was")
        return rollup, (tiers[rollup.source.tier], tiers[rollup.target.tier])

    def _changed(self, what: str) -> FailedError:
        return schema_changed(what, self._backfill)
